"""The numbers of a chart as a table, the same on the page and in the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from resend_admin.ui.durations import duration_text
from resend_admin.ui.numbers import DASH, NARROW_SPACE, grouped, percent_text


class Share(NamedTuple):
    """A part of a whole: ``82 %`` on the page, ``82.4`` in the file."""

    part: float
    whole: float

    @property
    def percent(self) -> float | None:
        return round(100 * self.part / self.whole, 1) if self.whole else None


Cell = str | int | Decimal | date | timedelta | Share | None


class ShownCell(NamedTuple):
    text: str
    is_number: bool


@dataclass(frozen=True, slots=True)
class Table:
    """``head`` names the columns; the first cell of each row names the row.

    A column of the file that stands for a share says ``(percent)`` and one for a
    duration ``(seconds)``, because the file has bare numbers.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    @property
    def numbers(self) -> list[bool]:
        """Which columns are numbers and stand to the right."""
        return [
            any(_is_number(row[at]) for row in self.rows)
            for at in range(len(self.head))
        ]

    @property
    def shown_head(self) -> list[ShownCell]:
        return [
            ShownCell(text, number)
            for text, number in zip(self.head, self.numbers, strict=True)
        ]

    @property
    def shown_rows(self) -> list[list[ShownCell]]:
        numbers = self.numbers
        return [
            [
                ShownCell(shown(cell), number)
                for cell, number in zip(row, numbers, strict=True)
            ]
            for row in self.rows
        ]

    @property
    def written_head(self) -> list[str]:
        return [f"{text}{self._unit(at)}" for at, text in enumerate(self.head)]

    @property
    def written_rows(self) -> list[list[object]]:
        return [[written(cell) for cell in row] for row in self.rows]

    def _unit(self, at: int) -> str:
        kinds = {type(row[at]) for row in self.rows}
        if Share in kinds:
            return " (percent)"
        return " (seconds)" if timedelta in kinds else ""


def shown(cell: Cell) -> str:
    """As people read it."""
    match cell:
        case None:
            return DASH
        case str():
            return cell
        case Share():
            return percent_text(cell.part, cell.whole)
        case timedelta():
            return duration_text(cell)
        case date():
            return f"{cell:%a} {cell.day} {cell:%b %Y}"
        case Decimal():
            return f"{cell.normalize():,f}"
        case _:
            return grouped(cell)


def written(cell: Cell) -> object:
    """As programs read it."""
    match cell:
        case str():
            return cell.replace(NARROW_SPACE, " ")
        case Share():
            return cell.percent
        case timedelta():
            return round(cell.total_seconds())
        case date():
            return cell.isoformat()
        case _:
            return cell


def _is_number(cell: Cell) -> bool:
    return isinstance(cell, int | Decimal | Share | timedelta)
