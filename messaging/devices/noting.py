"""Write down what is known of a phone; whatever speaks of an earlier moment loses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

from django.db import connection, transaction

from messaging.channels.gateway_hooks import DEVICE_EVENTS
from messaging.channels.posts import mapping, word
from messaging.dispatch import doorbell
from messaging.models import DeviceState, Integration

CHECK_ONE: Final = "messaging.tasks.check_device"
LONGEST_DETAIL: Final = 300


@dataclass(frozen=True, slots=True)
class Word:
    """What somebody says of a phone: the gateway when asked, or one of its events.

    ``known_at`` is the moment it speaks of; ``checked_at`` is set if it was asked.
    """

    integration_id: int
    state: DeviceState
    since: datetime
    known_at: datetime
    checked_at: datetime | None = None
    phone: str = ""
    detail: str = ""


def note(told: Word) -> bool:
    """Keep a word, unless a later one is known; return whether it was kept.

    An integration that is gone meanwhile has no health to write down.
    """
    values: dict[str, int | str | datetime | None] = {
        "integration_id": told.integration_id,
        "state": told.state.value,
        "since": told.since,
        "known_at": told.known_at,
        "checked_at": told.checked_at,
        "phone": told.phone[:20],
        "detail": told.detail[:LONGEST_DETAIL],
    }
    with connection.cursor() as cursor:
        cursor.execute(_statement(), values)
        return cursor.fetchone() is not None


def hear(integration_id: int, envelope: Mapping[str, Any], at: datetime) -> bool:
    """Keep an event of a phone and have the gateway asked; tell if it was understood.

    Of a user with several phones each event is told to every hook, so that one of
    another phone says nothing here.
    """
    state = DEVICE_EVENTS.get(word(envelope.get("event"), 80))
    if state is None:
        return False
    data = mapping(envelope.get("data"))
    named = word(envelope.get("device_id") or data.get("device_id"), 100)
    ours = Integration.objects.filter(pk=integration_id)
    settings = ours.values_list("settings", flat=True).first() or {}
    device = str(settings.get("device_id") or "")
    if device and named and named != device:
        return True
    note(Word(integration_id, DeviceState(state), since=at, known_at=at))
    transaction.on_commit(partial(check_soon, integration_id))
    return True


def check_soon(integration_id: int) -> None:
    """Have the gateway asked by a worker, because something was heard of its phone."""
    doorbell.call(CHECK_ONE, integration_id)


@cache
def _statement() -> str:
    return (Path(__file__).parent / "sql" / "noted.sql").read_text()
