"""``{% load charts %}``: a chart on a page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from resend_admin.ui.charts.card import ChartCard, Drawing
from resend_admin.ui.charts.rows import Strip
from resend_admin.ui.charts.stack import Piece
from resend_admin.ui.charts.table import ShownCell, Table

register = template.Library()


@register.filter
def pct(value: float) -> str:
    """``{{ mark.x|pct }}``: 12.34%, for the x and the width of what is drawn."""
    return f"{value:.2f}%"


@register.filter
def px(value: float) -> str:
    """``{{ mark.y|px }}``: 120.5, without separators of thousands."""
    return f"{value:.1f}"


@register.simple_tag
def pieces(found: Iterable[Piece]) -> SafeString:
    """Rectangles, up to some thousands: a loop in the template takes ten times as
    long. Only numbers and the names of colours are written."""
    return mark_safe(  # noqa: S308 # See above.
        "".join(
            f'<rect class="{one.colour}" x="{one.x:.3f}%" y="{one.y:.1f}" '
            f'width="{one.width:.3f}%" height="{one.height:.1f}"/>'
            for one in found
        )
    )


@register.simple_tag
def strips(found: Iterable[Strip]) -> SafeString:
    """The parts of a lying bar; only numbers and the names of colours are written."""
    return mark_safe(  # noqa: S308 # See above.
        "".join(
            f'<rect class="{one.colour}" x="{one.x:.2f}%" width="{one.width:.2f}%" '
            'height="100%"/>'
            for one in found
        )
    )


@register.simple_tag
def table_rows(table: Table) -> SafeString:
    """The body of a table, up to some hundreds of rows; every text is escaped."""
    return mark_safe(  # noqa: S308 # See above.
        "".join(
            f"<tr>{''.join(_cell(at, cell) for at, cell in enumerate(row))}</tr>"
            for row in table.shown_rows
        )
    )


def _cell(at: int, cell: ShownCell) -> str:
    if not at:
        return f'<th scope="row">{escape(cell.text)}</th>'
    opening = '<td class="num">' if cell.is_number else "<td>"
    return f"{opening}{escape(cell.text)}</td>"


@register.simple_tag
def drawing(drawing: Drawing, id: str, title: str = "") -> SafeString:
    """``{% drawing waterfall id="chain" title="Everybody once" %}``: no card around."""
    context: dict[str, Any] = {"drawing": drawing, "id": id, "title": title}
    return render_to_string(drawing.template, context)


@register.inclusion_tag("ui/charts/card.html")
def chart(card: ChartCard) -> dict[str, Any]:
    """``{% chart card %}``: the whole card."""
    return {"card": card}
