"""The list of members, and one member with what was sent to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from messaging.access import (
    organization_of,
    own_or_404,
    person_of,
    require_organization,
)
from messaging.channels.contract import Channel
from messaging.filters import MemberFilter
from messaging.models import Contact, Message
from messaging.models.contact import CHANNEL_NAMES
from messaging.views.broadcast_names import broadcast_names
from messaging.views.causes import why
from messaging.views.known_traits import known_traits
from messaging.views.shown_content import title_of
from resend_admin.ui.keyset import keyset_page

WINDOW: Final = timedelta(hours=24)
"""After a member's message, WhatsApp lets us answer freely for this long."""


@require_safe
@require_organization
def member_list(request: HttpRequest) -> HttpResponse:
    organization = organization_of(request)
    own = Contact.objects.filter(organization=organization)
    filters = MemberFilter(request.GET, queryset=own, request=request)
    found: QuerySet[Contact] = filters.qs if filters.is_valid() else own.none()
    context = {
        "filter": filters,
        "page": keyset_page(found, request.GET, order=("-id",), size=25),
        "traits": known_traits(organization),
        "may_write": person_of(request).may_write,
        "is_narrowed": any(
            value for name, value in request.GET.items() if name in filters.filters
        ),
    }
    return render(request, "messaging/member_list.html", context)


@require_safe
@require_organization
def member_detail(request: HttpRequest, pk: int) -> HttpResponse:
    member = own_or_404(request, Contact, pk)
    organization = organization_of(request)
    sent = Message.objects.filter(organization=organization, contact=member)
    page = keyset_page(
        sent.select_related("content"), request.GET, order=("-id",), size=25
    )
    names = broadcast_names(organization, [row.broadcast_id for row in page.rows])
    context = {
        "member": member,
        "page": page,
        "rows": [
            (row, title_of(row), why(row), names.get(row.broadcast_id or 0))
            for row in page.rows
        ],
        "reach": _reach(member),
        "window": _window(member),
        "trail": [("Members", reverse("messaging:member-list"))],
    }
    return render(request, "messaging/member_detail.html", context)


@dataclass(frozen=True, slots=True)
class Reach:
    """One channel of a member: its address, and whether they want to be written to."""

    channel: str
    address: str
    is_opted_out: bool


def _reach(member: Contact) -> list[Reach]:
    return [
        Reach(
            channel=channel.value,
            address=member.address(channel),
            is_opted_out=channel.value in member.opted_out_channels,
        )
        for channel in CHANNEL_NAMES
    ]


@dataclass(frozen=True, slots=True)
class Window:
    """WhatsApp's window for free answers, opened by the member's last message."""

    last_message_at: datetime
    closes_at: datetime
    is_open: bool


def _window(member: Contact) -> Window | None:
    if member.whatsapp_inbound_at is None or not member.address(Channel.WHATSAPP):
        return None
    closes_at = member.whatsapp_inbound_at + WINDOW
    return Window(member.whatsapp_inbound_at, closes_at, closes_at > timezone.now())
