"""The page "Your account": password, second step, sessions. For everybody."""

from __future__ import annotations

from typing import Any

import segno
from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from messaging import account as services
from messaging import second_factor, sessions, sign_in_pace
from messaging.access import LARGEST_ID, person_of
from messaging.models import SecondFactor, Session, User
from messaging.views.account_forms import ChangePasswordForm, ProofForm, SetUpForm
from resend_admin.ui.dialogs import close_dialog, render_dialog

WRONG_CODE = "This code is wrong, or was used before. Wait for the next one in the app."


@require_safe
def account(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    factor = SecondFactor.objects.filter(
        person=person, confirmed_at__isnull=False
    ).first()
    present = request.session.session_key
    rows = [
        (one, sessions.device_in_words(one.device), one.session_key == present)
        for one in sessions.of(person)
    ]
    rows.sort(key=lambda row: not row[2])
    context = {
        "person": person,
        "role": person.get_role_display() if person.organization_id else "Operator",
        "factor": factor,
        "codes_left": second_factor.codes_left(person) if factor else 0,
        "rows": rows,
        "has_others": len(rows) > 1,
        "has_password": person.has_usable_password(),
    }
    return render(request, "messaging/account.html", context)


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def account_password(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    form = ChangePasswordForm(person, _posted(request))
    if form.is_valid():
        ended = services.change_password(
            request, person, form.cleaned_data["new_password"]
        )
        return _done(request, f"Your password is changed.{_ended(ended)}")
    return _dialog(request, "account_password.html", form, "Change your password")


@require_POST
def account_second_factor_begin(request: HttpRequest) -> HttpResponse:
    """Make a secret, which the next page shows."""
    second_factor.begin(person_of(request))
    return HttpResponseRedirect(reverse("messaging:account-second-factor"))


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def account_second_factor(request: HttpRequest) -> HttpResponse:
    """Show the secret as a picture and in letters, until its first code is entered."""
    person = person_of(request)
    factor = SecondFactor.objects.filter(person=person, confirmed_at=None).first()
    if factor is None:
        return HttpResponseRedirect(reverse("messaging:account"))
    form = SetUpForm(person, _posted(request))
    if form.is_valid():
        codes = services.turn_on(request, person, form.cleaned_data["code"])
        if codes:
            return _with_codes(request, codes, is_new=True)
        form.add_error("code", WRONG_CODE)
    picture = segno.make(second_factor.address_for_app(factor), error="m")
    response = render(
        request,
        "messaging/account_second_factor.html",
        {
            "form": form,
            "trail": [("Your account", reverse("messaging:account"))],
            "picture": picture.svg_data_uri(scale=5, border=3, light="#fff"),
            "secret": second_factor.typed_secret(factor),
        },
        status=422 if form.errors else 200,
    )
    add_never_cache_headers(response)
    return response


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def account_second_factor_off(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    form = ProofForm(_posted(request))
    if _is_proven(person, form):
        services.turn_off(person)
        return _done(request, "A log-in does not ask for a code any more.")
    return _dialog(
        request, "account_second_factor_off.html", form, "Turn off the second step"
    )


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def account_recovery_codes(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    if not second_factor.is_on(person):
        return HttpResponseRedirect(reverse("messaging:account"))
    form = ProofForm(_posted(request))
    if _is_proven(person, form):
        return _with_codes(request, services.renew_codes(person), is_new=False)
    return render(
        request,
        "messaging/account_recovery_renew.html",
        {"form": form, "trail": [("Your account", reverse("messaging:account"))]},
        status=422 if form.errors else 200,
    )


@require_POST
def account_session_end(request: HttpRequest, pk: int) -> HttpResponse:
    person = person_of(request)
    rows = Session.objects.filter(person=person)
    found = get_object_or_404(rows if pk <= LARGEST_ID else rows.none(), pk=pk)
    if found.session_key == request.session.session_key:
        return _done(request, "This is the session you are in: log out to end it.")
    services.end_own_session(person, found)
    device = sessions.device_in_words(found.device)
    return _done(request, f"The session of {device} is ended.")


@require_POST
def account_sessions_end(request: HttpRequest) -> HttpResponse:
    ended = services.end_other_sessions(request, person_of(request))
    return _done(request, _ended(ended).strip() or "There was no other session.")


def _posted(request: HttpRequest) -> QueryDict | None:
    """Return what was posted, be it nothing; ``None`` for a page that is looked at."""
    return request.POST if request.method == "POST" else None


def _is_proven(person: User, form: forms.Form) -> bool:
    """Tell whether the form brings a right code, and say on it why not."""
    if not form.is_valid():
        return False
    try:
        if second_factor.verify(person, form.cleaned_data["code"]):
            return True
        form.add_error("code", WRONG_CODE)
    except second_factor.TooSoon as refused:
        words = sign_in_pace.words(refused.seconds)
        form.add_error("code", f"Too many wrong codes. Try again {words}.")
    return False


def _ended(number: int) -> str:
    if not number:
        return ""
    return f" {number} other session{'s are' if number > 1 else ' is'} ended."


def _with_codes(
    request: HttpRequest, codes: list[str], *, is_new: bool
) -> HttpResponse:
    """Show the codes in the answer itself: a redirect would have to keep them."""
    context = {
        "codes": codes,
        "as_text": "\n".join(codes),
        "is_new": is_new,
        "trail": [("Your account", reverse("messaging:account"))],
    }
    response = render(request, "messaging/account_recovery_codes.html", context)
    add_never_cache_headers(response)
    return response


def _dialog(
    request: HttpRequest, template: str, form: forms.Form, title: str
) -> HttpResponse:
    context: dict[str, Any] = {
        "form": form,
        "cancel_url": reverse("messaging:account"),
        "page_title": title,
    }
    return render_dialog(request, f"messaging/{template}", context)


def _done(request: HttpRequest, text: str) -> HttpResponse:
    return close_dialog(request, reverse("messaging:account"), text)
