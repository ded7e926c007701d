"""What is broken when: a schedule that its seed decides, and nothing else."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

KILLS = {
    # Forked children are quick to replace, so that most kills can be theirs.
    "child of worker-prefork": 70,
    "worker-threads": 5,
    "worker-prefork": 3,
    "beat": 3,
    "web": 2,
    "child of web": 5,
    "broker": 12,
}
"""What is killed, and how often among a hundred or so."""

DISTURBANCES = {
    "hang": 8,
    "garbage": 8,
    "close": 6,
    "close_mid_body": 8,
    "slow": 8,
    "rate_limit": 7,
    "server_error": 5,
    "receipts double": 4,
    "receipts shuffle": 4,
    "receipts hold": 4,
    "calm": 14,
    "empty broker": 8,
    "postgres fast": 4,
    "postgres immediate": 3,
    "term worker-threads": 2,
    "term worker-prefork": 2,
}
"""What else goes wrong, and how often in proportion."""

DISTURBANCES_PER_KILL = 0.5


@dataclass(frozen=True, slots=True)
class Strike:
    """One thing that goes wrong, ``after`` so many seconds.

    ``dice`` is one more random number, 0 to 1: which child, or for how long.
    """

    what: str
    after: float
    dice: float
    is_kill: bool


def storm(seed: int, kills: int, *, gap: float) -> Iterator[Strike]:
    """Yield strikes until so many kills; ``gap``: mean seconds between strikes."""
    dice = random.Random(seed)  # noqa: S311, it has to be repeatable
    struck = 0
    while struck < kills:
        is_kill = dice.random() >= DISTURBANCES_PER_KILL / (1 + DISTURBANCES_PER_KILL)
        table = KILLS if is_kill else DISTURBANCES
        [what] = dice.choices(list(table), list(table.values()))
        yield Strike(
            what, min(dice.expovariate(1 / gap), 5 * gap), dice.random(), is_kill
        )
        struck += is_kill


@dataclass(frozen=True, slots=True)
class Disturbance:
    """What the sandbox is told, as the fields of ``/control/behave``."""

    fault: str
    share: float
    times: int
    seconds: float
    retry_after: float
    accepting: bool

    def fields(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def disturbance(fault: str, dice: float) -> Disturbance:
    """Choose the details: how many it hits, and on which side of accepting."""
    return Disturbance(
        fault=fault,
        share=0.1 + 0.6 * dice,
        # Whoever hangs keeps a place busy until the time-out.
        times=3 + int(dice * (6 if fault == "hang" else 40)),
        seconds=0.2 + 2.5 * dice,
        retry_after=0.2 + 1.5 * dice,
        accepting=int(dice * 1000) % 4 != 0,
    )
