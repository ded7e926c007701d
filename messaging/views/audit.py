"""The audit page: who changed what, and who resent what and why."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import django_filters
from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
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
from resend_admin.ui.keyset import keyset_page

MOST_CHOICES = 200
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


class AuditFilter(django_filters.FilterSet):  # type: ignore[misc]
    kind = django_filters.ChoiceFilter(
        choices=AuditKind.choices, label="What", empty_label="Everything"
    )
    who = django_filters.ChoiceFilter(
        label="Who", empty_label="Anybody", method="by_who"
    )
    since = _day("From", "since_day")
    until = _day("To", "until_day")

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


@require_safe
@role_required(Role.ADMIN)
def audit(request: HttpRequest) -> HttpResponse:
    organization = organization_of(request)
    found = AuditFilter(
        request.GET,
        queryset=AuditEntry.objects.filter(organization=organization),
        organization=organization,
    )
    page = keyset_page(found.qs, request.GET, order=("-at", "-id"))
    context = {
        "filter": found,
        "page": page,
        "rows": [(one, ICONS[AuditKind(one.kind)], _who(one)) for one in page.rows],
        "is_filtered": bool(found.form.changed_data),
        "retention_days": organization.retention_days,
    }
    return render(request, "messaging/audit.html", context)


def _people_and_clients(organization: Organization) -> list[tuple[str, str]]:
    people = User.objects.filter(organization=organization).order_by("username")
    clients = ApiClient.objects.filter(organization=organization).order_by("name")
    return [
        *(
            (f"person-{one.pk}", one.get_full_name() or one.username)
            for one in people[:MOST_CHOICES]
        ),
        *((f"client-{one.pk}", f"API: {one.name}") for one in clients[:MOST_CHOICES]),
    ]


def _who(entry: AuditEntry) -> str:
    if entry.actor == Actor.API:
        return f"API client {entry.actor_name}".strip()
    return entry.actor_name or "Somebody"


def _start_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
