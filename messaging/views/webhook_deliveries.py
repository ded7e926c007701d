"""One endpoint with its log, and one delivery with every try."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from messaging.access import LARGEST_ID, organization_of, role_required
from messaging.models import (
    DeliveryState,
    Message,
    Role,
    WebhookDelivery,
    WebhookEndpoint,
)
from messaging.models.webhook import CHOSEN_TYPES
from messaging.trail import by_person
from messaging.views.broadcast_names import broadcast_names
from messaging.views.webhook_forms import DeliveryFilter, RecoveryForm
from messaging.views.webhook_words import (
    entry_of,
    next_step,
    pill_of,
    standing_of,
    why,
)
from messaging.views.webhooks import own_endpoint, page_of
from messaging.webhooks import bodies, emitting, recovering
from resend_admin.ui.dialogs import close_dialog, render_dialog
from resend_admin.ui.keyset import keyset_page
from resend_admin.ui.numbers import grouped
from resend_admin.ui.time_zones import moment_in_words

SOON: Final = timedelta(minutes=10)
"""One that is tried this soon is watched while somebody looks."""
SHOWN_RECOVERIES: Final = 3
SNIPPET: Final = """\
from standardwebhooks import Webhook, WebhookVerificationError

webhook = Webhook("whsec_…")  # the secret of this endpoint

