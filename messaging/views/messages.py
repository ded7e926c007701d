"""The list of messages, and one message with every try."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from messaging.access import (
    organization_of,
    own_or_404,
    person_of,
    require_organization,
)
from messaging.channels.catalogue import lookup
from messaging.filters import MessageFilter
from messaging.models import (
    Attempt,
    CountedDelivery,
    CreditEntry,
    Message,
    MessageState,
    Receipt,
    User,
)
from messaging.offers import Offer, offer_of
from messaging.sent_codes import codes_of
from messaging.views.broadcast_names import BroadcastName, broadcast_names
from messaging.views.causes import why
from messaging.views.evidence_words import shown_evidence
from messaging.views.follow_ups import latest_follow_up, opened_for
from messaging.views.shown_content import (
    content_heading,
    title_of,
    versions,
)
from messaging.views.timeline import timeline
from resend_admin.ui.keyset import KeysetPage, keyset_page
from resend_admin.ui.pills import NOT_NEEDED, Pill, verdict_pill

MOST_RUNS: Final = 50
"""Other runs of a chain that a message's page lists."""
RECEIPT_PATIENCE: Final = timedelta(minutes=10)
"""How long a page keeps looking for the receipt of what was sent."""


@require_safe
@require_organization
def message_list(request: HttpRequest) -> HttpResponse:
    organization = organization_of(request)
    own = Message.objects.filter(organization=organization)
    filters = MessageFilter(request.GET, queryset=own, request=request)
    page = _newest(filters, request) if filters.is_valid() else KeysetPage([])
    narrowed = [
        (name, value)
        for name, value in request.GET.items()
        if value and name in filters.filters
    ]
    asked = _asked_broadcast(filters)
    names = broadcast_names(
        organization, [asked, *(message.broadcast_id for message in page.rows)]
    )
    context = {
        "filter": filters,
        "page": page,
        "rows": [
            (message, why(message), names.get(message.broadcast_id or 0))
            for message in page.rows
        ],
        "only_broadcast": names.get(asked or 0),
        "only_error": _asked_error(filters),
        "is_narrowed": bool(narrowed),
        "bulk_filter": narrowed,
        "bulk_list_url": reverse("messaging:bulk-list"),
        "may_write": person_of(request).may_write,
    }
    return render(request, "messaging/message_list.html", context)


def _newest(filters: MessageFilter, request: HttpRequest) -> KeysetPage[Message]:
    found: QuerySet[Message] = filters.qs.select_related("contact")
    return keyset_page(found, request.GET, order=("-id",), size=25, take=filters.take)


def _asked_broadcast(filters: MessageFilter) -> int | None:
    value = filters.form.cleaned_data.get("broadcast") if filters.is_bound else None
    return int(value) if value else None


def _asked_error(filters: MessageFilter) -> Any:
    """Return the cause that the list is narrowed to, from the catalogue."""
    code = filters.form.cleaned_data.get("error") if filters.is_bound else ""
    return lookup(code) if code else None


@require_safe
@require_organization
def message_detail(request: HttpRequest, pk: int) -> HttpResponse:
    message = _own_message(request, pk)
    broadcast = _broadcast_of(message)
    person = person_of(request)
    trail = [("Messages", reverse("messaging:message-list"))]
    if broadcast:
        trail.append((broadcast.name, broadcast.url))
    context = _standing(message, broadcast, person) | {
        "title": title_of(message),
        "runs": _other_runs(message),
        "trail": trail,
    }
    return render(request, "messaging/message_detail.html", context)


@require_safe
@require_organization
def message_standing(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer the page that watches a message: 204 while nothing has changed."""
    message = _own_message(request, pk)
    if request.GET.get("v") == _mark(message):
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    standing = _standing(message, _broadcast_of(message), person_of(request))
    context = standing | {"is_fragment": True}
    response = render(request, "messaging/message_standing.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _own_message(request: HttpRequest, pk: int) -> Message:
    rows = Message.objects.select_related(
        "organization", "contact", "integration", "content", "amended_content"
    )
    return own_or_404(request, rows, pk)


def _broadcast_of(message: Message) -> BroadcastName | None:
    names = broadcast_names(message.organization, [message.broadcast_id])
    return names.get(message.broadcast_id or 0)


def _standing(
    message: Message, broadcast: BroadcastName | None, person: User
) -> dict[str, Any]:
    """Return what changes while a message is on its way."""
    attempts = list(
        Attempt.objects.filter(message=message)
        .select_related("integration", "content")
        .order_by("number")
    )
    numbers = {attempt.pk: attempt.number for attempt in attempts}
    receipts = Receipt.objects.filter(
        organization=message.organization_id, attempt_id__in=numbers
    ).order_by("received_at", "pk")
    ledger = CreditEntry.objects.filter(
        organization=message.organization_id, attempt_id__in=numbers
    ).order_by("pk")
    offer = offer_of(message)
    return {
        "message": message,
        "entries": timeline(
            message,
            attempts,
            receipts,
            broadcast,
            follow_up=latest_follow_up(message),
            opened_for=opened_for(message),
            counted=CountedDelivery.objects.filter(message_id=message.pk),
            hidden=codes_of(message, attempts),
        ),
        "evidence": shown_evidence(message),
        "broadcast": broadcast,
        "why": why(message),
        "ledger": [(line, numbers.get(line.attempt_id or 0)) for line in ledger],
        "mark": _mark(message),
        "interval": _interval(message),
        "content_heading": content_heading(message),
        "versions": versions(message, attempts),
        "may_write": person.may_write,
        "offer": offer if person.may_write else None,
        "helps": _helps(message, offer),
    }


def _helps(message: Message, offer: Offer) -> Pill | None:
    """Would sending it again help? Nothing of what has no error to judge by."""
    if not (message.error_class and why(message)):
        return None
    return verdict_pill(message.error_class) if offer.is_needed else NOT_NEEDED


def _mark(message: Message) -> str:
    """Return a text that changes whenever the standing of the message does."""
    moment = int(message.state_at.timestamp() * 1_000_000)
    way = message.integration.state if message.integration else ""
    return f"{message.state}-{message.attempt_count}-{moment}-{way}"


def _interval(message: Message) -> int:
    """Return after how many seconds a page asks again; 0 when nothing will change.

    An unknown message may stay so for days, and only a receipt or a person settles
    it, so it is asked about less often.
    """
    if message.state in {MessageState.QUEUED, MessageState.SENDING}:
        return 2
    if message.state == MessageState.UNKNOWN:
        return 5
    sent_at = message.sent_at
    is_fresh = sent_at is not None and timezone.now() - sent_at < RECEIPT_PATIENCE
    return 2 if message.state == MessageState.SENT and is_fresh else 0


def _other_runs(message: Message) -> list[tuple[Message, BroadcastName | None]]:
    """Return what other runs of the chain sent to the same person, oldest first."""
    root = message.root_id or message.pk
    same = Message.objects.filter(organization=message.organization_id)
    rows = list(
        same.filter(Q(root=root) | Q(pk=root))
        .exclude(pk=message.pk)
        .order_by("pk")[:MOST_RUNS]
    )
    names = broadcast_names(message.organization, [row.broadcast_id for row in rows])
    return [(row, names.get(row.broadcast_id or 0)) for row in rows]
