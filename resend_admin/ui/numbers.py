"""Numbers as people read them."""

from __future__ import annotations

from math import floor

DASH = "–"
"""What stands where there is nothing to show."""

NARROW_SPACE = "\u202f"


def grouped(value: float | None) -> str:
    """``12345`` as ``12,345``; nothing as a dash."""
    return DASH if value is None else f"{value:,}"


def share(part: float | None, whole: float | None) -> float:
    """``part`` of ``whole`` in percent, between 0 and 100; 0 of nothing is 0."""
    if not part or not whole:
        return 0.0
    return min(max(100.0 * part / whole, 0.0), 100.0)


def whole_percent(part: float | None, whole: float | None) -> int:
    """The share to the nearest whole percent; 100 only when nothing is missing."""
    value = share(part, whole)
    return 100 if value == 100 else min(floor(value + 0.5), 99)


def percent_text(part: float | None, whole: float | None) -> str:
    """The share as ``95 %``, to the nearest; 100 % means everyone and 0 % nobody.

    Below 1 and above 99 one decimal is shown. What is more than nothing and less
    than 0.1 % reads ``under 0.1 %``; what is less than everyone, 99.9 % at most.
    """
    if not whole:
        return DASH
    value = share(part, whole)
    if value in {0.0, 100.0}:
        text = f"{value:.0f}"
    elif value < 0.1:
        text = "under 0.1"
    elif value < 1 or value > 99:
        text = f"{min(floor(value * 10 + 0.5) / 10, 99.9):g}"
    else:
        text = f"{whole_percent(part, whole)}"
    return f"{text}{NARROW_SPACE}%"
