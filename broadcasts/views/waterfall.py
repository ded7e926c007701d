"""All runs of a chain as one waterfall: each person once, the whole used up."""

from __future__ import annotations

from collections.abc import Iterator

from broadcasts.chain import ChainRun, ChainSummary
from broadcasts.summary import Cause
from broadcasts.views.links import page_of
from broadcasts.views.outcomes import short_title
from messaging.channels.catalogue import ErrorClass
from resend_admin.ui.charts import ChartCard, Share, Step, Table, Waterfall
from resend_admin.ui.charts.table import Cell
from resend_admin.ui.numbers import grouped

CAUSES_NAMED = 3
DEFINITIONS = (
    "Each member counts once, where the latest run left them. Whoever several runs"
    " reached counts for the first that did.",
    "Reached means sent, delivered or read: not every provider says that a message"
    " arrived. A receipt that comes later moves a member to where it belongs.",
)


def card(chain: ChainSummary, csv_url: str) -> ChartCard:
    """Return the chart with its sentence and its table. The steps add up."""
    steps = [one for one in steps_of(chain) if one.value]
    # A receipt may count somebody twice for as long as it takes to note them.
    aimed = max(chain.aimed, sum(one.value for one in steps))
    finding = f"{chain.sentence}."
    whole = Step("Aimed at", aimed, "rest")
    rows: list[list[Cell]] = [
        [one.label, one.value, Share(one.value, aimed)] for one in (whole, *steps)
    ]
    return ChartCard(
        "waterfall",
        "All runs together",
        finding,
        Waterfall(whole, steps, description=finding),
        Table(["Where they stand", "Members", "Share"], rows),
        csv_url,
        definitions=DEFINITIONS,
        nothing="Nobody has been aimed at yet.",
    )


def steps_of(chain: ChainSummary) -> Iterator[Step]:
    """Yield how the members aimed at are used up; nothing is left over."""
    yield from _reached(chain)
    never = [one for one in chain.causes if one.entry.error_class is ErrorClass.NEVER]
    lost = sum(one.count for one in never)
    hopeful = [one for one in chain.causes if one not in never]
    yield Step("Waiting", chain.waiting, "d3")
    yield Step(
        "Unknown", chain.unknown, "d3", "Nobody can tell yet whether it arrived."
    )
    yield Step("Failed, may be retried", chain.failed - lost, "d4", _named(hopeful))
    yield Step("Will never be reached", lost, "d4", _named(never))
    yield Step("Skipped", chain.skipped, "idle")
    yield Step("Cancelled", chain.cancelled, "idle")


def _reached(chain: ChainSummary) -> Iterator[Step]:
    for number, run in enumerate(chain.runs):
        label = f"By retry {number}" if number else "Reached at first"
        colour = "d2" if number else "d1"
        yield Step(label, run.reached_first, colour, _name(run), _url(run))


def _name(run: ChainRun) -> str:
    return "This one" if run.is_current else run.broadcast.name


def _url(run: ChainRun) -> str:
    return "" if run.is_current else page_of(run.broadcast)


def _named(causes: list[Cause]) -> str:
    """``Bot was blocked 12, Number is wrong 3 and others``."""
    named = [
        f"{short_title(one.entry)} {grouped(one.count)}"
        for one in causes[:CAUSES_NAMED]
    ]
    return ", ".join(named) + " and others" * (len(causes) > CAUSES_NAMED)
