"""Where columns stand beside each other, and which of them get their label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

_WIDEST: Final = 20.0
"""Percent of the plot. A lonely column is no wall."""
_GAP_AFTER_APART: Final = 0.6
"""Of a place, behind a column that stands apart."""
_LABEL_STEPS: Final = (1, 2, 3, 5, 7, 10, 14, 20, 28, 35, 50, 70, 100)


class Place(NamedTuple):
    """The room of one column, in percent from the left, and the column inside it."""

    left: float
    room: float
    x: float
    width: float

    @property
    def middle(self) -> float:
        return self.left + self.room / 2


def places(number: int, gap: float, apart: Sequence[int] = ()) -> list[Place]:
    """Spread ``number`` columns over the whole width.

    ``gap`` is the share of each room that stays empty, ``apart`` the columns
    (counted from 0) that a wider gap follows. Few columns stand in the middle.
    """
    breaks = {one for one in apart if one < number - 1}
    if not number:
        return []
    room = min(100 / (number + len(breaks) * _GAP_AFTER_APART), _WIDEST)
    used = room * (number + len(breaks) * _GAP_AFTER_APART)
    left = max((100 - used) / 2, 0.0)
    found = []
    for one in range(number):
        width = room * (1 - gap)
        found.append(Place(left, room, left + (room - width) / 2, width))
        left += room * (1 + _GAP_AFTER_APART * (one in breaks))
    return found


def labelled(number: int, most: int) -> list[int]:
    """Which of ``number`` columns get a label, evenly apart, ``most`` at the most."""
    step = next(
        (one for one in _LABEL_STEPS if -(-number // one) <= most),
        -(-number // max(most, 1)),
    )
    return list(range(0, number, step))
