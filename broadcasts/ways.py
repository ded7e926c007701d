"""The ways out of a broadcast, as the statements that choose among them need them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.db import connection

from broadcasts.models import Broadcast, BroadcastKind, Route, RouteRole
from messaging.channels.contract import Channel, ContentKind
from messaging.models import Content, SkipReason

FOLDER = Path(__file__).parent / "sql"


@dataclass(frozen=True, slots=True)
class Way:
    """One route or fallback. ``place`` 1 is tried first."""

    place: int
    is_fallback: bool
    integration_id: int
    content_id: int | None
    channel: str
    needs_window: bool


def ways_of(broadcast: Broadcast) -> list[Way]:
    """Return the routes in their order, then the fallbacks in theirs."""
    routes = list(
        Route.objects.filter(broadcast=broadcast)
        .select_related("integration")
        .order_by("position")
    )
    routes.sort(key=lambda one: one.role == RouteRole.FALLBACK)
    is_free_form = _is_free_form(broadcast)
    return [
        Way(
            place=place,
            is_fallback=route.role == RouteRole.FALLBACK,
            integration_id=route.integration_id,
            content_id=route.content_id or broadcast.content_id,
            channel=route.integration.channel,
            needs_window=(
                route.content_id is None
                and is_free_form
                and route.integration.channel == Channel.WHATSAPP
            ),
        )
        for place, route in enumerate(routes, start=1)
    ]


def _is_free_form(broadcast: Broadcast) -> bool:
    """Whether WhatsApp takes the content only while the 24-hour window is open.

    A template opens the window for what follows it.
    """
    if broadcast.kind == BroadcastKind.TEMPLATE or broadcast.content is None:
        return False
    return first_part_kind(broadcast.content) != ContentKind.TEMPLATE


def first_part_kind(content: Content) -> str:
    parts = content.payload.get("parts") or [{"kind": content.kind}]
    kind: str = parts[0]["kind"]
    return kind


def refusal(broadcast: Broadcast) -> str:
    """Return the reason why nobody at all gets this broadcast now, or nothing."""
    if broadcast.kind == BroadcastKind.FLOW and (
        broadcast.flow is None
        or not broadcast.flow.is_published
        or broadcast.content_id is None
    ):
        return SkipReason.FLOW_UNPUBLISHED
    return ""


def way_columns(ways: list[Way]) -> dict[str, list[Any]]:
    """Return the ways as one array per column, to ``unnest``."""
    return {
        name: [getattr(way, name) for way in ways] for name in Way.__dataclass_fields__
    }


@lru_cache(maxsize=64)
def statement(name: str, **parts: str) -> str:
    """Return ``sql/<name>.sql`` with its shared parts put in."""
    text = _text(name).replace("{routes}", _text("routes").strip())
    text = text.replace("{choice}", _text("choose_route"))
    for marker, part in parts.items():
        text = text.replace(f"{{{marker}}}", part)
    return text


def _text(name: str) -> str:
    return (FOLDER / f"{name}.sql").read_text()


def rows(text: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Run a statement and return its rows as dictionaries."""
    with connection.cursor() as cursor:
        cursor.execute(text, parameters)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
