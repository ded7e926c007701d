"""Rates: what a provider sees of them, second by second, and who waits for whom."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import pairwise

from benchmarks.contenders.arena import Arena, arena
from benchmarks.contenders.ours import Ours, open_up
from benchmarks.report import Report, Target
from benchmarks.stage import Stage
from messaging.models import Integration, Message, MessageState, Priority

RATES = (80, 1_000)
SECONDS = 15
WARM_UP = 2.0
"""Seconds that the first pump may take to begin."""
LARGE = 20_000
FEW = 10
SAMPLE_SECONDS = 0.05
LONGEST_WAIT = 60.0

TARGETS = {
    "rate_80": Target(at_least=0.95, at_most=1.05),
    "rate_1000": Target(at_least=0.95, at_most=1.05),
    "busiest_second_80": Target(at_most=1.1),
    "busiest_second_1000": Target(at_most=1.1),
}
NOTES = (
    "Two workers share each rate. The share of it that the provider saw, over all"
    " seconds and in the busiest one.",
    "Beside a large queue without a rate: seconds until another organization's ten,"
    " and one message on its own at the end of that queue, had left.",
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the provider saw of one rate; both figures are shares of it."""

    rate: int
    mean: float
    busiest_second: float


def run(stage: Stage) -> Report:
    """Send at each rate with two workers, then beside a large queue."""
    at = arena(stage)
    ours = Ours(at, stage.size(LARGE, least=RATES[-1] * SECONDS))
    ours.second_worker()
    seen = [_at_rate(at, ours, rate) for rate in RATES]
    others, single = _beside_a_large_queue(at, ours, stage.size(LARGE, least=2_000))
    return Report(
        title="Rates and fairness",
        columns=("What", "Seen"),
        rows=[
            *(
                (f"{one.rate} per second: mean", f"{one.rate * one.mean:,.1f}/s")
                for one in seen
            ),
            *(
                (
                    f"{one.rate} per second: busiest second",
                    f"{one.rate * one.busiest_second:,.0f}",
                )
                for one in seen
            ),
            ("Another organization's ten", f"{others:.1f} s"),
            ("One message on its own", f"{single:.1f} s"),
        ],
        ratios={
            **{f"rate_{one.rate}": one.mean for one in seen},
            **{f"busiest_second_{one.rate}": one.busiest_second for one in seen},
        },
        raw={
            "rates": [asdict(one) for one in seen],
            "seconds_until_anothers_ten_left": others,
            "seconds_until_a_single_left": single,
        },
        targets=TARGETS,
        notes=NOTES,
    )


def _at_rate(at: Arena, ours: Ours, rate: int) -> Seen:
    integration, _ = ours.queue(f"At {rate}", rate * SECONDS, at.provider(), rate)
    before = at.counts()["accepted"]
    open_up(integration)
    # The workers may still be starting.
    _wait(lambda: at.counts()["accepted"] > before)
    samples: list[tuple[float, int]] = []
    ends_at = time.monotonic() + SECONDS - 1
    begun = time.monotonic() + WARM_UP
    while (now := time.monotonic()) < ends_at:
        if now >= begun:
            samples.append((now, at.counts()["accepted"] - before))
        time.sleep(SAMPLE_SECONDS)
    (first, least), (last, most) = samples[0], samples[-1]
    busiest = max(_within_a_second(samples))
    _wait(lambda: not _queued(integration))
    return Seen(rate, (most - least) / (last - first) / rate, busiest / rate)


def _within_a_second(samples: list[tuple[float, int]]) -> list[float]:
    """Return the messages of each second that begins at a sample."""
    found = []
    for at, count in samples:
        later = [one for one in samples if one[0] >= at + 1]
        if later:
            found.append((later[0][1] - count) / (later[0][0] - at))
    return found or [
        (b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(samples) if b[0] > a[0]
    ]


def _beside_a_large_queue(at: Arena, ours: Ours, messages: int) -> tuple[float, float]:
    large, _ = ours.queue("A large queue", messages, at.provider(100))
    other = ours.beside(FEW)
    few, _ = other.queue("Another's ten", FEW, at.provider(100))
    open_up(large)
    _wait(lambda: Message.objects.filter(integration=large, state="sent").exists())
    last = Message.objects.filter(integration=large).latest("pk")
    Message.objects.filter(pk=last.pk).update(priority=Priority.SINGLE)
    begun = time.monotonic()
    open_up(few)
    gone: dict[str, float] = {}

    def both_left() -> bool:
        now = time.monotonic() - begun
        if not _queued(few):
            gone.setdefault("few", now)
        if not Message.objects.filter(pk=last.pk, state="queued").exists():
            gone.setdefault("single", now)
        return len(gone) == 2

    _wait(both_left)
    assert _queued(large), "The large queue was gone before; take a larger one."
    return gone["few"], gone["single"]


def _queued(integration: Integration) -> bool:
    waiting = (MessageState.QUEUED, MessageState.SENDING)
    return Message.objects.filter(integration=integration, state__in=waiting).exists()


def _wait(is_done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONGEST_WAIT
    while not is_done():
        assert time.monotonic() < deadline, "It did not end in time."
        time.sleep(SAMPLE_SECONDS)
