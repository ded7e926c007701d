"""Bulk resends: the recent ones, one with its progress, and what was not queued."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from messaging.access import (
    organization_of,
    own_or_404,
    person_of,
    require_organization,
    role_required,
)
from messaging.bulk import expectation, running
from messaging.figures.shown import results, untold
from messaging.models import (
    BulkItemState,
    BulkResend,
    BulkResendItem,
    BulkResendState,
    Role,
)
from messaging.trail import by_person
from messaging.views.bulk_dialog import page_of
from messaging.views.bulk_words import (
    STATE_PILLS,
    progress_of,
    refusal_rows,
    refusal_title,
)
from resend_admin.ui.csv import stream_csv
from resend_admin.ui.dialogs import close_dialog, render_dialog
from resend_admin.ui.keyset import keyset_page
from resend_admin.ui.pills import channel_name

NOT_QUEUED: Final = (BulkItemState.REFUSED.value, BulkItemState.CANCELLED.value)
SOON: Final = timedelta(minutes=10)
"""One that starts this soon is watched like one that runs."""
ENDED: Final = "It has ended already, so there is nothing left to cancel."
ROWS_PER_FETCH: Final = 1_000
HEADER: Final = (
    "Member",
    "Name",
    "Channel",
    "Recipient",
    "Why not queued",
    "What to do",
    "Code",
    "Cause",
    "Message",
)


@require_safe
@require_organization
def bulk_list(request: HttpRequest) -> HttpResponse:
    own = BulkResend.objects.filter(organization=organization_of(request))
    page = keyset_page(own, request.GET, order=("-id",), size=25)
    context = {
        "page": page,
        "rows": [(one, page_of(one), STATE_PILLS[one.state]) for one in page.rows],
        "trail": [("Messages", reverse("messaging:message-list"))],
    }
    return render(request, "messaging/bulk_list.html", context)


@require_safe
@require_organization
def bulk_detail(request: HttpRequest, pk: int) -> HttpResponse:
    bulk = own_or_404(request, BulkResend, pk)
    context = {
        **_live(request, bulk),
        **_results(request, bulk),
        "trail": [
            ("Messages", reverse("messaging:message-list")),
            ("Bulk resends", reverse("messaging:bulk-list")),
        ],
    }
    return render(request, "messaging/bulk_detail.html", context)


@require_safe
@require_organization
def bulk_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer with the part of the page that moves, or 204 when nothing moved.

    When it has ended, the list of results comes along for a page that shows its
    beginning; one that somebody leafs through stays as it is.
    """
    bulk = own_or_404(request, BulkResend, pk)
    live = _live(request, bulk)
    if request.GET.get("v") == live["mark"]:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    context = {**live, "is_update": True}
    if bulk.finished_at is not None and request.GET.get("results"):
        context.update(_results(request, bulk))
    response = render(request, "messaging/bulk_live.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_http_methods(["GET", "POST"])
@role_required(Role.EDITOR)
def bulk_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    bulk = own_or_404(request, BulkResend, pk)
    if request.method == "POST":
        if running.cancel(bulk, by=by_person(request.user)):
            text = "Cancelled. What is queued already still goes out."
            return close_dialog(request, page_of(bulk), text)
        bulk.refresh_from_db()
    off = "" if bulk.is_cancellable else ENDED
    context = {
        "form": forms.Form(),
        "bulk": bulk,
        "cancel_url": page_of(bulk),
        "page_title": "Cancel this bulk resend",
        "dialog_off": off,
    }
    refused = request.method == "POST"
    return render_dialog(
        request,
        "messaging/bulk_cancel.html",
        context,
        status=HTTPStatus.CONFLICT if refused else None,
    )


@require_safe
@require_organization
def bulk_csv(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """Stream what was not queued and why, all of it or of one cause."""
    bulk = own_or_404(request, BulkResend, pk)
    items = _not_queued(request, bulk)
    name = f"bulk-resend-{bulk.pk}-not-queued.csv"
    return stream_csv(name, HEADER, _csv_rows(items))


def _live(request: HttpRequest, bulk: BulkResend) -> dict[str, Any]:
    """Return progress and causes: what changes while somebody watches."""
    code, cause = _asked_cause(request)
    interval = _interval(bulk)
    mark = f"{bulk.state}-{bulk.settled}-{interval}"
    address = reverse("messaging:bulk-progress", kwargs={"pk": bulk.pk})
    page = page_of(bulk)
    compared = expectation.comparison(bulk)
    shows_beginning = not set(request.GET) - {"v", "results"}
    return {
        "bulk": bulk,
        "pill": STATE_PILLS[bulk.state],
        "bar": progress_of(bulk),
        "compared": results(compared) if compared else [],
        "untold": untold(compared) if compared else "",
        "causes": [
            (
                row,
                f"{page}?{urlencode({'code': row.code, 'cause': row.cause})}#results",
            )
            for row in refusal_rows(bulk, code, cause)
        ],
        "interval": interval,
        "mark": mark,
        "poll_url": f"{address}?v={mark}{'&results=1' if shows_beginning else ''}",
        "page_url": page,
        "cancel_url": (
            reverse("messaging:bulk-cancel", kwargs={"pk": bulk.pk})
            if bulk.is_cancellable and person_of(request).may_write
            else ""
        ),
    }


def _interval(bulk: BulkResend) -> str:
    """How often the page asks; empty when nothing is going to change."""
    if bulk.finished_at is not None:
        return ""
    starts = bulk.scheduled_for
    is_far = starts is not None and starts > timezone.now() + SOON
    return "60s" if is_far and bulk.state == BulkResendState.FROZEN else "2s"


def _asked_cause(request: HttpRequest) -> tuple[str, str]:
    code = request.GET.get("code", "").replace("\x00", "")
    return code, request.GET.get("cause", "").replace("\x00", "")


def _not_queued(request: HttpRequest, bulk: BulkResend) -> QuerySet[BulkResendItem]:
    code, cause = _asked_cause(request)
    items = BulkResendItem.objects.filter(bulk=bulk, state__in=NOT_QUEUED)
    return items.filter(code=code, cause=cause) if code else items


def _results(request: HttpRequest, bulk: BulkResend) -> dict[str, Any]:
    """Return one page of the items, those that were not queued unless asked."""
    shows_queued = request.GET.get("show") == "queued"
    code, cause = _asked_cause(request)
    items = _not_queued(request, bulk)
    if shows_queued:
        items = BulkResendItem.objects.filter(bulk=bulk, state=BulkItemState.QUEUED)
        code = cause = ""
    page = keyset_page(
        items.select_related("message__contact"), request.GET, order=("-id",), size=25
    )
    query = f"?{urlencode({'code': code, 'cause': cause})}" if code else ""
    csv_url = reverse("messaging:bulk-csv", kwargs={"pk": bulk.pk})
    return {
        "page": page,
        "items": [(one, refusal_title(one.code, one.cause)) for one in page.rows],
        "shows_queued": shows_queued,
        "only": refusal_title(code, cause) if code else "",
        "csv_url": f"{csv_url}{query}",
    }


def _csv_rows(items: QuerySet[BulkResendItem]) -> Iterator[Sequence[object]]:
    """Read through a cursor on the server, so that memory stays the same."""
    rows = items.select_related("message__contact").order_by("pk")
    for item in rows.iterator(chunk_size=ROWS_PER_FETCH):
        message = item.message
        yield (
            message.contact.external_id,
            message.contact.name,
            channel_name(message.channel),
            message.recipient,
            refusal_title(item.code, item.cause),
            item.sentence,
            item.code,
            item.cause,
            message.public_id,
        )
