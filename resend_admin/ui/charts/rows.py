"""Lying bars, one per line of text: for names too long to stand below a column.

The text is HTML and wraps; only the bar is drawn. So nothing is cut off at any width,
names can be links, and a screen reader reads a list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

from resend_admin.ui.charts.scale import checked

LEAST_WIDTH: Final = 0.6
"""Percent of the row."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a row is made of, from left to right."""

    value: float
    colour: str


@dataclass(frozen=True, slots=True)
class Row:
    label: str
    shown: str
    """The number at the end of the line."""
    parts: Sequence[Part]
    second: str = ""
    """A muted line below the label."""
    href: str = ""

    @property
    def total(self) -> float:
        return sum(one.value for one in self.parts)


class Strip(NamedTuple):
    """A drawn part, in percent of the row."""

    colour: str
    x: float
    width: float


class RowMark(NamedTuple):
    row: Row
    strips: list[Strip]


@dataclass(frozen=True, slots=True)
class HorizontalBars:
    """Rows in the order given; the longest one fills its line unless ``whole`` says
    what a full line means (100 for shares)."""

    template: ClassVar[str] = "ui/charts/rows.html"

    rows: Sequence[Row]
    description: str
    whole: float = 0

    def __post_init__(self) -> None:
        checked([part.value for row in self.rows for part in row.parts])

    @property
    def is_empty(self) -> bool:
        return not any(row.total for row in self.rows)

    @property
    def marks(self) -> list[RowMark]:
        whole = max(self.whole, max((row.total for row in self.rows), default=0))
        return [RowMark(row, strips(row.parts, whole)) for row in self.rows]


def strips(parts: Sequence[Part], whole: float) -> list[Strip]:
    """Lay the parts side by side. Small ones are drawn wide enough to be seen, at the
    cost of the widest."""
    if not whole:
        return []
    drawn = [one for one in parts if one.value]
    true = [100 * one.value / whole for one in drawn]
    widths = [max(one, LEAST_WIDTH) for one in true]
    excess = sum(widths) - sum(true)
    if excess > 0:
        widest = widths.index(max(widths))
        widths[widest] = max(widths[widest] - excess, LEAST_WIDTH)
    left = 0.0
    found = []
    for one, width in zip(drawn, widths, strict=True):
        found.append(Strip(one.colour, left, width))
        left += width
    return found
