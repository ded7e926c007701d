"""What becomes of messages: shares of every outcome, and why those that fail do."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import chain, cycle, repeat
from typing import Any, Final, NamedTuple

from messaging.channels.catalogue import CatalogueEntry, entries

SLOTS: Final = 2_000
"""A message draws one of so many slots of its channel: 0.05 % each."""
CAUSES: Final = 20
"""Causes of failure of each channel. The commonest has half of all failures."""


class Outcome(NamedTuple):
    """``error_code`` also stands on messages that wait for another try."""

    state: str
    error_code: str = ""
    error_class: str = ""
    reason: str = ""


REACHED: Final[dict[str, dict[str, int]]] = {
    "whatsapp": {"read": 1_080, "sent": 40},
    "sms": {"delivered": 1_700, "sent": 100},
    "telegram": {"sent": 1_800},
    "email": {"sent": 1_800},
}
"""Slots of what went well; telegram and e-mail send no receipts. The rest of
WhatsApp is *delivered*."""
LEFT_OUT: Final = {
    Outcome("skipped", reason="opted_out"): 30,
    Outcome("skipped", reason="no_route"): 18,
    Outcome("skipped", reason="expired"): 2,
    Outcome("cancelled", reason="cancelled"): 7,
    Outcome("unknown"): 3,
}
FAILED: Final = 118
WAITING: Final = 2
"""Slots of what waits for another try."""


@cache
def outcome_columns() -> dict[str, Any]:
    """Return every slot of every channel as columns for ``unnest``."""
    return _columns(
        (channel, place, *outcome)
        for channel in REACHED
        for place, outcome in enumerate(_slots(channel))
    )


def _columns(drawn: Iterable[tuple[Any, ...]]) -> dict[str, Any]:
    names = ("channel", "slot", "state", "error_code", "error_class", "reason")
    columns = zip(*drawn, strict=True)
    return {
        f"outcome_{name}": list(column)
        for name, column in zip(names, columns, strict=True)
    }


def failing_columns(percent: int) -> dict[str, Any]:
    """Return slots of WhatsApp alone, of which so many percent failed."""
    failed = SLOTS * percent // 100
    causes = causes_of("whatsapp")
    drawn = [
        Outcome("failed", causes[one % 5].code, causes[one % 5].error_class.value)
        for one in range(failed)
    ]
    drawn += [Outcome("delivered")] * (SLOTS - failed)
    return _columns(("whatsapp", place, *one) for place, one in enumerate(drawn))


def _slots(channel: str) -> list[Outcome]:
    causes = causes_of(channel)
    found = list(
        chain(
            *(repeat(outcome, number) for outcome, number in LEFT_OUT.items()),
            _failures(causes),
            (
                Outcome("queued", one.code, one.error_class.value)
                for one, _ in zip(cycle(causes), range(WAITING), strict=False)
            ),
            *(repeat(Outcome(s), number) for s, number in REACHED[channel].items()),
        )
    )
    return found + [Outcome("delivered" if channel == "whatsapp" else "sent")] * (
        SLOTS - len(found)
    )


def _failures(causes: list[CatalogueEntry]) -> list[Outcome]:
    """Halve what is left with every cause, and give each of them one slot."""
    drawn: list[Outcome] = []
    for place, one in enumerate(causes):
        left = FAILED - len(drawn) - (len(causes) - place - 1)
        share = max(1, left // 2) if place < len(causes) - 1 else left
        drawn += [Outcome("failed", one.code, one.error_class.value)] * share
    return drawn


def causes_of(channel: str) -> list[CatalogueEntry]:
    """Return causes of one channel, of all classes in turn."""
    named = [
        one
        for one in entries()
        if one.code.startswith(f"{channel}:") and "*" not in one.code
    ]
    by_class: dict[str, list[CatalogueEntry]] = {}
    for one in named:
        by_class.setdefault(one.error_class.value, []).append(one)
    mixed = [
        one
        for turn in range(len(named))
        for group in by_class.values()
        for one in group[turn : turn + 1]
    ]
    return mixed[:CAUSES]
