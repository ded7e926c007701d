"""``manage.py check_tallies``: recount every row and compare with the tallies."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from messaging.audit import tally_differences


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
        if differences:
            message = f"{len(differences)} tallies differ from their rows."
            raise CommandError(message)
        self.stdout.write("Every tally agrees with its rows.")
