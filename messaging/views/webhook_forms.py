"""Forms of webhook endpoints."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.html import format_html

from messaging.models import WebhookDelivery, WebhookEndpoint, WebhookType
from messaging.models.webhook import CHOSEN_TYPES, type_choices
from messaging.webhooks.endpoints import (
    EndpointError,
    Fields,
    check_url,
    known_events,
)
from messaging.webhooks.tending import KEPT_FOR
from resend_admin.ui.filters import ListFilter
from resend_admin.ui.forms import DateTimeLocalField

GROUPS: Final = {
    "messages": ("Messages", "message."),
    "broadcasts": ("Broadcasts", "broadcast."),
    "others": ("Everything else", ""),
}
LONGEST_ID: Final = 40
OUTCOMES: Final = {
    "waiting": "Waiting",
    "delivered": "Delivered",
    "failed": "Failed",
}


def _choices(prefix: str) -> list[tuple[str, str]]:
    """Return the events of a group, each in words and as it is called on the wire."""
    prefixes = [each for _, each in GROUPS.values() if each]
    return [
        (
            one.value,
            format_html("<span>{} <code>{}</code></span>", one.label, one.value),
        )
        for one in CHOSEN_TYPES
        if (
            one.value.startswith(prefix)
            if prefix
            else not one.value.startswith(tuple(prefixes))
        )
    ]


def _group(name: str) -> forms.MultipleChoiceField:
    label, prefix = GROUPS[name]
    return forms.MultipleChoiceField(
        label=label,
        required=False,
        choices=_choices(prefix),
        widget=forms.CheckboxSelectMultiple,
    )


class EndpointForm(forms.Form):
    """Where to, and what about."""

    name = forms.CharField(
        max_length=100,
        help_text="What it is for, such as “Shop backend”.",
        error_messages={"required": "Enter a name, for example “Shop backend”."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    url = forms.CharField(
        label="Address",
        max_length=500,
        help_text="It is sent a POST request for each event, and answers with 200.",
        error_messages={
            "required": "Enter a full web address that begins with https://."
        },
        widget=forms.URLInput(attrs={"autocomplete": "off"}),
    )
    messages = _group("messages")
    broadcasts = _group("broadcasts")
    others = _group("others")

    @classmethod
    def of(cls, endpoint: WebhookEndpoint) -> EndpointForm:
        chosen = dict.fromkeys(GROUPS, endpoint.events)
        return cls(initial={"name": endpoint.name, "url": endpoint.url, **chosen})

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        try:
            check_url(url)
        except EndpointError as error:
            raise forms.ValidationError(error.sentence) from error
        return url

    def clean(self) -> None:
        try:
            known_events(self._events)
        except EndpointError as error:
            self.refuse(error)

    @property
    def fields_entered(self) -> Fields:
        values = self.cleaned_data
        return Fields(values["name"], values["url"], self._events)

    @property
    def _events(self) -> list[str]:
        return [one for name in GROUPS for one in self.cleaned_data.get(name, ())]

    def refuse(self, error: EndpointError) -> None:
        field = "messages" if error.field == "events" else error.field
        self.add_error(field or None, error.sentence)


class RotateForm(forms.Form):
    at_once = forms.BooleanField(
        label="Stop the present secret at once",
        required=False,
        help_text="For when somebody else may have it. What arrives before your"
        " program knows the new secret cannot be verified.",
    )


class RecoveryForm(forms.Form):
    since = DateTimeLocalField(label="Everything that failed since")

    def clean_since(self) -> datetime:
        since: datetime = self.cleaned_data["since"]
        now = timezone.now()
        if since >= now:
            raise forms.ValidationError("Enter a moment that has passed.")
        return max(since, now - KEPT_FOR - timedelta(days=1))


class DeliveryFilter(ListFilter):
    event = django_filters.ChoiceFilter(
        label="Event", field_name="type", choices=type_choices, empty_label="Any event"
    )
    outcome = django_filters.ChoiceFilter(
        label="Outcome",
        method="by_outcome",
        choices=list(OUTCOMES.items()),
        empty_label="Any outcome",
    )
    q = django_filters.CharFilter(
        label="Event id",
        method="by_event_id",
        max_length=LONGEST_ID,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "evt_…"}),
    )

    class Meta:
        model = WebhookDelivery
        fields: tuple[str, ...] = ()

    def by_outcome(
        self, deliveries: QuerySet[WebhookDelivery], name: str, outcome: str
    ) -> QuerySet[WebhookDelivery]:
        states = ["waiting", "sending"] if outcome == "waiting" else [outcome]
        return deliveries.filter(state__in=states)

    def by_event_id(
        self, deliveries: QuerySet[WebhookDelivery], name: str, text: str
    ) -> QuerySet[WebhookDelivery]:
        """Find by the ``webhook-id`` that a receiver has in its own log."""
        number = text.strip().removeprefix("evt_").partition("_")[0]
        if not number.isdecimal() or len(number) > 18:
            return deliveries.none()
        return deliveries.filter(event_id=int(number))


def event_words(endpoint: WebhookEndpoint) -> str:
    """Return what an endpoint is told about, short enough for a list."""
    chosen = [WebhookType(one).label for one in endpoint.events if one in _KNOWN]
    if len(chosen) == len(CHOSEN_TYPES):
        return "Every event"
    return chosen[0] if len(chosen) == 1 else f"{len(chosen)} events"


_KNOWN: Final[frozenset[Any]] = frozenset(WebhookType.values)
