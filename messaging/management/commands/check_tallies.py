"""``manage.py check_tallies``: recount every row and compare with the tallies."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from messaging.audit import recovery_differences, tally_differences


class Command(BaseCommand):
    help = "Recount all messages and attempts and compare them with the tallies."

    def handle(self, *args: Any, **options: Any) -> None:
        differences = tally_differences()
        for one in differences:
            self.stderr.write(
                f"organization {one['organization_id']}, broadcast"
                f" {one['broadcast_id'] or 'none'}, {one['day']}:"
                f" {one['tallied']} tallied, {one['counted']} found:"
                f" {one['channel'] or 'no channel'} {one['unit']}s {one['outcome']}"
                f" at attempt {one['attempt_number']} {one['error_code']}"
            )
        recoveries = recovery_differences()
        for one in recoveries:
            self.stderr.write(
                f"organization {one['organization_id']}, broadcast"
                f" {one['broadcast_id'] or 'none'}, {one['day']}:"
                f" {one['tallied']} tallied, {one['counted']} found:"
                f" {one['channel']} messages recovered by resend"
                f" {one['resend_number']}, bucket {one['bucket']}"
                f" ({one['tallied_credits']} and {one['counted_credits']} credits)"
            )
        if number := len(differences) + len(recoveries):
            message = f"{number} tallies differ from their rows."
            raise CommandError(message)
        self.stdout.write("Every tally agrees with its rows.")
