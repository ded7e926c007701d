"""``manage.py check_ledger``: add up the ledger and compare with the accounts."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from messaging.audit import ledger_differences, take_your_time


class Command(BaseCommand):
    help = "Add up all lines of the ledger and compare them with the accounts."

    def handle(self, *args: Any, **options: Any) -> None:
        take_your_time()
        differences = ledger_differences()
        for one in differences:
            self.stderr.write(
                f"organization {one['organization_id']}: {one['difference']}"
            )
        if differences:
            message = (
                f"{len(differences)} places in the ledger do not add up. Nothing is"
                " repaired here: lines of the ledger are only ever added, by what"
                " happens to an attempt or by a top-up, so look at these by hand."
            )
            raise CommandError(message)
        self.stdout.write("Every line of the ledger adds up.")
