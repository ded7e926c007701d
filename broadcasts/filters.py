"""What the list of broadcasts can be narrowed to; all of it lives in the URL."""

from __future__ import annotations

from datetime import date, datetime, time

import django_filters
from django import forms
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from broadcasts.models import Broadcast, BroadcastState, Route
from messaging.models.contact import channel_choices
from resend_admin.ui.filters import ListFilter


class BroadcastFilter(ListFilter):
    q = django_filters.CharFilter(
        field_name="name",
        lookup_expr="icontains",
        label="Search",
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "Name…"}),
    )
    state = django_filters.ChoiceFilter(
        choices=BroadcastState.choices, label="Status", empty_label="Any status"
    )
    channel = django_filters.ChoiceFilter(
        choices=channel_choices,
        label="Channel",
        empty_label="Any channel",
        method="by_channel",
    )
    since = django_filters.DateFilter(
        label="Created since",
        method="created_since",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    class Meta:
        model = Broadcast
        fields: list[str] = []

    def by_channel(
        self, broadcasts: QuerySet[Broadcast], name: str, channel: str
    ) -> QuerySet[Broadcast]:
        """Keep broadcasts with a route or a fallback on the channel."""
        ways = Route.objects.filter(
            broadcast=OuterRef("pk"), integration__channel=channel
        )
        return broadcasts.filter(Exists(ways))

    def created_since(
        self, broadcasts: QuerySet[Broadcast], name: str, day: date
    ) -> QuerySet[Broadcast]:
        """Keep what was created on this day of the viewer's zone, or later."""
        start = timezone.make_aware(datetime.combine(day, time.min))
        return broadcasts.filter(created_at__gte=start)
