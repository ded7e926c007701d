"""The queue of messages that could not be read."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet

from messaging.models import (
    QUEUE_STATES,
    InboundMessage,
    InboundState,
    Integration,
    Organization,
)
from messaging.retransmission.asking_many import MOST_MESSAGES
from messaging.retransmission.choosing import KIND


def waiting(organization: Organization) -> int:
    """Return how many messages wait to be asked for, the newest of them at most.

    As many as one press asks for, and one more. One look at so much of an index.
    """
    found = (
        InboundMessage.objects.filter(
            organization=organization, state=InboundState.WAITING
        )
        .order_by("-id")
        .values_list("pk", flat=True)
    )
    return len(found[: MOST_MESSAGES + 1])


def has_device(organization: Organization) -> bool:
    """Tell whether there is a device gateway at all; without one the queue is empty."""
    own = Integration.objects.filter(organization=organization, kind=KIND)
    return own.order_by("pk").values_list("pk", flat=True).first() is not None


def queue(organization: Organization) -> QuerySet[InboundMessage]:
    """Return what could not be read at some time, newest first by number."""
    return (
        InboundMessage.objects.filter(organization=organization)
        .exclude(state=InboundState.RECEIVED)
        .select_related("integration", "request")
    )


def frozen(organization: Organization, ids: Sequence[int]) -> list[InboundMessage]:
    """Return the named messages of the queue, no more than are allowed."""
    chosen = queue(organization).filter(pk__in=list(ids)[:MOST_MESSAGES])
    return list(chosen.order_by("-id"))


def all_waiting(organization: Organization) -> list[InboundMessage]:
    """Return the newest messages that wait, one more than a press may ask for."""
    found = queue(organization).filter(state=InboundState.WAITING).order_by("-id")
    return list(found[: MOST_MESSAGES + 1])


__all__ = [
    "MOST_MESSAGES",
    "QUEUE_STATES",
    "all_waiting",
    "frozen",
    "has_device",
    "queue",
    "waiting",
]
