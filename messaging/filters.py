"""What lists can be narrowed to; every choice stands in the URL."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any, Final

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone

from messaging.access import organization_of
from messaging.ages import first_number_after, last_number_before
from messaging.channels.catalogue import ErrorClass, verdict
from messaging.channels.contract import Channel
from messaging.message_roads import taking
from messaging.models import (
    Contact,
    Integration,
    Message,
    MessageState,
)
from messaging.models.contact import channel_choices
from messaging.search import Found, find, members_matching
from resend_admin.ui.filters import ListFilter
from resend_admin.ui.keyset import Take

State = MessageState

SEEN_STATES: Final[dict[str, tuple[str, Q]]] = {
    "scheduled": ("Scheduled", Q(state=State.PLANNED)),
    "queued": ("Queued", Q(state=State.QUEUED, attempt_count=0)),
    "waiting": ("Waiting to retry", Q(state=State.QUEUED, attempt_count__gt=0)),
    "unsent": ("Waiting to be sent", Q(state=State.QUEUED)),
    "sending": ("Sending", Q(state=State.SENDING)),
    "sent": ("Sent", Q(state=State.SENT)),
    "delivered": ("Delivered", Q(state__in=[State.DELIVERED, State.READ])),
    "failed": ("Failed", Q(state=State.FAILED)),
    "unknown": ("Unknown", Q(state=State.UNKNOWN)),
    "skipped": ("Skipped", Q(state=State.SKIPPED)),
    "cancelled": ("Cancelled", Q(state=State.CANCELLED)),
}
"""The states a person sees, in the words of the pills; one is all that waits behind an
integration."""

ADDRESS_COLUMNS: Final = {
    Channel.WHATSAPP.value: "phone",
    Channel.SMS.value: "phone",
    Channel.TELEGRAM.value: "telegram_chat_id",
    Channel.EMAIL.value: "email",
}
LARGEST_ID: Final = 2**63 - 1


def _search_input(placeholder: str) -> forms.TextInput:
    return forms.TextInput(
        attrs={"type": "search", "placeholder": placeholder, "maxlength": 200}
    )


def _suggesting(list_id: str) -> forms.TextInput:
    """A text field that offers what the page lists in ``<datalist id=list_id>``."""
    return forms.TextInput(attrs={"list": list_id, "autocomplete": "off"})


def _midnight(day: date) -> datetime:
    """Return when a day begins where the viewer is.

    The first and last years are held back: no zone can shift a day beyond them.
    """
    day = min(max(day, date(1971, 1, 1)), date(2999, 1, 1))
    return timezone.make_aware(datetime.combine(day, time.min))


def own_integrations(request: Any) -> QuerySet[Integration]:
    """Offer the integrations of the person who looks; others are no choice."""
    return Integration.objects.filter(organization=organization_of(request))


class MessageFilter(ListFilter):
    q = django_filters.CharFilter(
        label="Search",
        method="by_text",
        widget=_search_input("Name, phone, e-mail or any number"),
    )
    state = django_filters.ChoiceFilter(
        label="State",
        method="by_state",
        choices=[(key, label) for key, (label, _) in SEEN_STATES.items()],
        empty_label="Any state",
    )
    channel = django_filters.ChoiceFilter(
        label="Channel", choices=channel_choices, empty_label="Any channel"
    )
    integration = django_filters.ModelChoiceFilter(
        label="Integration", queryset=own_integrations, empty_label="Any"
    )
    error_class = django_filters.ChoiceFilter(
        label="Will it help?",
        choices=[(one.value, verdict(one).label) for one in ErrorClass],
        empty_label="Any cause",
    )
    since = django_filters.DateFilter(
        label="From", method="by_first_day", widget=forms.DateInput({"type": "date"})
    )
    until = django_filters.DateFilter(
        label="To", method="by_last_day", widget=forms.DateInput({"type": "date"})
    )
    broadcast = django_filters.NumberFilter(
        field_name="broadcast_id",
        min_value=1,
        max_value=LARGEST_ID,
        widget=forms.HiddenInput,
    )
    error = django_filters.CharFilter(
        field_name="error_code", max_length=80, widget=forms.HiddenInput
    )

    class Meta:
        model = Message
        fields: tuple[str, ...] = ()

    found: Found | None = None
    """What the text names, once the list has been narrowed."""

    @property
    def take(self) -> Take[Message]:
        """How to get at the first of what is asked for."""
        messages = self.qs
        assert messages is not None, "the text is looked up by narrowing"
        organization = organization_of(self.request)
        return taking(organization, self.form.cleaned_data, self.found)

    def by_text(
        self, messages: QuerySet[Message], name: str, text: str
    ) -> QuerySet[Message]:
        self.found = find(text, [organization_of(self.request).pk])
        return messages.filter(self.found.condition) if self.found else messages

    def by_first_day(
        self, messages: QuerySet[Message], name: str, day: date
    ) -> QuerySet[Message]:
        moment = _midnight(day)
        below = last_number_before(organization_of(self.request), moment)
        return messages.filter(created_at__gte=moment, pk__gt=below)

    def by_last_day(
        self, messages: QuerySet[Message], name: str, day: date
    ) -> QuerySet[Message]:
        if day == date.max:
            return messages
        moment = _midnight(day + timedelta(days=1))
        above = first_number_after(organization_of(self.request), moment)
        older = messages.filter(created_at__lt=moment)
        return older if above is None else older.filter(pk__lt=above)

    def by_state(
        self, messages: QuerySet[Message], name: str, key: str
    ) -> QuerySet[Message]:
        return messages.filter(SEEN_STATES[key][1])


class UnknownFilter(ListFilter):
    channel = django_filters.ChoiceFilter(
        label="Channel", choices=channel_choices, empty_label="Any channel"
    )
    integration = django_filters.ModelChoiceFilter(
        label="Integration", queryset=own_integrations, empty_label="Any"
    )
    broadcast = django_filters.NumberFilter(
        field_name="broadcast_id",
        min_value=1,
        max_value=LARGEST_ID,
        widget=forms.HiddenInput,
    )

    class Meta:
        model = Message
        fields: tuple[str, ...] = ()


class MemberFilter(ListFilter):
    q = django_filters.CharFilter(
        label="Search",
        method="by_text",
        widget=_search_input("Name, number, phone or e-mail"),
    )
    tag = django_filters.CharFilter(
        label="Tag", method="by_tag", max_length=50, widget=_suggesting("known-tags")
    )
    country = django_filters.CharFilter(
        label="Country",
        method="by_country",
        max_length=2,
        widget=_suggesting("known-countries"),
        error_messages={"max_length": "Enter two letters: GH."},
    )
    language = django_filters.CharFilter(
        label="Language", max_length=10, widget=_suggesting("known-languages")
    )
    channel = django_filters.ChoiceFilter(
        label="Reachable by",
        method="by_channel",
        choices=channel_choices,
        empty_label="Any channel",
    )
    opted_out = django_filters.ChoiceFilter(
        label="Opted out of",
        method="by_opt_out",
        choices=lambda: [("any", "Any channel"), *channel_choices()],
        empty_label="Anything",
    )

    class Meta:
        model = Contact
        fields: tuple[str, ...] = ()

    def by_text(
        self, members: QuerySet[Contact], name: str, text: str
    ) -> QuerySet[Contact]:
        return members_matching(members, text)

    def by_tag(
        self, members: QuerySet[Contact], name: str, tag: str
    ) -> QuerySet[Contact]:
        return members.filter(tags__contains=[tag])

    def by_country(
        self, members: QuerySet[Contact], name: str, code: str
    ) -> QuerySet[Contact]:
        return members.filter(country=code.upper())

    def by_channel(
        self, members: QuerySet[Contact], name: str, channel: str
    ) -> QuerySet[Contact]:
        """Keep those who have an address there and did not opt out of it."""
        reachable = members.exclude(**{ADDRESS_COLUMNS[channel]: ""})
        return reachable.exclude(opted_out_channels__contains=[channel])

    def by_opt_out(
        self, members: QuerySet[Contact], name: str, channel: str
    ) -> QuerySet[Contact]:
        members = members.exclude(opted_out_channels=[])
        if channel == "any":
            return members
        if channel == self.form.cleaned_data.get("channel"):
            return members.none()
        return members.filter(opted_out_channels__contains=[channel])
