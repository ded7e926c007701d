"""One broadcast: who got it, who did not and why, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from broadcasts import chain, expectation, freezing, retry, schedule
from broadcasts.chain import ChainSummary
from broadcasts.clock import starts_soon
from broadcasts.models import Broadcast, BroadcastState
from broadcasts.models.broadcast import LIVE_STATES, QUOTA_STATES
from broadcasts.retry import RetryState
from broadcasts.summary import Counters, counters_of
from broadcasts.views import outcomes, waterfall
from broadcasts.views.details import Details
from broadcasts.views.failures import failed_page
from broadcasts.views.links import messages_of, page_for, page_of, unknown_of
from messaging.access import (
    own_or_404,
    person_of,
    require_organization,
)
from messaging.figures.shown import results, untold
from messaging.models import Integration, IntegrationState, User
from messaging.views.pause_words import pause_in_words
from resend_admin.ui.csv import stream_csv
from resend_admin.ui.progress import Progress, Segment

SOON = timedelta(minutes=10)
"""A broadcast this near to its start is watched like one that is sending."""
RECEIPTS = timedelta(minutes=5)
"""How long after the end the page keeps watching for receipts."""
SELECTED = (
    "organization",
    "flow__published_content",
    "content",
    "created_by",
    "retry_of",
    "root",
)


@require_safe
@require_organization
def broadcast_detail(request: HttpRequest, pk: int) -> HttpResponse:
    broadcast = own_or_404(request, Broadcast.objects.select_related(*SELECTED), pk)
    runs = chain.summary(broadcast)
    numbers = next(one.counters for one in runs.runs if one.is_current)
    live = LivePart(broadcast, numbers, person_of(request))
    page, failed = failed_page(broadcast, request.GET, numbers)
    context = {
        **live.context,
        **chain_part(broadcast, runs),
        "page": page,
        "failed": failed,
        "cause": request.GET.get("cause", ""),
        "details": Details(broadcast, runs),
        "csv_url": _csv_url(broadcast, request.GET.get("cause", "")),
        "all_messages_url": messages_of(broadcast.pk),
        "trail": [("Broadcasts", reverse("broadcasts:broadcast-list"))],
    }
    return render(request, "broadcasts/broadcast_detail.html", context)


@require_safe
@require_organization
def broadcast_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer with the part of the page that moves, or 204 when nothing moved."""
    rows = Broadcast.objects.select_related("organization", "root", "retry_of")
    broadcast = own_or_404(request, rows, pk)
    live = LivePart(broadcast, counters_of(broadcast), person_of(request))
    if request.GET.get("v") == live.mark:
        return HttpResponse(status=204)
    context = {**live.context, "is_update": True}
    return render(request, "broadcasts/live.html", context)


