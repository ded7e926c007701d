"""``manage.py check_tallies``: recount every row and compare with the counters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from messaging import audit

NUMBERS: Final = {"tallied", "counted", "tallied_credits", "counted_credits"}


class Command(BaseCommand):
    help = (
        "Recount all messages and attempts and compare them with the counters. The"
        " exit code is 1 when they differ, unless they are repaired."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--repair",
            action="store_true",
            help="Set the counters right. Messages may go on moving meanwhile.",
        )

    def handle(self, *args: Any, repair: bool = False, **options: Any) -> None:
        audit.take_your_time()
        number = 0
        for counter in audit.COUNTERS:
            found: Iterable[audit.Difference] = (
                audit.repair(counter) if repair else counter.differences()
            )
            for one in found:
                number += 1
                self.stderr.write(f"{counter.name}: {_in_words(one)}")
        if number and not repair:
            message = (
                f"{_counted(number)}. Set right what differs with"
                " check_tallies --repair."
            )
            raise CommandError(message)
        self.stdout.write(
            f"{_counted(number)}. Now they agree."
            if number
            else "Every tally agrees with its rows."
        )


def _counted(number: int) -> str:
    if number == 1:
        return "1 counter differed from its rows"
    return f"{number} counters differed from their rows"


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
