"""What one member wrote to our phones, on the member's page, and asking for older."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from messaging.access import own_or_404, person_of, role_required
from messaging.channels import jids
from messaging.models import Contact, InboundMessage, InboundState, Integration, Role
from messaging.retransmission import choosing, history
from messaging.trail import by_person
from messaging.views.unreadable_words import STATE_PILLS, sentence_of, shown_text
from resend_admin.ui.pills import Pill

SHOWN: Final = 20
"""Messages that the page shows at a time; older ones are asked for by a link."""


@dataclass(frozen=True, slots=True)
class Line:
    message: InboundMessage
    text: str
    pill: Pill | None


@dataclass(frozen=True, slots=True)
class Inbound:
    """``devices`` are the phones that older messages can be asked of."""

    lines: list[Line]
    devices: list[Integration]
    older: str


def inbound_of(member: Contact, asked: Mapping[str, str]) -> Inbound | None:
    """Return what came in from and to a member by phone; none without phones."""
    if not member.phone:
        return None
    devices = choosing.gateways(member.organization)
    known = InboundMessage.objects.filter(
        organization=member.organization, phone=member.phone
    ).select_related("integration", "request")
    before = asked.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        last = InboundMessage.objects.filter(
            organization=member.organization, pk=int(before)
        ).first()
        if last is not None:
            known = known.filter(occurred_at__lt=last.occurred_at)
    found = list(known.order_by("-occurred_at", "-id")[: SHOWN + 1])
    if not found and not devices:
        return None
    shown = found[:SHOWN]
    older = str(shown[-1].pk) if len(found) > SHOWN else ""
    return Inbound([_line(one) for one in shown], devices, older)


def _line(message: InboundMessage) -> Line:
    is_plain = message.state == InboundState.RECEIVED
    is_readable = is_plain or message.state == InboundState.RECOVERED
    text = shown_text(message) if is_readable else sentence_of(message)
    return Line(message, text, None if is_plain else STATE_PILLS[message.state])


@require_POST
@role_required(Role.EDITOR)
def member_history(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask a phone for older messages of its chat with a member."""
    member = own_or_404(request, Contact.objects.select_related("organization"), pk)
    devices = choosing.gateways(member.organization)
    wanted = request.POST.get("device", "")
    device = next((one for one in devices if str(one.uid) == wanted), None)
    if device is None or not member.phone:
        messages.info(request, "That phone is not connected any more.")
        return redirect(_page_of(member))
    chat = jids.of_phone(member.phone)
    anchor = history.oldest_known(device, chat)
    refused = history.request(
        device, chat, anchor, by_person(person_of(request)), link=_page_of(member)
    )
    if refused is None:
        messages.success(
            request,
            f"Asked “{device.name}” for up to {history.USUAL} older messages. They show"
            " here as they come in; reload in a minute.",
        )
    else:
        messages.error(request, refused.sentence)
    return redirect(_page_of(member))


def _page_of(member: Contact) -> str:
    address = reverse("messaging:member-detail", kwargs={"pk": member.pk})
    return f"{address}#inbound"
