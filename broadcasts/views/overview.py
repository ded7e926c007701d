"""The first page: what runs, what needs a person, and how the week went."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from broadcasts.models import Broadcast
from broadcasts.models.broadcast import LIVE_STATES
from broadcasts.views import attention, week
from broadcasts.views.lists import ListRow, list_rows
from messaging.access import organization_of, person_of, require_organization
from messaging.models import Organization

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
        **running_part(organization),
        "steps": [] if all(one.is_done for one in steps) else steps,
        "stuck": attention.stuck(organization),
        "missed": attention.missed(organization),
        "integrations": attention.troubled_integrations(person, organization),
        "stopped": attention.stopped_retries(person, organization),
        "slots": attention.slots(organization),
        "week": week.figures(organization),
        "latest": list_rows(list(latest.order_by("-pk")[:LATEST])),
        "may_write": person.may_write,
        "new_url": reverse("broadcasts:broadcast-create"),
    }
    return render(request, "broadcasts/overview.html", context)


@require_safe
@require_organization
def overview_running(request: HttpRequest) -> HttpResponse:
    """Answer with what runs now, or 204 when nothing of it moved."""
    context = running_part(organization_of(request))
    if request.GET.get("v") == context["running_mark"]:
        return HttpResponse(status=204)
    return render(request, "broadcasts/running.html", context)


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
