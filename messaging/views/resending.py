"""Send one message again: the dialog, a copy, another time, and taking it back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from messaging import follow_up, resend
from messaging.access import own_or_404, person_of, role_required
from messaging.models import Actor, FollowUpState, Message, Role
from messaging.models.message import ARRIVED_STATES
from messaging.resend_forms import MoveForm, ResendForm
from messaging.sending import Asker, Refused
from messaging.views.follow_ups import latest_follow_up
from messaging.views.outcome_words import (
    opener_in_words,
    outcome_in_words,
    to_the_minute,
)
from messaging.views.pause_words import pause_in_words
from messaging.views.resend_steps import ResendStep
from messaging.views.shown_content import title_of
from resend_admin.ui.dialogs import close_dialog, render_dialog
from resend_admin.ui.time_zones import moment_in_words

NOTHING_WAITS = "Nothing of this message is waiting any more."


@require_http_methods(["GET", "POST"])
@role_required(Role.EDITOR)
def message_resend(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask what has to be settled; sending now answers with the provider's word."""
    message = _own_message(request, pk)
    step = ResendStep.of(message)
    if request.method != "POST":
        return _resend_dialog(request, step, step.form())
    form = step.form(request.POST)
    outcome = step.confirmed(form, _asker(request, request.POST.get("reason", "")))
    if isinstance(outcome, HTTPStatus):
        return _resend_dialog(request, step, form, status=outcome)
    in_words = opener_in_words if step.is_opener else outcome_in_words
    words = in_words(outcome)
    return close_dialog(request, page_of(message), words)


@require_http_methods(["GET", "POST"])
@role_required(Role.EDITOR)
def message_copy(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a message that has arrived once more, as a new one."""
    message = _own_message(request, pk)
    off = "" if message.state in ARRIVED_STATES else "Only what arrived can be copied."
    form = forms.Form(request.POST if request.method == "POST" else None)
    if request.method == "POST" and not off:
        outcome = resend.send_copy(message, _asker(request))
        if not isinstance(outcome, Refused):
            words = outcome_in_words(outcome, copy=True)
            return close_dialog(request, page_of(outcome.message), words)
        form.add_error(None, outcome.sentence)
    return _small_dialog(request, "copy", message, form, off=off)


@require_http_methods(["GET", "POST"])
@role_required(Role.EDITOR)
def message_move(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a resend that waits another time."""
    message = _own_message(request, pk)
    off = "" if message.is_waiting_to_retry else NOTHING_WAITS
    if request.method != "POST":
        form = MoveForm(initial={"at": _due_at(message)})
        return _small_dialog(request, "move", message, form, off=off)
    form = MoveForm(request.POST)
    if not form.is_valid():
        return _small_dialog(
            request, "move", message, form, status=HTTPStatus.UNPROCESSABLE_ENTITY
        )
    at = form.cleaned_data["at"]
    moved = resend.move(message, at, _asker(request))
    if not isinstance(moved, Refused):
        words = f"It will be sent again on {moment_in_words(at)}."
        return close_dialog(request, page_of(message), words)
    about_time = moved.code != resend.Refusal.NOTHING_WAITS
    form.add_error("at" if about_time else None, moved.sentence)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if about_time else HTTPStatus.CONFLICT
    return _small_dialog(request, "move", message, form, status=status)


@require_http_methods(["GET", "POST"])
@role_required(Role.EDITOR)
def message_take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel a resend that waits; the message stands where it stood."""
    message = _own_message(request, pk)
    off = "" if message.is_waiting_to_retry else NOTHING_WAITS

    def take_back() -> str:
        found = resend.cancel(message, _asker(request))
        return found.sentence if isinstance(found, Refused) else ""

    words = "The resend was cancelled. The message stands where it stood."
    return _confirm(request, "cancel", message, off, take_back, words)


@require_http_methods(["GET", "POST"])
@role_required(Role.EDITOR)
def message_follow_up_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the message not follow when the member answers the template."""
    message = _own_message(request, pk)
    found = latest_follow_up(message)
    waiting = found if found and found.state == FollowUpState.WAITING else None

    def stop() -> str:
        is_cancelled = waiting and follow_up.cancel(waiting, _asker(request))
        return "" if is_cancelled else NOTHING_WAITS

    words = "It does not follow any more, whatever the member answers."
    off = "" if waiting else NOTHING_WAITS
    return _confirm(request, "follow_up_cancel", message, off, stop, words)


def page_of(message: Message) -> str:
    return reverse("messaging:message-detail", kwargs={"pk": message.pk})


def _due_at(message: Message) -> datetime | None:
    return to_the_minute(message.due_at) if message.due_at else None


def _own_message(request: HttpRequest, pk: int) -> Message:
    rows = Message.objects.select_related(
        "organization", "contact", "integration", "content", "amended_content"
    )
    return own_or_404(request, rows, pk)


def _asker(request: HttpRequest, reason: str = "") -> Asker:
    person = person_of(request)
    name = person.get_full_name() or person.username
    return Asker(
        Actor.PERSON,
        name[:150],
        " ".join(reason.split())[:300],
        person_id=person.pk,
    )


def _resend_dialog(
    request: HttpRequest,
    step: ResendStep,
    form: ResendForm,
    status: HTTPStatus | None = None,
) -> HttpResponse:
    if step.reason_off:
        return _refused(request, step, status)
    context = step.context(form) | {
        "cancel_url": page_of(step.message),
        "page_title": "Send again",
    }
    return render_dialog(
        request, "messaging/message_resend.html", context, status=status
    )


def _refused(
    request: HttpRequest, step: ResendStep, status: HTTPStatus | None
) -> HttpResponse:
    """Say why there is nothing to ask, on a page that did not know it yet."""
    context = {
        "sentence": step.reason_off,
        "cancel_url": page_of(step.message),
        "page_title": "This message cannot be sent again now",
    }
    template = "messaging/message_settled.html"
    return render_dialog(request, template, context, status=status)


def _confirm(
    request: HttpRequest,
    name: str,
    message: Message,
    off: str,
    act: Callable[[], str],
    words: str,
) -> HttpResponse:
    """Ask, and act on a yes. ``act`` returns the sentence of a refusal, or nothing."""
    form = forms.Form(request.POST if request.method == "POST" else None)
    if request.method == "POST" and not off:
        refusal = act()
        if not refusal:
            return close_dialog(request, page_of(message), words)
        form.add_error(None, refusal)
    return _small_dialog(request, name, message, form, off=off)


def _small_dialog(
    request: HttpRequest,
    name: str,
    message: Message,
    form: forms.Form,
    *,
    off: str = "",
    status: HTTPStatus | None = None,
) -> HttpResponse:
    """Render one of the small dialogs; a refusal without a status answers 409."""
    if status is None and request.method == "POST":
        status = HTTPStatus.CONFLICT
    context: dict[str, Any] = {
        "message": message,
        "title": title_of(message),
        "due_at": _due_at(message),
        "paused": pause_in_words(message.integration),
        "form": form,
        "cancel_url": page_of(message),
        "page_title": TITLES[name],
        "dialog_off": off,
    }
    template = f"messaging/message_{name}.html"
    return render_dialog(request, template, context, status=status)


TITLES = {
    "copy": "Send a copy",
    "move": "Move the resend",
    "cancel": "Cancel the resend",
    "follow_up_cancel": "Cancel what follows",
}
