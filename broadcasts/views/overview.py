"""The first page: what needs a person, what runs, and how the week went."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from broadcasts.models import Broadcast
from broadcasts.models.broadcast import LIVE_STATES
from broadcasts.views import attention, week
from broadcasts.views.lists import ListRow, list_rows
from broadcasts.views.needs import needs
from messaging.access import organization_of, person_of, require_organization
from messaging.models import IntegrationState, Organization, User

LATEST = 5
RUNNING = 10


@require_safe
@require_organization
def overview(request: HttpRequest) -> HttpResponse:
    organization = organization_of(request)
    person = person_of(request)
    latest = Broadcast.objects.filter(organization=organization).select_related("root")
    steps = attention.first_steps(person, organization)
    context = {
        **needs_part(person, organization),
        **running_part(organization),
        "steps": [] if all(one.is_done for one in steps) else steps,
        "week": week.figures(organization),
        "latest": list_rows(list(latest.order_by("-pk")[:LATEST])),
        "may_write": person.may_write,
        "new_url": reverse("broadcasts:broadcast-create"),
    }
    return render(request, "broadcasts/overview.html", context)


@require_safe
@require_organization
def overview_needs(request: HttpRequest) -> HttpResponse:
    """Answer with what needs a person, or 204 when nothing of it changed."""
    context = needs_part(person_of(request), organization_of(request))
    return _if_it_moved(
        request, "broadcasts/needs.html", context, context["needs"].mark
    )


@require_safe
@require_organization
def overview_running(request: HttpRequest) -> HttpResponse:
    """Answer with what runs now, or 204 when nothing of it moved."""
    context = running_part(organization_of(request))
    return _if_it_moved(
        request, "broadcasts/running.html", context, context["running_mark"]
    )


def _if_it_moved(
    request: HttpRequest, template: str, context: dict[str, Any], mark: str
) -> HttpResponse:
    if request.GET.get("v") == mark:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    return render(request, template, context)


def needs_part(person: User, organization: Organization) -> dict[str, Any]:
    """Return what needs this person, and what happened last if nothing does."""
    troubled = attention.troubled_integrations(person, organization)
    slots = attention.slots(organization)
    found = needs(person, organization, troubled, slots)
    address = reverse("broadcasts:overview-needs")
    off = IntegrationState.OFF
    return {
        "switched_off": [one for one in troubled if one.integration.state == off],
        "slots": slots,
        "needs": found,
        "needs_url": f"{address}?v={found.mark}",
        "last": None if found.lines else _last(organization),
    }


def _last(organization: Organization) -> ListRow | None:
    """Return what ran last, for a page on which nothing is wrong."""
    ended = Broadcast.objects.filter(
        organization=organization, finished_at__isnull=False
    ).select_related("root")
    rows = list_rows(list(ended.order_by("-pk")[:1]))
    return rows[0] if rows else None


def running_part(organization: Organization) -> dict[str, Any]:
    """Return what is sending and what comes next."""
    found = (
        Broadcast.objects.filter(organization=organization, state__in=LIVE_STATES)
        .select_related("root")
        .order_by("run_at", "pk")[:RUNNING]
    )
    rows: list[ListRow] = list_rows(list(found))
    mark = "-".join(f"{one.broadcast.pk}.{one.mark}" for one in rows)
    return {
        "running": rows,
        "running_mark": mark,
        "running_url": f"{reverse('broadcasts:overview-running')}?v={mark}",
        "is_moving": any(one.progress for one in rows),
    }
