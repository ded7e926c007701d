"""The log-in: a name and a password, then a code for those who want it.

Nobody is signed in before the last step, so every session there is has passed all
of them. Django admin sends people here as well.
"""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from messaging import second_factor, sessions, sign_in_pace
from messaging.models import User

PENDING: Final = "_second_step"
"""Under this an anonymous session remembers who has given the right password."""
PENDING_SECONDS: Final = 600


class SignIn(LoginView):
    """The first step. Wrong tries are counted before the password is looked at."""

    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        username = request.POST.get("username", "").strip()
        self.tries = sign_in_pace.buckets_of(username, sessions.address_of(request))
        wait = sign_in_pace.take(self.tries)
        if wait:
            return self._too_soon(wait)
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        person = form.get_user()
        if not isinstance(person, User):
            return self.form_invalid(form)
        sign_in_pace.give_back(self.tries)
        target = self.get_success_url()
        if not second_factor.is_on(person):
            sessions.open_session(self.request, person)
            return HttpResponseRedirect(target)
        self.request.session.cycle_key()
        self.request.session[PENDING] = {
            "person": person.pk,
            "password": person.get_session_auth_hash(),
            "at": timezone.now().timestamp(),
            "next": target,
        }
        return HttpResponseRedirect(reverse("login-code"))

    def _too_soon(self, wait: float) -> HttpResponse:
        context = self.get_context_data(
            form=self.get_form_class()(self.request),
            come_back=sign_in_pace.words(wait),
        )
        return too_soon(self.render_to_response(context), wait)


class CodeForm(forms.Form):
    code = forms.CharField(
        label="Code",
        max_length=40,
        help_text="Six digits from your authenticator app, or a recovery code.",
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "autofocus": True}
        ),
        error_messages={"required": "Enter the six digits that your app shows."},
    )


@login_not_required
@sensitive_post_parameters("code")
@csrf_protect
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in_code(request: HttpRequest) -> HttpResponse:
    """The second step, for somebody whose password was right minutes ago."""
    person = _pending_person(request.session.get(PENDING))
    if person is None:
        request.session.pop(PENDING, None)
        return HttpResponseRedirect(reverse("login"))
    form = CodeForm(request.POST if request.method == "POST" else None)
    context: dict[str, Any] = {"form": form, "username": person.get_username()}
    template = "registration/login_code.html"
    if form.is_valid():
        try:
            is_right = second_factor.verify(person, form.cleaned_data["code"])
        except second_factor.TooSoon as refused:
            context["come_back"] = sign_in_pace.words(refused.seconds)
            return too_soon(render(request, template, context), refused.seconds)
        if is_right:
            target = str(request.session[PENDING]["next"])
            sessions.open_session(request, person)
            request.session.pop(PENDING, None)
            return HttpResponseRedirect(target)
        form.add_error(
            "code",
            "This code is wrong, or was used before. Wait for the next one in the app.",
        )
    return render(request, template, context)


@login_not_required
@require_safe
@never_cache
def admin_sign_in(request: HttpRequest) -> HttpResponse:
    """What Django admin shows to those who may not enter: our log-in, or why not."""
    person = request.user
    target = request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}):
        target = reverse("admin:index")
    if not person.is_authenticated:
        query = urlencode({"next": target})
        return HttpResponseRedirect(f"{reverse('login')}?{query}")
    if person.is_active and person.is_staff:
        return HttpResponseRedirect(target)
    return render(request, "messaging/admin_closed.html", status=403)


def too_soon(response: HttpResponse, wait: float) -> HttpResponse:
    """Make it a refusal that programs understand as well."""
    response.status_code = 429
    response["Retry-After"] = str(max(1, -int(-wait // 1)))
    add_never_cache_headers(response)
    return response


def _pending_person(pending: Any) -> User | None:
    """Return who stands before the second step; their password must be the same."""
    if not isinstance(pending, dict):
        return None
    if timezone.now().timestamp() - float(pending["at"]) > PENDING_SECONDS:
        return None
    person = User.objects.filter(pk=pending["person"], is_active=True).first()
    if person is None or person.get_session_auth_hash() != pending["password"]:
        return None
    return person