@require_safe
@require_organization
def broadcast_chain(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer with all runs together, or 204 when none of them moved."""
    broadcast = own_or_404(request, Broadcast, pk)
    runs = chain.summary(broadcast)
    if request.GET.get("v") == runs.mark:
        return HttpResponse(status=204)
    return render(request, "broadcasts/chain.html", chain_part(broadcast, runs))


@require_safe
@require_organization
def chain_csv(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """Stream where the members of the chain stand."""
    broadcast = own_or_404(request, Broadcast, pk)
    table = waterfall.card(chain.summary(broadcast), "").table
    name = f"broadcast-{broadcast.chain_root_id}-all-runs.csv"
    return stream_csv(name, table.written_head, table.written_rows)


def chain_part(broadcast: Broadcast, runs: ChainSummary) -> dict[str, Any]:
    """Return all runs together; nothing where there is but one."""
    if not runs.is_chain:
        return {"chain": None}
    return {
        "chain": runs,
        "chain_card": waterfall.card(runs, page_for("chain-csv", broadcast)),
        "chain_rows": [(one, page_of(one.broadcast)) for one in runs.runs],
        "chain_url": f"{page_for('chain', broadcast)}?v={runs.mark}",
    }


@dataclass(frozen=True, slots=True)
class Preparing:
    """So many members of a large retry have their row already, and more follow."""

    there: int
    total: int
    waits: bool
    """The others get theirs when it starts."""

    @property
    def bar(self) -> Progress:
        segments = [
            Segment("In the list", self.there, "d3"),
            Segment("To come", self.total - self.there, "rest"),
        ]
        return Progress(self.total, segments, "members")


@dataclass
class LivePart:
    """Progress, causes, skips and buttons: what changes while somebody watches."""

    broadcast: Broadcast
    counters: Counters
    person: User

    @property
    def interval(self) -> str:
        """How often the page asks; empty when nothing is going to change."""
        one, now = self.broadcast, timezone.now()
        if self.preparing and not self.preparing.waits:
            return "2s"
        if one.state == BroadcastState.SENDING or self.counters.unsettled:
            is_near = one.run_at is None or one.run_at < now + SOON
            return "2s" if is_near else "60s"
        if one.state == BroadcastState.SCHEDULED and one.run_at:
            return "2s" if one.run_at < now + SOON else "60s"
        is_fresh = bool(one.finished_at and one.finished_at > now - RECEIPTS)
        return "2s" if is_fresh and self.counters.sent else ""

    @property
    def mark(self) -> str:
        paused = ".".join(str(one.pk) for one in self.paused)
        return "-".join(
            (self.broadcast.state, self.counters.mark, self.interval, paused)
        )

    @cached_property
    def paused(self) -> list[Integration]:
        """The integrations of its routes behind which its messages wait, or will."""
        one = self.broadcast
        is_draft = one.state == BroadcastState.DRAFT
        if one.state not in LIVE_STATES and (is_draft or not self.counters.unsettled):
            return []
        routes = one.routes.values("integration")
        return list(
            Integration.objects.filter(
                organization=one.organization_id,
                state=IntegrationState.PAUSED,
                pk__in=routes,
            )
        )

    @cached_property
    def preparing(self) -> Preparing | None:
        """How far the list of a retry is that was confirmed a moment ago."""
        one, total = self.broadcast, self.counters.total
        if not one.is_retry or one.state != BroadcastState.SCHEDULED:
            return None
        missing = freezing.members_without_row(one)
        if not missing:
            return None
        return Preparing(total - missing, total, waits=starts_soon(one.run_at))

    @cached_property
    def retry(self) -> RetryState:
        return retry.state(self.broadcast, self.counters)

    @property
    def context(self) -> dict[str, Any]:
        broadcast, counters = self.broadcast, self.counters
        return {
            "broadcast": broadcast,
            "counters": counters,
            "bar": outcomes.bar(counters),
            "outcomes": outcomes.outcomes(broadcast, counters),
            "causes": outcomes.cause_rows(broadcast, counters.causes),
            "skips": counters.skips,
            "skipped_url": messages_of(broadcast.pk, state="skipped"),
            "unknown_url": unknown_of(broadcast.pk),
            **self._compared(),
            "pauses": [pause_in_words(each) for each in self.paused],
            "interval": self.interval,
            "preparing": self.preparing,
            "poll_url": f"{page_for('progress', broadcast)}?v={self.mark}",
            "buttons": self._buttons() if self.person.may_write else None,
            "retry": self.retry,
            "live_retry_url": (
                page_of(self.retry.live_retry) if self.retry.live_retry else ""
            ),
        }

    def _compared(self) -> dict[str, Any]:
        """Return the forecast of a retry beside its result, once it has one."""
        found = expectation.comparison(self.broadcast)
        return {
            "compared": results(found) if found else [],
            "untold": untold(found) if found else "",
        }

    def _buttons(self) -> dict[str, Any]:
        """Return the addresses of what may be done now; empty means not now."""
        one = self.broadcast
        is_draft = one.state == BroadcastState.DRAFT
        is_editable = one.state in QUOTA_STATES
        may_route = not is_editable and schedule.may_edit_routes(one).enabled
        number = f" {self.retry.number}" if self.retry.number else ""
        label = f"Retry{number} failed…" if self.retry.enabled else ""
        return {
            "retry": "" if is_draft else page_for("retry", one),
            "retry_label": label or "Retry failed",
            "schedule": page_for("schedule", one) if is_draft else "",
            "edit": page_for("edit", one) if is_editable else "",
            "routes": page_for("routes", one) if may_route else "",
            "cancel": page_for("cancel", one) if one.state in LIVE_STATES else "",
            "clone": page_for("clone", one),
            "delete": page_for("delete", one) if is_draft else "",
        }


def _csv_url(broadcast: Broadcast, cause: str) -> str:
    query = f"?{urlencode({'cause': cause})}" if cause else ""
    return f"{page_for('failed-csv', broadcast)}{query}"
