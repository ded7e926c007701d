"""The ways out of a broadcast, as the statements that choose among them need them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from broadcasts.models import Broadcast, BroadcastKind, Route, RouteRole
from messaging.channels.contract import Channel, ContentKind
from messaging.dispatch.statements import part
from messaging.models import Content, SkipReason
from messaging.sql_files import SqlFiles, rows_of

FILES = SqlFiles(__file__)


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
def statement(name: str, **others: str) -> str:
    """Return ``sql/<name>.sql`` with its shared parts put in."""
    text = FILES.text(name).replace("{routes}", FILES.text("routes").strip())
    text = text.replace("{choice}", FILES.text("choose_route"))
    text = text.replace("{parts_held}", part("parts_held"))
    for marker, other in others.items():
        text = text.replace(f"{{{marker}}}", other)
    return text


rows = rows_of
