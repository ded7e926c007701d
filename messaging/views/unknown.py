"""Unknown messages: the evidence about each, and the two ways to settle it.

One by one on purpose: whoever decides has looked at this very message.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from messaging import doubt
from messaging.access import (
    organization_of,
    own_or_404,
    person_of,
    require_organization,
    role_required,
)
from messaging.evidence import evidence_of
from messaging.filters import UnknownFilter
from messaging.message_roads import taking
from messaging.models import Actor, Message, MessageState, Role
from messaging.offers import Offer, offers_of
from messaging.resend_forms import CountForm
from messaging.sending import Asker, Refused
from messaging.views.broadcast_names import BroadcastName, broadcast_names
from messaging.views.evidence_words import ShownEvidence, shown, shown_evidence
from messaging.views.shown_content import title_of
from resend_admin.ui.dialogs import close_dialog, render_dialog
from resend_admin.ui.keyset import keyset_page

PER_PAGE: Final = 10


@dataclass(frozen=True, slots=True)
class UnknownRow:
    """One unknown message, with what a person needs to decide."""

    message: Message
    title: str
    evidence: ShownEvidence | None
    broadcast: BroadcastName | None
    offer: Offer | None


@require_safe
@require_organization
def message_unknown(request: HttpRequest) -> HttpResponse:
    organization = organization_of(request)
    own = Message.objects.filter(
        organization=organization, state=MessageState.UNKNOWN
    ).select_related(
        "organization", "contact", "integration", "content", "amended_content"
    )
    filters = UnknownFilter(request.GET, queryset=own, request=request)
    found: QuerySet[Message] = filters.qs if filters.is_valid() else own.none()
    wanted = {**filters.form.cleaned_data, "state": MessageState.UNKNOWN.value}
    take = taking(organization, wanted)
    page = keyset_page(found, request.GET, order=("-id",), size=PER_PAGE, take=take)
    asked = filters.form.cleaned_data.get("broadcast") if filters.is_bound else None
    names = broadcast_names(
        organization,
        [int(asked) if asked else None, *(one.broadcast_id for one in page.rows)],
    )
    evidence = evidence_of(page.rows)
    may_write = person_of(request).may_write
    offers = offers_of(organization, page.rows) if may_write else {}
    rows = [
        UnknownRow(
            message,
            title_of(message),
            shown(message, evidence[message.pk]) if message.pk in evidence else None,
            names.get(message.broadcast_id or 0),
            offers.get(message.pk),
        )
        for message in page.rows
    ]
    context = {
        "filter": filters,
        "page": page,
        "rows": rows,
        "only_broadcast": names.get(int(asked)) if asked else None,
        "is_narrowed": any(request.GET.get(name) for name in filters.filters),
        "trail": [("Messages", reverse("messaging:message-list"))],
        "may_write": may_write,
    }
    return render(request, "messaging/message_unknown.html", context)


@require_http_methods(["GET", "POST"])
@role_required(Role.EDITOR)
def message_count(request: HttpRequest, pk: int) -> HttpResponse:
    """Count an unknown message as delivered, on the word of whoever asks for it."""
    rows = Message.objects.select_related(
        "organization", "contact", "integration", "content", "amended_content"
    )
    message = own_or_404(request, rows, pk)
    off = "" if message.state == MessageState.UNKNOWN else NOT_UNKNOWN
    if request.method != "POST":
        initial = {"shown_attempts": message.attempt_count}
        return _dialog(request, message, CountForm(initial=initial), off)
    form = CountForm(request.POST)
    if not form.is_valid():
        return _dialog(request, message, form, off)
    person = person_of(request)
    outcome = doubt.count_as_delivered(
        message,
        Asker(
            Actor.PERSON,
            (person.get_full_name() or person.username)[:150],
            form.cleaned_data["reason"],
            person_id=person.pk,
        ),
        attempt_number=form.cleaned_data["shown_attempts"],
    )
    if isinstance(outcome, Refused):
        # Said once: beside the button, which can do nothing any more.
        return _dialog(request, message, form, outcome.sentence, HTTPStatus.CONFLICT)
    return close_dialog(request, _back(request, message), COUNTED)


NOT_UNKNOWN: Final = (
    "This message is not unknown any more: it was settled meanwhile. Close this and"
    " look at its latest attempt."
)
COUNTED: Final = "Counted as delivered. Your name stands on the attempt."


def _dialog(
    request: HttpRequest,
    message: Message,
    form: forms.Form,
    off: str,
    status: HTTPStatus | None = None,
) -> HttpResponse:
    context = {
        "message": message,
        "title": title_of(message),
        "evidence": shown_evidence(message) if not off else None,
        "form": form,
        "cancel_url": _page_of(message),
        "page_title": "Count as delivered",
        "dialog_off": off,
    }
    template = "messaging/message_count.html"
    return render_dialog(request, template, context, status=status)


def _back(request: HttpRequest, message: Message) -> str:
    """Return the list when the dialog was opened there, else the message's page."""
    came_from = getattr(request, "htmx", None)
    path = getattr(came_from, "current_url_abs_path", None) or ""
    unknown = reverse("messaging:message-unknown")
    return path if path.partition("?")[0] == unknown else _page_of(message)


def _page_of(message: Message) -> str:
    return reverse("messaging:message-detail", kwargs={"pk": message.pk})
