"""A waterfall: how a whole is used up, step by step, everybody once.

Each step begins where the one before it ended, so the steps together are as long as
the whole. It lies on its side, a line of text and a bar per step, because steps have
names (“By retry 1”) and may be many.

    drawing = Waterfall(
        whole=Step("Aimed at", 10_000, "rest"),
        steps=[
            Step("Reached at first", 8_200, "d1", href=messages_of(…)),
            Step("By retry 1", 1_400, "d2"),
            Step("By retry 2", 210, "d2"),
            Step("Waiting", 0, "d3"),
            Step("Unknown", 12, "d3", second="Nobody can tell whether it arrived."),
            Step("Skipped", 28, "idle"),
            Step("Will never be reached", 150, "d4"),
        ],
        description="Of 10,000 members 9,810 were reached in 3 runs.",
    )
    card = ChartCard("chain", "Everybody once", finding, drawing, table, csv_url)

and on the page ``{% load charts %}{% chart card %}``. Without a card around it:
``{% drawing waterfall id="chain" %}``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

from resend_admin.ui.charts.scale import checked
from resend_admin.ui.numbers import grouped, percent_text

LEAST_WIDTH: Final = 0.6
"""Percent of the row."""


@dataclass(frozen=True, slots=True)
class Step:
    """``colour``: d1 reached at first, d2 by a retry, d3 waiting or unknown, d4 never,
    idle left out on purpose, rest the whole itself."""

    label: str
    value: int
    colour: str
    second: str = ""
    """A muted line below the label."""
    href: str = ""

    @property
    def shown(self) -> str:
        return grouped(self.value)


class StepMark(NamedTuple):
    """Where the bar of a step begins and how wide it is, in percent."""

    step: Step
    x: float
    width: float
    share: str
    ends_at: float
    """Where the next step begins: a thin line leads there."""
    is_last: bool


@dataclass(frozen=True, slots=True)
class Waterfall:
    """Steps that are nothing are left out unless ``keeps_empty``."""

    template: ClassVar[str] = "ui/charts/waterfall.html"

    whole: Step
    steps: Sequence[Step]
    description: str
    keeps_empty: bool = False

    def __post_init__(self) -> None:
        checked([self.whole.value, *(one.value for one in self.steps)])
        if sum(one.value for one in self.steps) > self.whole.value:
            raise ValueError("The steps of a waterfall add up to more than the whole.")

    @property
    def is_empty(self) -> bool:
        return not self.whole.value

    @property
    def marks(self) -> list[StepMark]:
        """The whole first, then the steps in their order."""
        whole = self.whole.value
        kept = [one for one in self.steps if one.value or self.keeps_empty]
        if not whole:
            return [
                StepMark(one, 0.0, 0.0, "", 0.0, one is kept[-1] if kept else True)
                for one in [self.whole, *kept]
            ]
        found = [StepMark(self.whole, 0.0, 100.0, "", 0.0, not kept)]
        used = 0
        for number, one in enumerate(kept):
            start = 100 * used / whole
            used += one.value
            end = 100 * used / whole
            width = max(end - start, LEAST_WIDTH) if one.value else 0.0
            # What is drawn wider than it is ends where it should and begins earlier
            # only at the right edge.
            x = min(start, 100 - width)
            share = percent_text(one.value, whole)
            is_last = number == len(kept) - 1
            found.append(StepMark(one, x, width, share, end, is_last))
        return found
