"""Ask a device for older messages of a chat; they come later, as events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from messaging import trail
from messaging.channels.contract import Accepted
from messaging.channels.gateway_requests import request_history
from messaging.channels.jids import phone_of
from messaging.models import AuditKind, InboundMessage, Integration
from messaging.retransmission.claiming import PAGE
from messaging.retransmission.words import Refused, of_answer
from messaging.trail import Doer

MOST_MESSAGES: Final = 100
USUAL: Final = 50


@dataclass(frozen=True, slots=True)
class Anchor:
    """The oldest message that is known; the device sends what came before it."""

    message_id: str = ""
    is_from_us: bool = False
    seconds: int = 0
    """Unix time in seconds, as the gateway wants it."""


def oldest_known(integration: Integration, chat_jid: str) -> Anchor:
    """Return the oldest message of a chat that is on record, if there is one."""
    phone = phone_of(chat_jid)
    known = InboundMessage.objects.filter(
        organization_id=integration.organization_id,
        integration=integration,
        phone=phone,
        chat_jid=chat_jid,
        heard_at__isnull=False,
    )
    # Only conversations of two have an index that leads to their oldest message.
    found = known.order_by("occurred_at", "id").first() if phone else None
    if found is None:
        return Anchor()
    seconds = int(found.occurred_at.timestamp())
    return Anchor(found.message_id, found.is_from_us, seconds)


def request(
    integration: Integration,
    chat_jid: str,
    anchor: Anchor,
    doer: Doer,
    *,
    count: int = USUAL,
    link: str = PAGE,
) -> Refused | None:
    """Ask for up to ``count`` messages; return why not, if the gateway refused.

    Who asks stands in the audit trail before the gateway is called, with ``link``
    to the page of whose chat it is; the chat itself is not named there.
    """
    trail.record(
        AuditKind.OTHER,
        f"Asked “{integration.name}” for up to {count} older messages of a chat.",
        organization_id=integration.organization_id,
        doer=doer,
        link=link,
    )
    value: dict[str, Any] = {
        "chat_jid": chat_jid,
        "last_message_id": anchor.message_id,
        "last_message_from_me": anchor.is_from_us,
        "last_message_timestamp": anchor.seconds,
        "count": count,
    }
    answer = request_history(integration.account, value)
    if isinstance(answer, Accepted):
        return None
    return of_answer(answer, integration.name)
