"""``manage.py check_tallies``: recount every row and compare with the counters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from messaging import audit

CHECKS: Final[dict[str, Callable[[], list[dict[str, Any]]]]] = {
    "tally": audit.tally_differences,
    "recovery": audit.recovery_differences,
    "daily figure": audit.figure_differences,
    "outcome of a bulk resend": audit.bulk_outcome_differences,
}
NUMBERS: Final = {"tallied", "counted", "tallied_credits", "counted_credits"}


class Command(BaseCommand):
    help = "Recount all messages and attempts and compare them with the counters."

    def handle(self, *args: Any, **options: Any) -> None:
        number = 0
        for name, differences in CHECKS.items():
            for one in differences():
                number += 1
                self.stderr.write(f"{name}: {_in_words(one)}")
        if number:
            message = f"{number} counters differ from their rows."
            raise CommandError(message)
        self.stdout.write("Every tally agrees with its rows.")


def _in_words(one: Mapping[str, Any]) -> str:
    key = ", ".join(
        f"{name.removesuffix('_id').replace('_', ' ')} {value}"
        for name, value in one.items()
        if name not in NUMBERS and value not in (None, "", False)
    )
    credits = ""
    if one.get("tallied_credits") != one.get("counted_credits"):
        credits = (
            f", {one['tallied_credits']} credits tallied and"
            f" {one['counted_credits']} found"
        )
    return f"{key}: {one['tallied']} tallied, {one['counted']} found{credits}"
