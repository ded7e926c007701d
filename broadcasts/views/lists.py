"""The list of broadcasts, newest first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from broadcasts import summary
from broadcasts.filters import BroadcastFilter
from broadcasts.models import Broadcast, BroadcastState, Route, RouteRole
from broadcasts.summary import Counters
from broadcasts.views.links import page_of
from broadcasts.views.outcomes import Arrived, arrived, bar
from messaging.access import organization_of, person_of, require_organization
from resend_admin.ui.keyset import keyset_page
from resend_admin.ui.progress import Progress


@dataclass(frozen=True, slots=True)
class ListRow:
    """One broadcast with all that its line in a list shows."""

    broadcast: Broadcast
    url: str
    counters: Counters
    channels: list[str]

    @property
    def progress(self) -> Progress | None:
        """The small bar, while there is something to watch."""
        is_sending = self.broadcast.state == BroadcastState.SENDING
        return bar(self.counters) if is_sending and self.counters.total else None

    @property
    def origin(self) -> str:
        """What it is a retry of, unless its own name says so already."""
        first = self.broadcast.root
        if first is None or self.broadcast.name.endswith(f" of {first.name}"):
            return ""
        return f"Retry of {first.name}"

    @property
    def mark(self) -> str:
        """Changes whenever its line does; for polling."""
        return f"{self.broadcast.state}.{self.counters.mark}"

    @property
    def bar_id(self) -> str:
        return f"bar-{self.broadcast.pk}"

    @property
    def running_bar_id(self) -> str:
        """A second id, for a page that shows the broadcast in two lists."""
        return f"running-{self.bar_id}"

    @property
    def bar_label(self) -> str:
        return f"Progress of {self.broadcast.name}"

    @property
    def total(self) -> int | None:
        return self.counters.total or None

    @property
    def failed(self) -> int | None:
        return self.counters.failed if self.counters.total else None

    @property
    def arrived(self) -> Arrived:
        return arrived(self.counters)

    @property
    def when(self) -> tuple[str, datetime]:
        """What to say about its time: the word, and the moment."""
        one = self.broadcast
        if one.state == BroadcastState.SCHEDULED and one.run_at:
            return "Runs", one.run_at
        if one.started_at:
            return "Started", one.started_at
        return "Created", one.created_at


def list_rows(broadcasts: Sequence[Broadcast]) -> list[ListRow]:
    """Return the lines of a list: two queries, however many there are."""
    ids = [one.pk for one in broadcasts]
    counters = summary.counters(ids)
    channels = _channels(ids)
    return [
        ListRow(one, page_of(one), counters[one.pk], channels[one.pk])
        for one in broadcasts
    ]


def _channels(broadcast_ids: Sequence[int]) -> dict[int, list[str]]:
    """Return the channels of each broadcast in the order in which it tries them."""
    found: dict[int, dict[str, None]] = defaultdict(dict)
    routes = Route.objects.filter(
        broadcast_id__in=broadcast_ids, role=RouteRole.ROUTE
    ).order_by("broadcast_id", "position")
    for one, channel in routes.values_list("broadcast_id", "integration__channel"):
        found[one][channel] = None
    return defaultdict(list, {one: list(names) for one, names in found.items()})


@require_safe
@require_organization
def broadcast_list(request: HttpRequest) -> HttpResponse:
    own = Broadcast.objects.filter(organization=organization_of(request))
    found = BroadcastFilter(request.GET, queryset=own.select_related("root"))
    page = keyset_page(found.qs, request.GET, order=("-id",))
    context = {
        "filter": found,
        "page": page,
        "rows": list_rows(page.rows),
        "may_write": person_of(request).may_write,
        "new_url": reverse("broadcasts:broadcast-create"),
        "is_filtered": bool(found.form.changed_data),
    }
    return render(request, "broadcasts/broadcast_list.html", context)
