"""Unknown messages: the evidence about each, and the two ways to settle it.

One by one on purpose: whoever decides has looked at this very message.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
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
from messaging.models import Actor, Message, MessageState, Organization, Role
from messaging.offers import Offer, offers_of
from messaging.reasons import held_back_in_words
from messaging.resend_forms import CountForm
from messaging.sending import Asker, Refused
from messaging.views.broadcast_names import BroadcastName, broadcast_names
from messaging.views.evidence_words import ShownEvidence, shown, shown_evidence
from messaging.views.shown_content import title_of
from resend_admin.ui.dialogs import close_dialog, render_dialog
from resend_admin.ui.keyset import keyset_page

PER_PAGE: Final = 10
SHOWN: Final = "shown"
"""The parameter in which a page that watches its cards says what it shows."""
OPEN: Final = {MessageState.UNKNOWN, MessageState.QUEUED, MessageState.SENDING}
"""What is in one of these goes on by itself, so a page watches it."""


@dataclass(frozen=True, slots=True)
class UnknownRow:
    """One unknown message, with what a person needs to decide.

    ``held_back`` says why a further try, which somebody asked for, did not leave;
    ``settled`` what happened when it is not unknown any more.
    """

    message: Message
    title: str
    evidence: ShownEvidence | None
    broadcast: BroadcastName | None
    offer: Offer | None
    held_back: str = ""
    settled: str = ""


@require_safe
@require_organization
def message_unknown(request: HttpRequest) -> HttpResponse:
    if SHOWN in request.GET:
        return _news(request)
    organization = organization_of(request)
    own = _messages(organization).filter(state=MessageState.UNKNOWN)
    filters = UnknownFilter(request.GET, queryset=own, request=request)
    found: QuerySet[Message] = filters.qs if filters.is_valid() else own.none()
    wanted = {**filters.form.cleaned_data, "state": MessageState.UNKNOWN.value}
    take = taking(organization, wanted)
    page = keyset_page(found, request.GET, order=("-id",), size=PER_PAGE, take=take)
    asked = filters.form.cleaned_data.get("broadcast") if filters.is_bound else None
    names = broadcast_names(organization, [int(asked) if asked else None])
    context = {
        "filter": filters,
        "page": page,
        "rows": _rows(request, page.rows),
        "watched": _watched(page.rows),
        "only_broadcast": names.get(int(asked)) if asked else None,
        "is_narrowed": any(request.GET.get(name) for name in filters.filters),
        "trail": [("Messages", reverse("messaging:message-list"))],
        "may_write": person_of(request).may_write,
    }
    return render(request, "messaging/message_unknown.html", context)


def _news(request: HttpRequest) -> HttpResponse:
    """Answer the page that watches its cards: those that changed, or 204."""
    shown_as = dict(
        one.split(".", 1)
        for one in request.GET[SHOWN].split("~")[:PER_PAGE]
        if re.fullmatch(r"[1-9][0-9]{0,17}\.[a-z]+\.[0-9]+", one)
    )
    rows = _messages(organization_of(request)).filter(pk__in=list(map(int, shown_as)))
    found = list(rows.order_by("-pk"))
    changed = [one for one in found if shown_as[str(one.pk)] != _standing_of(one)]
    if not changed:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    context = {
        "rows": _rows(request, changed),
        "watched": _watched(found),
        "is_fragment": True,
        "may_write": person_of(request).may_write,
    }
    return render(request, "messaging/unknown_news.html", context)


def _messages(organization: Organization) -> QuerySet[Message]:
    return Message.objects.filter(organization=organization).select_related(
        "organization", "contact", "integration", "content", "amended_content"
    )


def _rows(request: HttpRequest, messages: Sequence[Message]) -> list[UnknownRow]:
    """Return a card for each: what is known about it, or what settled it."""
    organization = organization_of(request)
    names = broadcast_names(organization, [one.broadcast_id for one in messages])
    unknown = [one for one in messages if one.state == MessageState.UNKNOWN]
    evidence = evidence_of(unknown)
    offers = offers_of(organization, unknown) if person_of(request).may_write else {}
    return [
        UnknownRow(
            one,
            title_of(one),
            shown(one, evidence[one.pk]) if one.pk in evidence else None,
            names.get(one.broadcast_id or 0),
            offers.get(one.pk),
            held_back_in_words(one) if one in unknown else "",
            "" if one in unknown else doubt.refusal(one).sentence,
        )
        for one in messages
    ]


def _watched(messages: Sequence[Message]) -> str:
    """Return what a page shows of those that something may still settle."""
    return "~".join(
        f"{one.pk}.{_standing_of(one)}" for one in messages if one.state in OPEN
    )


def _standing_of(message: Message) -> str:
    return f"{message.state}.{message.attempt_count}"


@require_http_methods(["GET", "POST"])
@role_required(Role.EDITOR)
def message_count(request: HttpRequest, pk: int) -> HttpResponse:
    """Count an unknown message as delivered, on the word of whoever asks for it."""
    message = own_or_404(request, _messages(organization_of(request)), pk)
    if message.state != MessageState.UNKNOWN:
        return _settled(request, message, doubt.refusal(message))
    if request.method != "POST":
        initial = {"shown_attempts": message.attempt_count}
        return _dialog(request, message, CountForm(initial=initial))
    form = CountForm(request.POST)
    if not form.is_valid():
        return _dialog(request, message, form)
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
        return _settled(request, message, outcome)
    return close_dialog(request, _back(request, message), COUNTED)


NOT_UNKNOWN: Final = "This message is not unknown any more"
SENT_AGAIN: Final = "This message was sent again"
COUNTED: Final = "Counted as delivered. Your name stands on the attempt."


def _dialog(request: HttpRequest, message: Message, form: forms.Form) -> HttpResponse:
    context = {
        "message": message,
        "title": title_of(message),
        "evidence": shown_evidence(message),
        "form": form,
        "cancel_url": _page_of(message),
        "page_title": "Count as delivered",
    }
    return render_dialog(request, "messaging/message_count.html", context)


def _settled(request: HttpRequest, message: Message, refused: Refused) -> HttpResponse:
    """Say what has happened since; nothing is left to ask."""
    is_again = refused.code == doubt.Settled.SENT_AGAIN
    context = {
        "sentence": refused.sentence,
        "cancel_url": _page_of(message),
        "page_title": SENT_AGAIN if is_again else NOT_UNKNOWN,
    }
    status = HTTPStatus.CONFLICT if request.method == "POST" else HTTPStatus.OK
    template = "messaging/message_settled.html"
    return render_dialog(request, template, context, status=status)


def _back(request: HttpRequest, message: Message) -> str:
    """Return the list when the dialog was opened there, else the message's page."""
    came_from = getattr(request, "htmx", None)
    path = getattr(came_from, "current_url_abs_path", None) or ""
    unknown = reverse("messaging:message-unknown")
    return path if path.partition("?")[0] == unknown else _page_of(message)


def _page_of(message: Message) -> str:
    return reverse("messaging:message-detail", kwargs={"pk": message.pk})
