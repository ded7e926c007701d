"""Messages that came in, made in a test."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from messaging import receipts
from messaging.channels.contract import Event, EventKind
from messaging.models import (
    InboundMessage,
    InboundState,
    Integration,
    RequestOutcome,
    RetransmissionRequest,
)
from resend_admin.sandbox.thread import Sandbox

PERSON = "5511999999999@s.whatsapp.net"
GROUP = "120363039000000000@g.us"
_number = itertools.count(1)


@dataclass
class Phone:
    """What a phone tells, over HTTP, and what is understood of it."""

    integration: Integration
    sandbox: Sandbox

    def cannot_read(self, message_id: str, sender: str, **values: str) -> None:
        status = self.sandbox.undecryptable(
            sender, message_id=message_id, account="device", **values
        )
        assert status == 200
        receipts.apply()

    def understood(self, message_id: str) -> InboundMessage:
        receipts.apply()
        return InboundMessage.objects.get(message_id=message_id)


def until(what: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for something that another thread does."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "It did not happen in time."
        time.sleep(0.02)


def told(
    integration: Integration,
    event: str,
    data: dict[str, Any],
    kind: EventKind,
    *,
    key: str = "",
) -> None:
    """Let an event of the gateway come in; it waits to be applied."""
    envelope = {"id": "x", "event": event, "timestamp": 1, "data": data}
    receipts.store(
        integration,
        [
            Event(
                key=key or f"event:{next(_number)}",
                kind=kind,
                raw=envelope,
                provider_id=str(data.get("message_id", "")),
            )
        ],
    )


def cannot_read(integration: Integration, message_id: str, **more: Any) -> None:
    data = {"message_id": message_id, "chat_jid": PERSON, "sender_jid": PERSON}
    told(
        integration,
        "message.undecryptable",
        {**data, **more},
        EventKind.UNREADABLE,
    )


def came_in(integration: Integration, message_id: str, **more: Any) -> None:
    data = {
        "message_id": message_id,
        "from": PERSON,
        "to": "233300002000@s.whatsapp.net",
        "content": "Hello from WhatsApp!",
        "message_type": "text",
        "timestamp": "2026-06-15T12:00:00Z",
    }
    told(integration, "message.received", {**data, **more}, EventKind.INBOUND)


def unread_message(
    integration: Integration, message_id: str, **values: Any
) -> InboundMessage:
    """Make a row in any state, with what that state requires."""
    now = timezone.now()
    state = values.pop("state", InboundState.WAITING)
    requests = values.pop("requests", 1 if state == InboundState.REQUESTED else 0)
    if requests:
        values.setdefault("requested_at", now - timedelta(hours=1))
        values.setdefault("request", _request(integration, message_id))
    if state in {InboundState.RECOVERED, InboundState.EXPIRED}:
        values.setdefault("closed_at", now)
    if state == InboundState.EXPIRED:
        values.setdefault("reason", "too_old")
    return InboundMessage.objects.create(
        organization_id=integration.organization_id,
        integration=integration,
        message_id=message_id,
        chat_jid=values.pop("chat_jid", PERSON),
        sender_jid=values.pop("sender_jid", PERSON),
        phone=values.pop("phone", "+5511999999999"),
        occurred_at=values.pop("occurred_at", now),
        heard_at=values.pop("heard_at", now),
        state=state,
        requests=requests,
        **values,
    )


def _request(integration: Integration, message_id: str) -> RetransmissionRequest:
    return RetransmissionRequest.objects.create(
        organization_id=integration.organization_id,
        integration=integration,
        chat_jid=PERSON,
        sender_jid=PERSON,
        message_ids=[message_id],
        asked_by="person",
        asked_by_name="Kofi Mensah",
        outcome=RequestOutcome.ACCEPTED,
        settled_at=timezone.now() - timedelta(hours=1),
    )
