"""Upright bars, each with its number on top and a second number below its label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

from resend_admin.ui.charts import scale
from resend_admin.ui.charts.columns import Place, places

_GAP: Final = 0.36


@dataclass(frozen=True, slots=True)
class Bar:
    """``value`` is a count, or a share in percent; nothing known is ``None``."""

    label: str
    value: float | None
    shown: str = ""
    """What stands on top; without it the count in short."""
    colour: str = "d1"
    below: str = ""
    """A second line under the label: how many tries are behind it."""
    prefix: str = ""
    """What the label begins with where there is room: ``Retry``."""
    stands_apart: bool = False
    """A wider gap follows it."""


class BarMark(NamedTuple):
    bar: Bar
    place: Place
    y: float
    height: float

    @property
    def text(self) -> str:
        if self.bar.value is None:
            return "–"
        return self.bar.shown or scale.compact(self.bar.value)

    @property
    def text_y(self) -> float:
        return self.y - 8


@dataclass(frozen=True, slots=True)
class VerticalBars:
    """Bars beside each other, in the order given."""

    template: ClassVar[str] = "ui/charts/bars.html"

    bars: Sequence[Bar]
    description: str
    """The chart in a sentence, for those who do not see it."""
    in_percent: bool = False
    label_caption: str = ""
    """What the labels count, at the left of them: ``resend``."""
    below_caption: str = ""
    """What the second lines count: ``tries``."""

    def __post_init__(self) -> None:
        scale.checked([one.value for one in self.bars if one.value is not None])

    @property
    def is_empty(self) -> bool:
        return all(one.value is None for one in self.bars)

    @property
    def ticks(self) -> list[scale.Tick]:
        if self.in_percent:
            return scale.percent_ticks()
        return scale.count_ticks(max((one.value or 0 for one in self.bars), default=0))

    @property
    def marks(self) -> list[BarMark]:
        top = self.ticks[-1].value
        apart = [at for at, one in enumerate(self.bars) if one.stands_apart]
        found = []
        for bar, place in zip(
            self.bars, places(len(self.bars), _GAP, apart), strict=True
        ):
            height = scale.height_of(bar.value or 0, top)
            found.append(BarMark(bar, place, scale.BASE - height, height))
        return found

    @property
    def height(self) -> float:
        """Of the whole SVG in pixels."""
        return scale.BASE + (42 if any(one.below for one in self.bars) else 24)
