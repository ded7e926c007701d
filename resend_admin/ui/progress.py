"""Progress as segments of one bar.

The bar is SVG with its widths in percent of the place it gets, because a policy
of ``style-src 'self'`` leaves no ``style="width: …"``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .numbers import grouped, percent_text, share, whole_percent

LEAST_WIDTH = 0.6
"""Percent of the bar. One failure among a hundred thousand can still be seen."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One kind of outcome.

    ``colour`` keeps its meaning on every page: ``d1`` delivered (first time),
    ``d2`` delivered after a retry, ``d3`` waiting to retry or under way,
    ``d4`` failed for good, ``idle`` left out on purpose, ``rest`` not tried yet
    (counted in the legend, not drawn).
    """

    label: str
    value: int
    colour: str
    href: str = ""


class Bar(NamedTuple):
    """Left edge and width in percent, written for SVG."""

    colour: str
    left: str
    width: str


@dataclass(frozen=True, slots=True)
class Progress:
    """``total`` members, of whom each segment holds a part."""

    total: int
    segments: Sequence[Segment]
    noun: str = "messages"
    verb: str = "settled"
    """What has become of those who came to rest."""

    @property
    def settled(self) -> int:
        """How many have come to rest: not waiting and not untried."""
        moving = {"d3", "rest"}
        return sum(each.value for each in self.segments if each.colour not in moving)

    @property
    def percent(self) -> str:
        return percent_text(self.settled, self.total)

    @property
    def percent_now(self) -> int:
        """Whole percent for ``aria-valuenow``; 100 only when all are settled."""
        return whole_percent(self.settled, self.total)

    @property
    def sentence(self) -> str:
        """The bar in words, for those who do not see it."""
        parts = ", ".join(
            f"{grouped(each.value)} {each.label.lower()}"
            for each in self.segments
            if each.value
        )
        settled = f"{grouped(self.settled)} of {grouped(self.total)} {self.noun}"
        said = f"{settled} {self.verb}"
        return f"{said}: {parts}" if parts else said

    @property
    def bars(self) -> list[Bar]:
        """The drawn segments. Small ones get :data:`LEAST_WIDTH`, taken from the
        widest, so that the sum stays what it was."""
        drawn = [each for each in self.segments if each.value and each.colour != "rest"]
        if not drawn or not self.total:
            return []
        widths = [share(each.value, self.total) for each in drawn]
        grown = [max(width, LEAST_WIDTH) for width in widths]
        widest = grown.index(max(grown))
        grown[widest] = max(grown[widest] - (sum(grown) - sum(widths)), LEAST_WIDTH)
        left = 0.0
        bars = []
        for each, width in zip(drawn, grown, strict=True):
            bars.append(Bar(each.colour, f"{left:.2f}%", f"{width:.2f}%"))
            left += width
        return bars
