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
from messaging.models.message import ARRIVED_STATES
from messaging.views.communications import communications
from messaging.views.inbound import inbound_of
from messaging.views.known_traits import known_traits
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
    member = own_or_404(request, Contact.objects.select_related("organization"), pk)
    may_write = person_of(request).may_write
    page, rows = communications(
        member, request.GET, _send_again_url if may_write else None
    )
    context = {
        "member": member,
        "page": page,
        "rows": rows,
        "may_write": may_write,
        "reach": _reach(member),
        "window": _window(member),
        "inbound": inbound_of(member, request.GET),
        "trail": [("Members", reverse("messaging:member-list"))],
    }
    return render(request, "messaging/member_detail.html", context)


def _send_again_url(message: Message) -> str:
    arrived = message.state in ARRIVED_STATES
    name = "message-copy" if arrived else "message-resend"
    return reverse(f"messaging:{name}", kwargs={"pk": message.pk})


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
