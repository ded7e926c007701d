"""The audit page: who changed what, and who resent what and why; and as a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import django_filters
from django import forms
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from messaging.access import organization_of, role_required
from messaging.models import (
    Actor,
    ApiClient,
    AuditEntry,
    AuditKind,
    Organization,
    Role,
    User,
)
from messaging.trail import HIDDEN
from resend_admin.ui.csv import stream_csv
from resend_admin.ui.filters import ListFilter
from resend_admin.ui.keyset import keyset_page

MOST_CHOICES = 200
ROWS_PER_FETCH = 2_000
HEADER = ("When", "Who", "Kind", "What", "Reason", "Changes", "Page")
PLACES = ("older", "newer")
"""What says where in the list somebody is."""
ICONS = {
    AuditKind.RESEND: "retry",
    AuditKind.BULK_RESEND: "retry",
    AuditKind.BROADCAST: "inbox",
    AuditKind.SETTINGS: "gear",
    AuditKind.INTEGRATION: "plane",
    AuditKind.CLIENT: "key",
    AuditKind.PERSON: "people",
    AuditKind.SECURITY: "lock",
    AuditKind.WEBHOOK: "link",
    AuditKind.CREDITS: "tag",
    AuditKind.OTHER: "edit",
}


def _day(label: str, method: str) -> django_filters.DateFilter:
    return django_filters.DateFilter(
        label=label,
        method=method,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


class AuditFilter(ListFilter):
    kind = django_filters.ChoiceFilter(
        choices=AuditKind.choices, label="What", empty_label="Everything"
    )
    who = django_filters.ChoiceFilter(
        label="Who", empty_label="Anybody", method="by_who"
    )
    since = _day("From", "since_day")
    until = _day("To", "until_day")
    about = django_filters.CharFilter(
        method="by_link", max_length=200, widget=forms.HiddenInput
    )

    class Meta:
        model = AuditEntry
        fields: list[str] = []

    def __init__(self, *args: object, organization: Organization, **options: object):
        super().__init__(*args, **options)
        self.filters["who"].extra["choices"] = _people_and_clients(organization)

    def by_who(
        self, entries: QuerySet[AuditEntry], name: str, value: str
    ) -> QuerySet[AuditEntry]:
        column = "person_id" if value.startswith("person") else "client_id"
        return entries.filter(**{column: int(value.partition("-")[2])})

    def by_link(
        self, entries: QuerySet[AuditEntry], name: str, value: str
    ) -> QuerySet[AuditEntry]:
        """Keep what was done to one thing, which is known by its page."""
        return entries.filter(link=value).exclude(link="")

    def since_day(
        self, entries: QuerySet[AuditEntry], name: str, day: date
    ) -> QuerySet[AuditEntry]:
        return entries.filter(at__gte=_start_of(day))

    def until_day(
        self, entries: QuerySet[AuditEntry], name: str, day: date
    ) -> QuerySet[AuditEntry]:
        """Keep what was done on this day of the viewer's zone, or earlier."""
        if day == date.max:
            return entries
        return entries.filter(at__lt=_start_of(day + timedelta(days=1)))


@dataclass(frozen=True, slots=True)
class Line:
    """One entry, ready to be shown."""

    entry: AuditEntry
    icon: str
    who: str
    changes: list[str]
    only_url: str
    """The same list, of what was done to this thing alone."""

    @property
    def key(self) -> str:
        return str(self.entry.pk)


@require_safe
@role_required(Role.ADMIN)
def audit(request: HttpRequest) -> HttpResponse:
    organization = organization_of(request)
    found = _filtered(request)
    page = keyset_page(found.qs, request.GET, order=("-at", "-id"))
    about = request.GET.get("about", "")
    context = {
        "filter": found,
        "page": page,
        "lines": [_line(one, about) for one in page.rows],
        "about": about,
        "is_filtered": bool(found.form.changed_data),
        "csv_url": _with_filters(request, reverse("messaging:audit-csv")),
        "retention_days": organization.retention_days,
    }
    return render(request, "messaging/audit.html", context)


@require_safe
@role_required(Role.ADMIN)
def audit_csv(request: HttpRequest) -> StreamingHttpResponse:
    """Stream what the filters leave, the newest first."""
    entries = _filtered(request).qs.order_by("-at", "-id")
    rows = (
        (
            one.at,
            _who(one),
            one.get_kind_display(),
            one.sentence,
            one.reason,
            "; ".join(_in_words(change) for change in one.changes),
            one.link,
        )
        for one in entries.iterator(chunk_size=ROWS_PER_FETCH)
    )
    return stream_csv("audit.csv", HEADER, rows)


def _filtered(request: HttpRequest) -> AuditFilter:
    organization = organization_of(request)
    return AuditFilter(
        request.GET,
        queryset=AuditEntry.objects.filter(organization=organization),
        organization=organization,
    )


def _line(entry: AuditEntry, about: str) -> Line:
    only = f"{reverse('messaging:audit')}?{urlencode({'about': entry.link})}"
    return Line(
        entry,
        ICONS[AuditKind(entry.kind)],
        _who(entry),
        [_in_words(change) for change in entry.changes],
        only if entry.link and not about else "",
    )


def _in_words(change: Sequence[str]) -> str:
    """Say what stood and what stands: “Time zone: UTC → Africa/Accra”.

    What stands no more: “Paused because, until then: The token is not valid.”
    """
    what, before, after = change
    what = f"{what[:1].upper()}{what[1:]}"
    if after == HIDDEN and not before:
        return f"{what}: changed, and not shown"
    if before and after:
        return f"{what}: {before} → {after}"
    if before:
        return f"{what}, until then: {before}"
    return f"{what}: {after or 'nothing'}"


def _with_filters(request: HttpRequest, address: str) -> str:
    """Return another address with what this list is narrowed by."""
    query = request.GET.copy()
    for name in PLACES:
        query.pop(name, None)
    return f"{address}?{query.urlencode()}" if query else address


def _people_and_clients(organization: Organization) -> list[tuple[str, str]]:
    """Return who may have done something: operators only once they have."""
    people = User.objects.filter(organization=organization).order_by("username")
    done_here = AuditEntry.objects.filter(
        organization=organization, person_id=OuterRef("pk")
    )
    operators = User.objects.filter(Exists(done_here), organization=None)
    clients = ApiClient.objects.filter(organization=organization).order_by("name")
    return [
        *(
            (f"person-{one.pk}", one.get_full_name() or one.username)
            for one in people[:MOST_CHOICES]
        ),
        *(
            (f"person-{one.pk}", f"Operator: {one.get_full_name() or one.username}")
            for one in operators.order_by("username")[:MOST_CHOICES]
        ),
        *((f"client-{one.pk}", f"API: {one.name}") for one in clients[:MOST_CHOICES]),
    ]


def _who(entry: AuditEntry) -> str:
    if entry.actor == Actor.API:
        return f"API client {entry.actor_name}".strip()
    return entry.actor_name or "Somebody"


def _start_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