def receive(body: bytes, headers: dict[str, str]) -> int:
    try:
        event = webhook.verify(body, headers)
    except WebhookVerificationError:
        return 401
    if not_seen_before(headers["webhook-id"]):
        handle(event["type"], event["data"])
    return 200"""
IS_OFF: Final = "The endpoint is off. Switch it on first."


@require_safe
@role_required(Role.ADMIN)
def webhook_detail(request: HttpRequest, pk: int) -> HttpResponse:
    endpoint = own_endpoint(request, pk)
    log = WebhookDelivery.objects.filter(endpoint=endpoint)
    filters = DeliveryFilter(request.GET, queryset=log, request=request)
    found: QuerySet[WebhookDelivery] = filters.qs if filters.is_valid() else log.none()
    page = keyset_page(
        found.select_related("event"), request.GET, order=("-id",), size=25
    )
    context = {
        "endpoint": endpoint,
        "standing": standing_of(endpoint),
        "chosen": _chosen(endpoint),
        "snippet": SNIPPET,
        "filter": filters,
        "is_narrowed": any(request.GET.get(name) for name in filters.filters),
        "page": page,
        "rows": [(one, pill_of(one), why(one)) for one in page.rows],
        "recoveries": endpoint.recoveries.order_by("-pk")[:SHOWN_RECOVERIES],
        "second_secret": endpoint.secrets.filter(expires_at__gt=timezone.now()).first(),
        "off": "" if endpoint.is_on else IS_OFF,
        "trail": [("Webhooks", reverse("messaging:webhook-list"))],
    }
    return render(request, "messaging/webhook_detail.html", context)


def _chosen(endpoint: WebhookEndpoint) -> list[tuple[str, str, str]]:
    """Return what it is told about: words, and the name in two parts.

    A long name breaks between them, where there is no room for it.
    """
    found = []
    for one in CHOSEN_TYPES:
        if one.value in endpoint.events:
            subject, _, verb = one.value.partition(".")
            found.append((str(one.label), subject, verb))
    return found


@require_POST
@role_required(Role.ADMIN)
def webhook_test(request: HttpRequest, pk: int) -> HttpResponse:
    endpoint = own_endpoint(request, pk)
    if not endpoint.is_on:
        return close_dialog(request, page_of(endpoint), IS_OFF)
    delivery = emitting.send_test(endpoint, by=by_person(request.user))
    return redirect(delivery_page(delivery))


@require_http_methods(["GET", "POST"])
@role_required(Role.ADMIN)
def webhook_recover(request: HttpRequest, pk: int) -> HttpResponse:
    """Send everything again that failed since a moment, after saying how many."""
    endpoint = own_endpoint(request, pk)
    since = endpoint.health.failing_since or timezone.now() - timedelta(days=1)
    posted = request.method == "POST"
    form = RecoveryForm(request.POST if posted else None, initial={"since": since})
    if posted and form.is_valid() and endpoint.is_on:
        since = form.cleaned_data["since"]
        found = recovering.failed_since(endpoint, since)
        if found:
            recovering.recover(endpoint, since=since, by=by_person(request.user))
            return close_dialog(request, page_of(endpoint), _recovers(found, since))
        form.add_error("since", "Nothing has failed since then that is still kept.")
    context = {
        "form": form,
        "endpoint": endpoint,
        "count": _count(recovering.failed_since(endpoint, since)),
        "since": since,
        "cancel_url": page_of(endpoint),
        "page_title": "Send all failed again",
        "dialog_off": "" if endpoint.is_on else IS_OFF,
    }
    return render_dialog(
        request,
        "messaging/webhook_recover.html",
        context,
        status=HTTPStatus.CONFLICT if posted and not endpoint.is_on else None,
    )


def _count(found: int) -> str:
    if found > recovering.COUNTED_TO:
        return f"More than {grouped(recovering.COUNTED_TO)} deliveries"
    return f"{grouped(found)} deliver{'y' if found == 1 else 'ies'}"


def _recovers(found: int, since: datetime) -> str:
    verb = "is" if found == 1 else "are"
    when = moment_in_words(since)
    return f"{_count(found)} that failed since {when} {verb} sent again."


def delivery_page(delivery: WebhookDelivery) -> str:
    return reverse(
        "messaging:webhook-delivery",
        kwargs={"pk": delivery.endpoint_id, "delivery_pk": delivery.pk},
    )


def _own_delivery(
    request: HttpRequest, pk: int, delivery_pk: int
) -> tuple[WebhookEndpoint, WebhookDelivery]:
    endpoint = own_endpoint(request, pk)
    rows = WebhookDelivery.objects.filter(endpoint=endpoint).select_related("event")
    if delivery_pk > LARGEST_ID:
        rows = rows.none()
    return endpoint, get_object_or_404(rows, pk=delivery_pk)


@require_safe
@role_required(Role.ADMIN)
def webhook_delivery(request: HttpRequest, pk: int, delivery_pk: int) -> HttpResponse:
    endpoint, delivery = _own_delivery(request, pk, delivery_pk)
    context = {
        **_live(endpoint, delivery),
        **_subject(request, delivery),
        "body": bodies.pretty(
            delivery.type, delivery.event.created_at, delivery.event.data
        ),
        "trail": [
            ("Webhooks", reverse("messaging:webhook-list")),
            (endpoint.name, page_of(endpoint)),
        ],
    }
    return render(request, "messaging/webhook_delivery.html", context)


@require_safe
@role_required(Role.ADMIN)
def webhook_delivery_live(
    request: HttpRequest, pk: int, delivery_pk: int
) -> HttpResponse:
    """Answer with the part of the page that moves, or 204 when nothing moved."""
    endpoint, delivery = _own_delivery(request, pk, delivery_pk)
    live = _live(endpoint, delivery)
    if request.GET.get("v") == live["mark"]:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    response = render(request, "messaging/webhook_delivery_live.html", live)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_POST
@role_required(Role.ADMIN)
def webhook_delivery_resend(
    request: HttpRequest, pk: int, delivery_pk: int
) -> HttpResponse:
    endpoint, delivery = _own_delivery(request, pk, delivery_pk)
    text = IS_OFF
    if endpoint.is_on:
        again = recovering.send_again(delivery, by=by_person(request.user))
        text = "It is sent again." if again else "It is being sent at this moment."
    return close_dialog(request, delivery_page(delivery), text)


def _live(endpoint: WebhookEndpoint, delivery: WebhookDelivery) -> dict[str, Any]:
    """Return how it stands and how each try went: what changes meanwhile."""
    webhook_id = delivery.event.public_id
    is_moving = delivery.state == DeliveryState.SENDING or (
        delivery.state == DeliveryState.WAITING
        and endpoint.is_on
        and delivery.due_at < timezone.now() + SOON
    )
    tries = f"{delivery.try_count}-{delivery.run_tries}"
    mark = f"{delivery.state}-{tries}-{int(is_moving)}"
    numbers = {"pk": endpoint.pk, "delivery_pk": delivery.pk}
    live_url = reverse("messaging:webhook-delivery-live", kwargs=numbers)
    return {
        "endpoint": endpoint,
        "endpoint_url": page_of(endpoint),
        "delivery": delivery,
        "webhook_id": webhook_id,
        "pill": pill_of(delivery),
        "next_step": next_step(delivery),
        "entries": [entry_of(webhook_id, one) for one in reversed(delivery.tries)],
        "is_moving": is_moving,
        "mark": mark,
        "poll_url": f"{live_url}?v={mark}",
        "resend_url": reverse("messaging:webhook-delivery-resend", kwargs=numbers),
        "off": "" if endpoint.is_on else IS_OFF,
    }


def _subject(request: HttpRequest, delivery: WebhookDelivery) -> dict[str, Any]:
    """Return what the event is about, where there is a page of it."""
    organization = organization_of(request)
    data = delivery.event.data
    broadcast_id = str(data.get("broadcastId") or "")
    names = broadcast_names(
        organization, [int(broadcast_id)] if broadcast_id.isdecimal() else []
    )
    parts = str(data.get("messageId") or "").split("_")
    message = None
    if parts[0] == "ra" and len(parts) == 4 and parts[2].isdecimal():
        message = Message.objects.filter(
            organization=organization, pk=int(parts[2])
        ).first()
    return {
        "broadcast": next(iter(names.values()), None),
        "message": message,
    }
