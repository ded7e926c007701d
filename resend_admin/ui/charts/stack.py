"""Stacked columns: what a total is made of, day after day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

from resend_admin.ui.charts import scale
from resend_admin.ui.charts.columns import Place, labelled, places
from resend_admin.ui.numbers import grouped

MOST_LABELS: Final = 8
MOST_DRAWN_TIPS: Final = 62
"""Beyond, a column is so narrow that the browser's own tooltip serves better."""
MOST_WITH_GAPS: Final = 120
_TIP_LINE: Final = 18.0
_TIP_PADDING: Final = 10.0
_LETTER: Final = 6.7
"""Pixels a letter of 12 px takes at the most, on average."""


@dataclass(frozen=True, slots=True)
class Series:
    """One layer; layers stand in the order given, the first at the bottom."""

    label: str
    colour: str


@dataclass(frozen=True, slots=True)
class Column:
    label: str
    """Short, below the column: ``22 Oct``."""
    title: str
    """In full, in its tooltip: ``Thu 22 Oct 2026``."""
    values: Sequence[int]
    """One per series."""

    @property
    def total(self) -> int:
        return sum(self.values)


class Piece(NamedTuple):
    """A rectangle: percent across, pixels down."""

    colour: str
    x: float
    width: float
    y: float
    height: float


class Label(NamedTuple):
    text: str
    x: float
    anchor: str
    is_second: bool
    """Goes away where the card is narrow."""


class TipLine(NamedTuple):
    colour: str
    text: str
    y: float


class Tip(NamedTuple):
    place: Place
    title: str
    lines: list[TipLine]
    shift: float
    """Pixels from the middle of the column to the left edge of the box."""
    width: float
    height: float

    @property
    def words(self) -> str:
        return "\n".join([self.title, *(one.text for one in self.lines)])


@dataclass(frozen=True, slots=True)
class StackedColumns:
    """One column per day, up to some four hundred of them."""

    template: ClassVar[str] = "ui/charts/stack.html"

    series: Sequence[Series]
    columns: Sequence[Column]
    description: str

    def __post_init__(self) -> None:
        for column in self.columns:
            scale.checked(column.values)
            if len(column.values) != len(self.series):
                raise ValueError(f"{column.title} needs {len(self.series)} values.")

    @property
    def is_empty(self) -> bool:
        return not any(column.total for column in self.columns)

    @property
    def is_dense(self) -> bool:
        return len(self.columns) > MOST_WITH_GAPS

    @property
    def has_drawn_tips(self) -> bool:
        return len(self.columns) <= MOST_DRAWN_TIPS

    @property
    def ticks(self) -> list[scale.Tick]:
        return scale.count_ticks(max((one.total for one in self.columns), default=0))

    @property
    def places(self) -> list[Place]:
        number = len(self.columns)
        gap = 0.0 if self.is_dense else 0.18 if number <= MOST_DRAWN_TIPS else 0.12
        return places(number, gap)

    @property
    def pieces(self) -> list[Piece]:
        """Every rectangle, column by column from the bottom up."""
        top = self.ticks[-1].value
        found = []
        for column, place in zip(self.columns, self.places, strict=True):
            y = scale.BASE
            for one, height in zip(
                self.series, _heights(column.values, top), strict=True
            ):
                if height:
                    y -= height
                    found.append(Piece(one.colour, place.x, place.width, y, height))
        return found

    @property
    def labels(self) -> list[Label]:
        chosen = labelled(len(self.columns), MOST_LABELS)
        spread = self.places
        found = []
        for number, at in enumerate(chosen):
            is_at_the_edge = spread[at].middle > 95
            x = 100.0 if is_at_the_edge else spread[at].middle
            anchor = "end" if is_at_the_edge else "middle"
            found.append(Label(self.columns[at].label, x, anchor, bool(number % 2)))
        return found

    @property
    def tips(self) -> list[Tip]:
        """What the pointer uncovers, in the order in which the eye meets the layers:
        from the top down."""
        found = []
        for column, place in zip(self.columns, self.places, strict=True):
            lines: list[TipLine] = []
            for one, value in reversed(
                list(zip(self.series, column.values, strict=True))
            ):
                if value:
                    y = _TIP_PADDING + _TIP_LINE * (len(lines) + 1.7)
                    text = f"{one.label}: {grouped(value)}"
                    lines.append(TipLine(one.colour, text, y))
            if not lines:
                y = _TIP_PADDING + _TIP_LINE * 1.7
                lines.append(TipLine("", "No messages", y))
            longest = max(len(column.title), *(len(line.text) + 3 for line in lines))
            width = longest * _LETTER + 2 * _TIP_PADDING
            height = _TIP_LINE * (len(lines) + 1) + 2 * _TIP_PADDING
            shift = 14.0 if place.middle < 50 else -14.0 - width
            found.append(Tip(place, column.title, lines, shift, width, height))
        return found

    @property
    def height(self) -> float:
        """Of the whole SVG in pixels."""
        return scale.BASE + 24


def _heights(values: Sequence[int], top: float) -> list[float]:
    """How high each layer is. What makes a small one visible is taken from the
    highest one, so that the column ends where its total does."""
    heights = [scale.height_of(value, top) for value in values]
    excess = sum(heights) - scale.HEIGHT * sum(values) / top
    if excess > 0 and heights:
        highest = heights.index(max(heights))
        heights[highest] = max(heights[highest] - excess, scale.LEAST)
    return heights
