"""A chart with everything that belongs to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

from resend_admin.ui.charts.table import Table


class Drawing(Protocol):
    """What every kind of chart has."""

    template: ClassVar[str]

    @property
    def description(self) -> str: ...

    @property
    def is_empty(self) -> bool: ...


class LegendItem(Protocol):
    """A name and a colour; a ``Series`` is one."""

    @property
    def label(self) -> str: ...

    @property
    def colour(self) -> str: ...


@dataclass(frozen=True, slots=True)
class ChartCard:
    """Title, what was found in one sentence, legend, drawing, table, file.

    ``key`` is unique on the page and names the file.
    """

    key: str
    title: str
    finding: str
    drawing: Drawing
    table: Table
    csv_url: str = ""
    legend: tuple[LegendItem, ...] = ()
    """In the order of the layers."""
    note: str = ""
    """What one has to know to read it; always visible."""
    definitions: tuple[str, ...] = ()
    """How the numbers are defined, a paragraph each; folded away."""
    nothing: str = "Nothing to show for this choice."
    """What stands in the place of a drawing that has no data."""
