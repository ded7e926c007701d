"""One member's communication inside another product: a frame opened by a token.

There is no log-in and no cookie here. Browsers keep cookies of frames from other
origins away more and more, and a frame that acted on a cookie could be made to act
by the page around it. The token is read from each request and from nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, Concatenate, ParamSpec, cast
from urllib.parse import urlencode

from csp.constants import NONE
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from messaging.access import LARGEST_ID
from messaging.embed import Access, Pass, TokenError, read_token
from messaging.models import Actor, Contact, Message
from messaging.sending import Asker
from messaging.views.communications import communications
from messaging.views.outcome_words import FOLLOWS, standing_in_words
from messaging.views.resend_steps import ResendStep

Params = ParamSpec("Params")
FrameView = Callable[Concatenate["Frame", Params], HttpResponse]


class Frame:
    """One request of the frame: who asks, about whom, and where its links lead."""

    def __init__(self, request: HttpRequest, token: str, granted: Pass) -> None:
        self.request = request
        self.token = token
        self.granted = granted
        self.member = Contact.objects.select_related("organization").get(
            organization=granted.organization_id, external_id=granted.external_id
        )

    def address(self, name: str, *numbers: int, **query: object) -> str:
        path = reverse(
            f"messaging:embedded-{name}", args=[self.granted.external_id, *numbers]
        )
        return f"{path}?{urlencode({'token': self.token, **query})}"

    def message(self, pk: int) -> Message | None:
        """Return a message of this very member, with what judging it needs."""
        rows = Message.objects.select_related(
            "organization", "contact", "integration", "content", "amended_content"
        ).filter(organization=self.granted.organization_id, contact=self.member)
        return rows.filter(pk=pk).first() if pk <= LARGEST_ID else None

    def page(
        self, template: str, status: int = HTTPStatus.OK, **context: Any
    ) -> HttpResponse:
        everything = {
            "member": self.member,
            "member_url": self._full_address(),
            "tab_url": self.address("communications"),
            "token": self.token,
            "host_origins": " ".join(settings.EMBED_ANCESTORS),
            **context,
        }
        return render(self.request, template, everything, status=status)

    def _full_address(self) -> str:
        path = reverse("messaging:member-detail", kwargs={"pk": self.member.pk})
        return f"{settings.PUBLIC_URL}{path}"


def framed(access: Access) -> Callable[[FrameView[Params]], Callable[..., Any]]:
    """Open the view to whoever brings a token with this access, and only so far.

    Exempt from the log-in and from the check against forged forms: both guard what
    a browser sends along by itself, and here nothing is believed but the token,
    which a forged form would have to know.
    """

    def decorate(view: FrameView[Params]) -> Callable[..., Any]:
        @wraps(view)
        def guarded(
            request: HttpRequest,
            external_id: str,
            *args: Params.args,
            **kwargs: Params.kwargs,
        ) -> HttpResponse:
            token = request.POST.get("token") or request.GET.get("token", "")
            try:
                granted = read_token(token, external_id)
                frame = Frame(request, token, granted)
            except TokenError as error:
                response = _closed(request, expired=error.expired)
            except Contact.DoesNotExist:
                response = _closed(request, status=HTTPStatus.NOT_FOUND)
            else:
                if access is Access.WRITE and not granted.may_write:
                    response = _closed(request, read_only=True)
                else:
                    with timezone.override(frame.member.organization.zone):
                        response = view(frame, *args, **kwargs)
            return _for_a_frame(response)

        opened = login_not_required(csrf_exempt(guarded))
        return cast("Callable[..., Any]", opened)

    return decorate


@require_safe
@framed(Access.READ)
def embedded_communications(frame: Frame) -> HttpResponse:
    """Show the tab, with what came of a resend on top."""
    resend_url = _resend_url(frame) if frame.granted.may_write else None
    page, rows = communications(frame.member, frame.request.GET, resend_url)
    return frame.page(
        "embed/communications.html",
        page=page,
        rows=rows,
        may_write=frame.granted.may_write,
        said=_said(frame),
        embedded=True,
    )


@require_http_methods(["GET", "POST"])
@framed(Access.WRITE)
def embedded_resend(frame: Frame, pk: int) -> HttpResponse:
    """The dialog of the pages, as a page of the frame."""
    message = frame.message(pk)
    if message is None:
        return _closed(frame.request, status=HTTPStatus.NOT_FOUND)
    step = ResendStep.of(message)
    status = HTTPStatus.OK
    form = step.form()
    if frame.request.method == "POST":
        form = step.form(frame.request.POST)
        reason = " ".join(frame.request.POST.get("reason", "").split())[:300]
        asker = Asker(Actor.PERSON, frame.granted.asked_by[:150], reason)
        outcome = step.confirmed(form, asker)
        if not isinstance(outcome, HTTPStatus):
            done = "opened" if step.is_opener else "resent"
            address = frame.address("communications", **{done: pk})
            return HttpResponseRedirect(address, status=HTTPStatus.SEE_OTHER)
        status = outcome
    return frame.page("embed/resend.html", status, **step.context(form))


def _resend_url(frame: Frame) -> Callable[[Message], str]:
    return lambda message: frame.address("resend", message.pk)


def _said(frame: Frame) -> str:
    """Return what came of the resend that this page follows."""
    asked = frame.request.GET
    number = asked.get("opened") or asked.get("resent") or ""
    message = frame.message(int(number)) if number.isdecimal() else None
    if message is None:
        return ""
    return FOLLOWS if asked.get("opened") else standing_in_words(message)


def _closed(
    request: HttpRequest,
    *,
    expired: bool = False,
    read_only: bool = False,
    status: int = HTTPStatus.FORBIDDEN,
) -> HttpResponse:
    """Say that there is nothing to see, and not why, beyond the time."""
    context = {
        "expired": expired,
        "read_only": read_only,
        "host_origins": " ".join(settings.EMBED_ANCESTORS),
    }
    return render(request, "embed/closed.html", context, status=status)


def _for_a_frame(response: HttpResponse) -> HttpResponse:
    """Let the products of the settings show it, and nobody keep it."""
    response._csp_replace = {  # type: ignore[attr-defined]
        "frame-ancestors": list(settings.EMBED_ANCESTORS) or [NONE]
    }
    if settings.EMBED_ANCESTORS:
        response.xframe_options_exempt = True
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    return response
