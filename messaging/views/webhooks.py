"""Webhook endpoints: the list, and what changes one of them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_http_methods, require_safe

from messaging.access import organization_of, own_or_404, person_of, role_required
from messaging.models import Role, WebhookEndpoint
from messaging.trail import by_person
from messaging.views.webhook_forms import EndpointForm, RotateForm, event_words
from messaging.views.webhook_words import standing_of
from messaging.webhooks import endpoints
from messaging.webhooks.endpoints import MOST_ENDPOINTS, EndpointError
from resend_admin.ui.dialogs import asks_for_dialog, close_dialog, render_dialog

FULL = (
    f"There are {MOST_ENDPOINTS} endpoints, which is the most there may be. Delete one"
    " first."
)


def page_of(endpoint: WebhookEndpoint) -> str:
    return reverse("messaging:webhook-detail", kwargs={"pk": endpoint.pk})


def own_endpoint(request: HttpRequest, pk: int) -> WebhookEndpoint:
    """Return an endpoint of the person's organization, else raise ``Http404``."""
    living = WebhookEndpoint.objects.filter(removed_at__isnull=True)
    return own_or_404(request, living.select_related("health"), pk)


@require_safe
@role_required(Role.ADMIN)
def webhook_list(request: HttpRequest) -> HttpResponse:
    organization = organization_of(request)
    found = endpoints.of(organization)
    context = {
        "rows": [
            (one, page_of(one), standing_of(one), event_words(one)) for one in found
        ],
        "notices": endpoints.notices(organization),
        "new_url": reverse("messaging:webhook-create"),
        "full": FULL if len(found) >= MOST_ENDPOINTS else "",
    }
    return render(request, "messaging/webhook_list.html", context)


@require_http_methods(["GET", "POST"])
@role_required(Role.ADMIN)
def webhook_create(request: HttpRequest) -> HttpResponse:
    posted = request.method == "POST"
    form = EndpointForm(request.POST if posted else None)
    if posted and form.is_valid():
        try:
            endpoint, secret = endpoints.create(
                organization=organization_of(request),
                fields=form.fields_entered,
                created_by_name=person_of(request).get_username(),
                by=by_person(request.user),
            )
        except EndpointError as error:
            form.refuse(error)
        else:
            return _with_secret(request, endpoint, secret, is_new=True)
    return render_dialog(
        request,
        "messaging/webhook_form.html",
        {
            "form": form,
            "cancel_url": reverse("messaging:webhook-list"),
            "page_title": "New endpoint",
            "verb": "Add endpoint",
        },
    )


@require_http_methods(["GET", "POST"])
@role_required(Role.ADMIN)
def webhook_edit(request: HttpRequest, pk: int) -> HttpResponse:
    endpoint = own_endpoint(request, pk)
    posted = request.method == "POST"
    form = EndpointForm(request.POST) if posted else EndpointForm.of(endpoint)
    if posted and form.is_valid():
        try:
            endpoints.edit(endpoint, form.fields_entered, by=by_person(request.user))
        except EndpointError as error:
            form.refuse(error)
        else:
            return close_dialog(request, page_of(endpoint), "Saved.")
    return render_dialog(
        request,
        "messaging/webhook_form.html",
        {
            "form": form,
            "cancel_url": page_of(endpoint),
            "page_title": "Edit endpoint",
            "verb": "Save",
        },
    )


@require_http_methods(["GET", "POST"])
@role_required(Role.ADMIN)
def webhook_rotate(request: HttpRequest, pk: int) -> HttpResponse:
    endpoint = own_endpoint(request, pk)
    posted = request.method == "POST"
    form = RotateForm(request.POST if posted else None)
    if posted and form.is_valid():
        at_once = form.cleaned_data["at_once"]
        secret = endpoints.rotate(endpoint, at_once=at_once, by=by_person(request.user))
        return _with_secret(request, endpoint, secret, overlaps=not at_once)
    context = {
        "form": form,
        "endpoint": endpoint,
        "cancel_url": page_of(endpoint),
        "page_title": "Replace the secret",
    }
    return render_dialog(request, "messaging/webhook_rotate.html", context)


@require_http_methods(["GET", "POST"])
@role_required(Role.ADMIN)
def webhook_switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch it off, or on again: the form says which, so that two do not collide."""
    endpoint = own_endpoint(request, pk)
    if request.method == "POST":
        if request.POST.get("to") == "on":
            endpoints.switch_on(endpoint, by=by_person(request.user))
            text = f"“{endpoint.name}” is on."
        else:
            endpoints.switch_off(endpoint, by=by_person(request.user))
            text = f"“{endpoint.name}” is off."
        return close_dialog(request, page_of(endpoint), text)
    return _ask(request, endpoint, "webhook_switch", "Switch the endpoint")


@require_http_methods(["GET", "POST"])
@role_required(Role.ADMIN)
def webhook_delete(request: HttpRequest, pk: int) -> HttpResponse:
    endpoint = own_endpoint(request, pk)
    if request.method == "POST":
        endpoints.remove(endpoint, by=by_person(request.user))
        text = f"“{endpoint.name}” is deleted."
        return close_dialog(request, reverse("messaging:webhook-list"), text)
    return _ask(request, endpoint, "webhook_delete", "Delete the endpoint")


def _ask(
    request: HttpRequest, endpoint: WebhookEndpoint, template: str, title: str
) -> HttpResponse:
    context = {
        "form": forms.Form(),
        "endpoint": endpoint,
        "cancel_url": page_of(endpoint),
        "page_title": title,
    }
    return render_dialog(request, f"messaging/{template}.html", context)


def _with_secret(
    request: HttpRequest,
    endpoint: WebhookEndpoint,
    secret: str,
    *,
    is_new: bool = False,
    overlaps: bool = False,
) -> HttpResponse:
    """Show a secret in the answer itself: a redirect would have to keep it."""
    in_dialog = asks_for_dialog(request)
    context: dict[str, Any] = {
        "endpoint": endpoint,
        "secret": secret,
        "is_new": is_new,
        "overlaps": overlaps,
        "page_url": page_of(endpoint),
    }
    name = "webhook_secret" if in_dialog else "webhook_secret_page"
    response = render(request, f"messaging/{name}.html", context)
    add_never_cache_headers(response)
    return response
