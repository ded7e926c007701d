"""A broadcast, its retries, their retries: each person counted once.

Everything is read from tallies and from what each retry took over, so it stands
when the rows are long gone. A person stands where the latest run left them:

- Reached is who has one message that was sent, delivered or read; of several of
  them, all but the first carry ``reached_before`` and do not count.
- A retry takes over failed (or unknown) members: their older rows do not count
  any more. ``Broadcast.took_over`` keeps how many stood where, and how many members
  a list brought in who were in no earlier run: they are aimed at from then on.
- A row that a retry took back before it left gives its member back to where they
  stood. A row withheld because its member had been reached counts nowhere.

A receipt that comes after a retry may move a row that was taken over. Whoever is
reached that way counts as reached; the rest is levelled, so that the parts always
add up to the members aimed at.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Q

from broadcasts.models import Broadcast
from broadcasts.models.broadcast import LIVE_STATES
from broadcasts.summary import Cause, Counters, Line, causes_of, counters
from broadcasts.taken_over import NEW, Stand, shares
from broadcasts.ways import rows, statement
from messaging.models import MessageState, SkipReason
from messaging.models.message import REACHED_STATES, WAITING_STATES

WAITING = (*WAITING_STATES, MessageState.SENDING)
LEVELLED = ("failed", "unknown", "skipped", "cancelled")
"""Which part gives way first when the parts are more than the whole."""


@dataclass(frozen=True, slots=True)
class ChainRun:
    """One broadcast of the chain."""

    broadcast: Broadcast
    counters: Counters
    is_current: bool
    reached_first: int
    """Members whom this run was the first to reach."""


@dataclass(frozen=True, slots=True)
class ChainSummary:
    """The whole chain in numbers of people. The parts add up to ``aimed``."""

    runs: list[ChainRun]
    aimed: int
    reached: int
    waiting: int
    unknown: int
    failed: int
    skipped: int
    cancelled: int
    causes: list[Cause] = field(default_factory=list)
    """Why those who count as failed failed last."""

    @property
    def is_chain(self) -> bool:
        return len(self.runs) > 1

    @property
    def is_moving(self) -> bool:
        """Whether some run may still change by itself."""
        return self.waiting > 0 or any(
            one.broadcast.state in LIVE_STATES for one in self.runs
        )

    @property
    def mark(self) -> str:
        """Changes whenever any run does; for polling."""
        return "-".join(
            f"{one.broadcast.pk}.{one.broadcast.state}.{one.counters.mark}"
            for one in self.runs
        )

    @property
    def sentence(self) -> str:
        """``10,000 aimed, 9,999 reached in 3 runs, 1 failed (Person blocked …)``."""
        started = sum(one.broadcast.started_at is not None for one in self.runs)
        runs = f" in {started} runs" if started > 1 else ""
        parts = [f"{self.aimed:,} aimed", f"{self.reached:,} reached{runs}"]
        named = (
            (self.waiting, "waiting"),
            (self.failed, "failed"),
            (self.unknown, "unknown"),
            (self.skipped, "skipped"),
            (self.cancelled, "cancelled"),
        )
        parts += [f"{number:,} {word}" for number, word in named if number]
        sentence = ", ".join(parts)
        if self.failed and len(self.causes) == 1:
            word = f"{self.failed:,} failed"
            sentence = sentence.replace(
                word, f"{word} ({self.causes[0].entry.title})", 1
            )
        return sentence


def summary(broadcast: Broadcast) -> ChainSummary:
    """Return the chain that this broadcast belongs to, by two queries."""
    return summaries([broadcast])[broadcast.pk]


def summaries(broadcasts: Iterable[Broadcast]) -> dict[int, ChainSummary]:
    """Return the chain of each of these, by two queries for all of them together."""
    wanted = list(broadcasts)
    roots = {one.chain_root_id for one in wanted}
    chains: dict[int, list[Broadcast]] = defaultdict(list)
    for one in (
        Broadcast.objects.filter(Q(pk__in=roots) | Q(root_id__in=roots))
        .select_related("organization")
        .order_by("pk")
    ):
        chains[one.chain_root_id].append(one)
    numbers = counters(one.pk for members in chains.values() for one in members)
    return {
        one.pk: _added_up(
            [
                ChainRun(
                    broadcast=member,
                    counters=numbers[member.pk],
                    is_current=member.pk == one.pk,
                    reached_first=_number(numbers[member.pk], REACHED_STATES),
                )
                for member in chains[one.chain_root_id]
            ]
        )
        for one in wanted
    }


def may_be_missed(broadcast: Broadcast) -> bool:
    """Whether the tallies leave it open that nobody has got through to some member.

    When as many are reached as the first run did not skip or take back, none is
    left. While a run is under way its members may count twice, so that says nothing.
    """
    whole = summary(broadcast)
    first = whole.runs[0].counters
    meant = whole.aimed - first.skipped - first.cancelled
    return whole.waiting > 0 or whole.reached < meant


def _added_up(runs: list[ChainRun]) -> ChainSummary:
    aimed = runs[0].counters.total + sum(_newcomers(run) for run in runs)
    reached = sum(run.reached_first for run in runs)
    waiting = sum(_number(run.counters, WAITING) for run in runs)
    waiting = min(waiting, max(aimed - reached, 0))
    standing = _standing(runs)
    parts = _levelled(standing, aimed - reached - waiting)
    return ChainSummary(
        runs=runs,
        aimed=aimed,
        reached=reached,
        waiting=waiting,
        causes=_failures(standing, parts["failed"]),
        **parts,
    )


def _number(numbers: Counters, states: Iterable[str]) -> int:
    return sum(line.number for line in _counting(numbers) if line.outcome in states)


def _counting(numbers: Counters) -> Iterable[Line]:
    """The lines of members who do not count elsewhere already."""
    return (
        line
        for line in numbers.lines
        if not line.reached_before and line.code != SkipReason.ALREADY_REACHED
    )


def _standing(runs: list[ChainRun]) -> Counter[Stand]:
    """Where those who were not reached and do not wait stand, by their last row."""
    by_run = {run.broadcast.pk: _unreached(run) for run in runs}
    for run in runs:
        for run_id, stand, number in _taken_over(run):
            older = by_run.get(run_id, Counter())
            older[stand] = max(older[stand] - number, 0)
    return sum(by_run.values(), Counter())


def _unreached(run: ChainRun) -> Counter[Stand]:
    stands: Counter[Stand] = Counter()
    for line in _counting(run.counters):
        if line.outcome in REACHED_STATES or line.outcome in WAITING:
            continue
        if line.outcome == MessageState.CANCELLED and run.broadcast.is_retry:
            continue
        stands[line.outcome, line.code] += line.number
    return stands


def keep_where_members_stood(retry: Broadcast) -> None:
    """Write down, from rows, whom the retry took over; so long as rows are there."""
    stood = rows(statement("took_over"), {"broadcast_id": retry.pk})
    retry.took_over = [list(one.values()) for one in stood]
    retry.save(update_fields=["took_over"])


def _taken_over(run: ChainRun) -> list[tuple[int, Stand, int]]:
    """Where the members of a retry stood, without those it gave back."""
    given_back = sum(line.number for line in run.counters.lines if _is_given_back(line))
    return shares(run.broadcast.took_over, run.counters.total - given_back)


def _is_given_back(line: Line) -> bool:
    is_taken_back = line.outcome == MessageState.CANCELLED
    return is_taken_back and line.code != SkipReason.ALREADY_REACHED


def _newcomers(run: ChainRun) -> int:
    """Return how many members came into the chain by the list of this run."""
    return sum(number for _, (state, _), number in _taken_over(run) if state == NEW)


def _levelled(standing: Counter[Stand], whole: int) -> dict[str, int]:
    """Make the parts add up to the whole."""
    parts = dict.fromkeys(LEVELLED, 0)
    for (state, _), number in standing.items():
        parts[state] += number
    surplus = sum(parts.values()) - max(whole, 0)
    if surplus < 0:
        parts["failed"] -= surplus
        return parts
    for name in LEVELLED:
        less = min(parts[name], surplus)
        parts[name] -= less
        surplus -= less
    return parts


def _failures(standing: Counter[Stand], failed: int) -> list[Cause]:
    """The causes of so many failures; the commonest give way when they are more."""
    numbers = Counter(
        {
            code: number
            for (state, code), number in standing.items()
            if state == "failed"
        }
    )
    surplus = sum(numbers.values()) - failed
    for code, number in numbers.most_common():
        less = min(number, max(surplus, 0))
        numbers[code] -= less
        surplus -= less
    return causes_of(numbers.items())
