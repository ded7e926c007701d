"""Addresses that several pages of broadcasts share."""

from __future__ import annotations

from django.urls import reverse
from django.utils.http import urlencode

from broadcasts.models import Broadcast


def page_of(broadcast: Broadcast) -> str:
    return reverse("broadcasts:broadcast-detail", args=[broadcast.pk])


def page_for(name: str, broadcast: Broadcast) -> str:
    """Return the address of what can be done to one broadcast, as ``retry``."""
    return reverse(f"broadcasts:broadcast-{name}", args=[broadcast.pk])


def messages_of(broadcast_id: int, **filters: str) -> str:
    """Return the message list, narrowed to one broadcast and these filters."""
    return messages_where(broadcast=str(broadcast_id), **filters)


def unknown_of(broadcast_id: int) -> str:
    """Return the page on which the unknown messages of a broadcast are settled."""
    query = urlencode({"broadcast": broadcast_id})
    return f"{reverse('messaging:message-unknown')}?{query}"


def report_of(broadcast: Broadcast) -> str:
    """Return the report about a broadcast, from the day on which it began."""
    return f"{reverse('reports')}?{urlencode({'broadcast': broadcast.pk})}"


def messages_where(**filters: str) -> str:
    return f"{reverse('messaging:message-list')}?{urlencode(filters)}"


def failed_rows(broadcast: Broadcast, cause: str) -> str:
    """Return the failed rows of one cause, on the page of the broadcast itself."""
    return f"{page_of(broadcast)}?{urlencode({'cause': cause})}#failed"
