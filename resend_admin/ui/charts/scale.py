"""From values to pixels: how high the axis goes, where its lines are, how high a bar.

Everything a chart draws stands between ``TOP`` and ``TOP + HEIGHT`` pixels from the
upper edge of its SVG. Across it is measured in percent, so that a chart stretches
with its card and its text keeps its size.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Final, NamedTuple

from resend_admin.ui.numbers import NARROW_SPACE

TOP: Final = 24.0
"""Pixels above the plot, where the number of the highest bar stands."""
HEIGHT: Final = 200.0
"""Pixels from the base line to the highest guide line."""
BASE: Final = TOP + HEIGHT
LEAST: Final = 2.0
"""Pixels. One among ten million can still be seen."""

_STEPS: Final = (1.0, 2.0, 2.5, 3.0, 5.0, 10.0)
_MOST_LINES: Final = 4
_WORDS: Final = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


class Tick(NamedTuple):
    """A guide line: its value, its place in pixels and what stands beside it."""

    value: float
    y: float
    label: str


def checked(values: Sequence[float]) -> None:
    """Raise ``ValueError`` for less than nothing and for what is no number."""
    for value in values:
        if not isfinite(value) or value < 0:
            raise ValueError(f"A chart cannot draw {value}.")


def count_ticks(largest: float) -> list[Tick]:
    """Lines for counts: whole numbers from 0 to at least ``largest``, evenly apart."""
    step = _step(largest)
    lines = 1
    while step * lines < largest:
        lines += 1
    top = step * lines
    return [
        Tick(step * line, y_of(step * line, top), compact(step * line))
        for line in range(lines + 1)
    ]


def percent_ticks() -> list[Tick]:
    """Lines for shares: always 0 to 100, so that charts can be compared."""
    return [
        Tick(value, y_of(value, 100), f"{value}{NARROW_SPACE}%")
        for value in (0, 25, 50, 75, 100)
    ]


def y_of(value: float, top: float) -> float:
    """Where ``value`` stands when the axis ends at ``top``, in pixels."""
    return BASE - HEIGHT * value / top


def height_of(value: float, top: float) -> float:
    """How high ``value`` is drawn, in pixels; what is not nothing can be seen."""
    return max(HEIGHT * value / top, LEAST) if value else 0.0


def compact(value: float) -> str:
    """``12000`` as ``12k``; for axes and the tops of bars. Cut, never rounded up."""
    for size, word in _WORDS:
        if value >= size:
            scaled = value / size
            digits = int(scaled * 10) / 10 if scaled < 10 else int(scaled)
            return f"{digits:g}{word}"
    return f"{value:g}"


def _step(largest: float) -> float:
    """The smallest round distance that reaches ``largest`` in four lines."""
    size = 1.0
    while True:
        for step in _STEPS:
            whole = step * size
            if whole * _MOST_LINES >= largest and whole == int(whole):
                return whole
        size *= 10
