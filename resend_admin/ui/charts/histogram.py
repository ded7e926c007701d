"""How a quantity is spread: a bar per range, and lines where the middle lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

from resend_admin.ui.charts import scale
from resend_admin.ui.charts.bars import Bar, BarMark
from resend_admin.ui.charts.columns import labelled, places

MOST_LABELS: Final = 8
_GAP: Final = 0.14
_ROWS_OF_LABELS: Final = (-18.0, -3.0)
"""Pixels from the upper edge, in the margin above: no number of a bar is there, and
two lines close together do not share a row."""


@dataclass(frozen=True, slots=True)
class Marker:
    """A line through the plot. ``at`` counts in ranges: 2.5 is the middle of the
    third one."""

    label: str
    at: float


class HistogramMark(NamedTuple):
    bar: BarMark
    has_label: bool
    is_second: bool
    """Its label goes away where the card is narrow."""
    drops_value: bool
    """Its number too."""


class MarkerMark(NamedTuple):
    label: str
    x: float
    label_y: float
    anchor: str
    shift: int
    """Pixels between the line and its label."""


@dataclass(frozen=True, slots=True)
class Histogram:
    template: ClassVar[str] = "ui/charts/histogram.html"

    bars: Sequence[Bar]
    description: str
    markers: Sequence[Marker] = ()

    def __post_init__(self) -> None:
        scale.checked([one.value or 0 for one in self.bars])

    @property
    def is_empty(self) -> bool:
        return not any(one.value for one in self.bars)

    @property
    def ticks(self) -> list[scale.Tick]:
        return scale.count_ticks(max((one.value or 0 for one in self.bars), default=0))

    @property
    def marks(self) -> list[HistogramMark]:
        top = self.ticks[-1].value
        chosen = labelled(len(self.bars), MOST_LABELS)
        found = []
        for at, (bar, place) in enumerate(
            zip(self.bars, places(len(self.bars), _GAP), strict=True)
        ):
            height = scale.height_of(bar.value or 0, top)
            mark = BarMark(bar, place, scale.BASE - height, height)
            is_second = at in chosen and bool(chosen.index(at) % 2)
            drops = len(self.bars) > MOST_LABELS and bool(at % 2)
            found.append(HistogramMark(mark, at in chosen, is_second, drops))
        return found

    @property
    def marker_marks(self) -> list[MarkerMark]:
        """The lines from left to right, each label on the side where there is room."""
        rooms = places(len(self.bars), _GAP)
        if not rooms:
            return []
        found = []
        ordered = sorted(self.markers, key=lambda one: one.at)
        for number, marker in enumerate(ordered):
            at = min(max(marker.at, 0.0), float(len(rooms)))
            room = rooms[min(int(at), len(rooms) - 1)]
            x = room.left + room.room * min(at - min(int(at), len(rooms) - 1), 1.0)
            is_right = x > 65
            found.append(
                MarkerMark(
                    marker.label,
                    x,
                    _ROWS_OF_LABELS[number % len(_ROWS_OF_LABELS)],
                    "end" if is_right else "start",
                    -5 if is_right else 5,
                )
            )
        return found

    @property
    def height(self) -> float:
        """Of the whole SVG in pixels."""
        return scale.BASE + 24
