"""Messages that a device could not read: the queue, and asking for them again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from messaging.access import (
    organization_of,
    own_or_404,
    person_of,
    require_organization,
    role_required,
)
from messaging.devices import health
from messaging.devices.words import pill_of, title_of
from messaging.devices.words import sentence_of as health_in_words
from messaging.models import (
    Contact,
    DeviceHealth,
    InboundMessage,
    InboundState,
    Organization,
    Role,
)
from messaging.retransmission import choosing, unreadable
from messaging.retransmission.asking_many import MOST_MESSAGES, ask_many
from messaging.trail import by_person
from messaging.views.unreadable_words import (
    STATE_PILLS,
    result_in_words,
    sentence_of,
    why_not,
)
from resend_admin.ui.dialogs import close_dialog, render_dialog
from resend_admin.ui.keyset import keyset_page
from resend_admin.ui.pills import Pill

STATES: Final = (
    ("", "All"),
    (InboundState.WAITING.value, "Waiting"),
    (InboundState.REQUESTED.value, "Asked for"),
    (InboundState.RECOVERED.value, "Recovered"),
    (InboundState.EXPIRED.value, "Given up"),
)


MOST_PHONES: Final = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One message of the queue, ready to be shown."""

    message: InboundMessage
    member: Contact | None
    pill: Pill
    sentence: str
    off: str

    @property
    def is_askable(self) -> bool:
        return self.message.state != InboundState.RECOVERED

    @property
    def address(self) -> str:
        """The number, unless it stands in the place of a name already."""
        address = self.message.phone or self.message.sender_jid
        return "" if address == self.who else address

    @property
    def who(self) -> str:
        if self.member is not None:
            return str(self.member)
        message = self.message
        return message.push_name or message.phone or message.sender_jid


@dataclass(frozen=True, slots=True)
class PhoneLine:
    """One phone, ready to be shown."""

    pk: int
    name: str
    health: DeviceHealth | None
    pill: Pill
    sentence: str


@require_safe
@require_organization
def unreadable_list(request: HttpRequest) -> HttpResponse:
    organization = organization_of(request)
    state = request.GET.get("state", "")
    found = unreadable.queue(organization)
    if state in dict(STATES) and state:
        found = found.filter(state=state)
    page = keyset_page(found, request.GET, order=("-id",), size=25)
    phones = _phones(organization)
    person = person_of(request)
    context = {
        "phones": phones[:MOST_PHONES],
        "more_phones": len(phones[MOST_PHONES:]),
        "page": page,
        "rows": _rows(organization, page.rows),
        "state": state,
        "states": STATES,
        "may_write": person.may_write,
        "add_url": _add_url() if person.may_manage and person.is_staff else "",
        "has_device": bool(page.rows or phones) or unreadable.has_device(organization),
        "back": request.get_full_path(),
    }
    return render(request, "messaging/unreadable_list.html", context)


def _add_url() -> str:
    """Return where an admin connects a phone."""
    return f"{reverse('admin:messaging_integration_add')}?kind={choosing.KIND}"


@require_POST
@role_required(Role.EDITOR)
def unreadable_ask_one(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for one message by one click."""
    rows = InboundMessage.objects.select_related("integration")
    message = own_or_404(request, rows, pk)
    result = ask_many([message], by_person(person_of(request)))
    tone = messages.SUCCESS if result.asked else messages.INFO
    messages.add_message(request, tone, result_in_words(result))
    return redirect(_list_address(request.POST))


@require_http_methods(["GET", "POST"])
@role_required(Role.EDITOR)
def unreadable_ask(request: HttpRequest) -> HttpResponse:
    """Show which messages would be asked for; ask for exactly those when confirmed."""
    organization = organization_of(request)
    posted = request.method == "POST"
    asked = request.POST if posted else request.GET
    is_all = bool(asked.get("all")) and not posted
    chosen = (
        unreadable.all_waiting(organization)
        if is_all
        else unreadable.frozen(organization, _ids(asked))
    )
    more = len(chosen) > MOST_MESSAGES
    chosen = chosen[:MOST_MESSAGES]
    if posted and chosen:
        result = ask_many(chosen, by_person(person_of(request)))
        return close_dialog(request, _list_address(asked), result_in_words(result))
    context = {
        "form": forms.Form(),
        "rows": _rows(organization, chosen),
        "away": _away(organization, chosen),
        "more": more,
        "most": MOST_MESSAGES,
        "cancel_url": _list_address(asked),
        "action": reverse("messaging:unreadable-ask"),
        "page_title": "Ask for messages again",
        "state": asked.get("state", ""),
        "dialog_off": "" if chosen else (NOTHING_WAITS if is_all else NOTHING_CHOSEN),
    }
    return render_dialog(
        request,
        "messaging/unreadable_ask.html",
        context,
        status=422 if posted else None,
    )


NOTHING_CHOSEN: Final = "Nothing is ticked. Close this and tick a message first."
NOTHING_WAITS: Final = "Nothing waits any more: all of it was asked for or came in."


def _away(organization: Organization, chosen: Sequence[InboundMessage]) -> list[str]:
    """Return a heading for each phone that is not ready and would have to ask."""
    wanted = {one.integration_id for one in chosen}
    return [
        title_of(one)
        for one in (health.phones(organization) if wanted else ())
        if not one.is_ready and one.integration.pk in wanted
    ]


def _phones(organization: Organization) -> list[PhoneLine]:
    """Return the phones that are not switched off, those that are not well first."""
    return [
        PhoneLine(
            one.integration.pk,
            one.integration.name,
            one.health,
            pill_of(one.health),
            health_in_words(one.health),
        )
        for one in health.phones(organization)
    ]


def _rows(organization: Organization, found: Sequence[InboundMessage]) -> list[Row]:
    members = _members(organization, {one.phone for one in found if one.phone})
    return [
        Row(
            one,
            members.get(one.phone),
            STATE_PILLS[one.state],
            sentence_of(one),
            why_not(one),
        )
        for one in found
    ]


def _members(organization: Organization, phones: set[str]) -> dict[str, Contact]:
    """Return the member of each number, of several the first one; one query."""
    if not phones:
        return {}
    known = Contact.objects.filter(organization=organization, phone__in=phones)
    return {one.phone: one for one in known.order_by("-pk")}


def _ids(asked: QueryDict) -> list[int]:
    """Return the numbers that are chosen; what is no number is left out."""
    numbers = (one for one in asked.getlist("ids") if one.isascii() and one.isdigit())
    return [int(one) for one in numbers if len(one) < 19]


def _list_address(asked: QueryDict) -> str:
    """Return the list as it was narrowed when the button was pressed."""
    address = reverse("messaging:unreadable-list")
    state = asked.get("state", "")
    return f"{address}?state={state}" if state in dict(STATES) and state else address
