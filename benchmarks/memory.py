"""Memory of the worker through a million messages: it comes back to where it was."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from benchmarks.contenders.arena import Arena, arena
from benchmarks.contenders.ours import Ours, open_up, waits
from benchmarks.machine import highest_resident_mb, resident_mb
from benchmarks.report import Report, Target
from benchmarks.stage import Stage

MESSAGES = 1_000_000
SLICES = 10
LOOKS = 60
"""Looks, twenty a second, through which a resting worker stays as it is."""
REST_MB = 0.5
TARGETS = {
    "memory_above_idle_mb": Target(at_most=120),
    "memory_growth_mb": Target(at_most=10),
}
NOTES = (
    "Resident memory of the worker as `make run` starts it, looked at some twenty"
    " times a second; the highest is the kernel's own mark.",
    "memory_growth_mb: the mean of the last third of the messages less that of the"
    " second third.",
    "The messages of each slice are queued while the worker rests.",
)


@dataclass
class Slice:
    """One broadcast: what the worker held while it was sent, and at its end."""

    messages: int
    samples: list[float] = field(default_factory=list)
    after_mb: float = 0.0
    rate: float = 0.0

    def document(self) -> dict[str, Any]:
        return {
            "messages": self.messages,
            "messages_per_second": round(self.rate, 1),
            "mean_mb": round(statistics.fmean(self.samples), 1),
            "after_mb": round(self.after_mb, 1),
        }


def run(stage: Stage) -> Report:
    """Send slice after slice with one worker."""
    each = stage.size(MESSAGES // SLICES, least=100)
    at = arena(stage)
    ours = Ours(at, each)
    idle = _idle(at, ours)
    stage.say(f"idle: {idle:,.1f} MB")
    slices = [_slice(at, ours, number, each) for number in range(1, SLICES + 1)]
    return report(idle, highest_resident_mb(ours.worker.pid), slices)


def report(idle: float, highest: float, slices: Sequence[Slice]) -> Report:
    return Report(
        title=f"Memory of a worker through {_sum(slices):,} messages",
        columns=("After messages", "MB", "above idle", "Messages/s"),
        rows=[
            ("none (idle)", idle, 0.0, ""),
            *(
                (
                    f"{_sum(slices[: place + 1]):,}",
                    one.after_mb,
                    one.after_mb - idle,
                    round(one.rate),
                )
                for place, one in enumerate(slices)
            ),
            ("highest", highest, highest - idle, ""),
        ],
        ratios={
            "memory_above_idle_mb": highest - idle,
            "memory_growth_mb": growth(slices),
        },
        targets=TARGETS,
        raw={
            "messages": _sum(slices),
            "idle_mb": round(idle, 1),
            "highest_mb": round(highest, 1),
            "slices": [one.document() for one in slices],
        },
        notes=NOTES,
    )


def growth(slices: Sequence[Slice]) -> float:
    """Return the mean of the last third less that of the second, in MB.

    A slice between two thirds counts with the later one.
    """
    third = len(slices) / 3
    thirds: dict[int, list[float]] = {0: [], 1: [], 2: []}
    for place, one in enumerate(slices):
        thirds[min(2, int((place + 0.5) / third))] += one.samples
    return statistics.fmean(thirds[2]) - statistics.fmean(thirds[1])


def _sum(slices: Sequence[Slice]) -> int:
    return sum(one.messages for one in slices)


def _idle(at: Arena, ours: Ours) -> float:
    """Return what the worker holds once it answers beat and needs no more for that."""
    looks: deque[float] = deque(maxlen=LOOKS)
    first = _pulse()

    def rests() -> bool:
        looks.append(resident_mb(ours.worker.pid))
        return (
            len(looks) == LOOKS
            and max(looks) - min(looks) < REST_MB
            and _pulse() != first
        )

    at.wait("worker", ours.worker, rests)
    return looks[-1]


def _pulse() -> datetime | None:
    """Return when a worker last answered beat, if one ever did."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(beaten_at) FROM messaging_pulse")
        [beaten_at] = cursor.fetchone()
    moment: datetime | None = beaten_at
    return moment


def _slice(at: Arena, ours: Ours, number: int, messages: int) -> Slice:
    name = f"Slice {number}"
    integration, _ = ours.queue(name, messages, at.provider())
    made, pid = Slice(messages), ours.worker.pid

    def is_done() -> bool:
        made.samples.append(resident_mb(pid))
        return not waits(integration.pk)

    measured = at.measure(
        name, messages, ours.worker, lambda: open_up(integration), is_done
    )
    made.after_mb, made.rate = resident_mb(pid), measured.rate
    at.stage.say(f"{name}: {made.after_mb:,.1f} MB")
    return made
