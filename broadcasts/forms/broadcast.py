"""The one page on which a broadcast is written and edited."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from broadcasts.audience import Audience, AudienceChoices
from broadcasts.clock import check_lead, check_order, checked_start, local_moment
from broadcasts.fields import NAME_LENGTH, BroadcastFields
from broadcasts.forms.audience import AudienceForm, initial_audience
from broadcasts.forms.moments import WallClockField, on_the_wall
from broadcasts.forms.routes import RoutesForm, Ways, initial_routes
from broadcasts.models import Broadcast, BroadcastKind, Flow
from messaging.channels.contract import ContentKind
from messaging.channels.placeholders import PLACEHOLDER
from messaging.models import Content
from resend_admin.ui.forms import LongSelect
from resend_admin.ui.time_zones import zone_choices, zone_name

TEXT = "text"
"""A text that is written right here; it becomes a flow of one step."""
WHATS = {
    TEXT: "Write a text",
    BroadcastKind.TEMPLATE.value: "Send templates",
    BroadcastKind.FLOW.value: "Send a flow",
}
PLACEHOLDERS = "{{name}}, {{first_name}} and {{external_id}} become the member's own."
KNOWN = {"name", "first_name", "external_id"}
"""What ``fill_page.sql`` knows of a member."""

NEEDED = {TEXT: {"text", "subject"}, BroadcastKind.FLOW.value: {"flow"}}
"""The fields that each kind shows; the others wait unseen."""


def what_in(values: Mapping[str, Any], default: str = TEXT) -> str:
    """Return what is sent, of :data:`WHATS`, whatever was posted."""
    asked = str(values.get("what") or "")
    return asked if asked in WHATS else default


class NameAndTimeForm(RoutesForm):
    """What can be changed about every broadcast, a retry included.

    ``runs_at`` is when it runs as yet; that time may stay, however near it is.
    """

    name = forms.CharField(
        max_length=NAME_LENGTH,
        help_text="For you and your colleagues; members do not see it.",
        error_messages={"required": "Give the broadcast a name."},
    )
    run_at = WallClockField(
        label="Run at", required=False, help_text="At least 2 minutes ahead."
    )
    time_zone = forms.ChoiceField(
        label="Time zone",
        choices=zone_choices,
        widget=LongSelect,
        help_text="Times on this page are what a clock there shows.",
    )

    def __init__(
        self, *args: Any, runs_at: datetime | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.runs_at = runs_at

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if "time_zone" not in self.errors:
            self._clean_times()
        return cleaned

    def _clean_times(self) -> None:
        run_at, expires_at = self._moment("run_at"), self._moment("expires_at")
        zone = self.cleaned_data["time_zone"]
        if self.is_ready and "run_at" not in self.errors:
            with self.refusal_shown():
                moment = checked_start(run_at)
                if moment != self.runs_at:
                    check_lead(moment, zone)
        with self.refusal_shown():
            check_order(run_at, expires_at)

    def _moment(self, name: str) -> datetime | None:
        """Return what the clock of the chosen zone shows as a moment."""
        typed = self.cleaned_data.get(name)
        if typed is not None:
            with self.refusal_shown():
                return local_moment(typed, self.cleaned_data["time_zone"], name)
        return None


class RetryEditForm(NameAndTimeForm):
    """A retry: its members and its content are frozen."""

    def fields_for(self, broadcast: Broadcast) -> BroadcastFields:
        return BroadcastFields(
            name=self.cleaned_data["name"],
            kind=broadcast.kind,
            flow_id=broadcast.flow_id,
            routes=self.routes,
            fallbacks=self.fallbacks,
            run_at=self.cleaned_data["run_at"],
            time_zone=self.cleaned_data["time_zone"],
        )


class BroadcastForm(NameAndTimeForm, AudienceForm):
    """Name, what, how, who, when.

    Which fields there are depends on ``what``; a choice among flows, templates
    and integrations is a choice within one organization.
    """

    what = forms.ChoiceField(choices=list(WHATS.items()), widget=forms.HiddenInput)
    expires_at = WallClockField(
        label="Not worth sending after",
        required=False,
        help_text="Optional. What has not left by then is skipped.",
    )

    def __init__(
        self,
        *args: Any,
        ways: Ways,
        flows: Mapping[int, Flow],
        choices: AudienceChoices,
        source: str = TEXT,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, ways=ways, source=source, choices=choices, **kwargs)
        self.flows = flows
        self._add_flow()
        self._add_text()
        for name in {"flow", "text", "subject"} - NEEDED.get(source, set()):
            # Kept for when the person comes back to it.
            self.fields[name].widget = forms.HiddenInput()
            self.fields[name].required = False

    def _add_flow(self) -> None:
        choices = [(one.pk, flow_words(one)) for one in self.flows.values()]
        self.fields["flow"] = forms.TypedChoiceField(
            label="Flow",
            choices=[("", "Choose a flow"), *choices],
            coerce=int,
            empty_value=None,
            error_messages={"required": "Choose the flow to send."},
        )

    def _add_text(self) -> None:
        self.fields["text"] = forms.CharField(
            label="Text",
            max_length=4096,
            widget=forms.Textarea(attrs={"rows": 5}),
            help_text=PLACEHOLDERS,
            error_messages={"required": "Write what the members should read."},
        )
        self.fields["subject"] = forms.CharField(
            label="Subject",
            max_length=200,
            required=False,
            help_text="Only e-mail shows it.",
        )

    def clean_text(self) -> str:
        return self._without_strangers("text")

    def clean_subject(self) -> str:
        return self._without_strangers("subject")

    def _without_strangers(self, name: str) -> str:
        """Refuse what looks like a placeholder and is none: members would read it."""
        text = str(self.cleaned_data[name])
        strangers = [one for one in PLACEHOLDER.findall(text) if one not in KNOWN]
        if self.source == TEXT and strangers:
            shown = f"{{{{{strangers[0]}}}}}"
            raise ValidationError(
                f"Nothing is known as {shown}, so members would read just that."
                f" {PLACEHOLDERS}"
            )
        return text

    @property
    def text_payload(self) -> dict[str, str]:
        payload = {"text": str(self.cleaned_data.get("text") or "")}
        if self.cleaned_data.get("subject"):
            payload["subject"] = self.cleaned_data["subject"]
        return payload

    @property
    def chosen_content(self) -> Content | None:
        """The published content of the flow that is chosen, to show what it says."""
        if self.source != BroadcastKind.FLOW:
            return None
        flow = self.flows.get(_number(self["flow"].value()))
        return flow.published_content if flow else None

    def content_of_routes(self) -> tuple[str, Mapping[str, Any]] | None:
        if self.source == TEXT and self.cleaned_data.get("text"):
            return ContentKind.TEXT, self.text_payload
        if self.source != BroadcastKind.FLOW:
            return None
        flow = self.flows.get(self.cleaned_data.get("flow") or 0)
        content = flow.published_content if flow else None
        return (content.kind, content.payload) if content else None

    def field_for(self, problem_field: str | None) -> str | None:
        if problem_field in {"flow", "steps"} and self.source == TEXT:
            return "text"
        return super().field_for(problem_field)

    def fields_with(self, flow_id: int | None) -> BroadcastFields:
        """Return what was decided; ``flow_id`` for a text that became a flow."""
        is_template = self.source == BroadcastKind.TEMPLATE
        return BroadcastFields(
            name=self.cleaned_data["name"],
            kind=BroadcastKind.TEMPLATE if is_template else BroadcastKind.FLOW,
            flow_id=None if is_template else flow_id or self.cleaned_data["flow"],
            routes=self.routes,
            fallbacks=self.fallbacks,
            audience=self.audience,
            run_at=self.cleaned_data["run_at"],
            time_zone=self.cleaned_data["time_zone"],
            expires_at=self.cleaned_data["expires_at"],
        )


def flow_words(flow: Flow) -> str:
    return flow.name if flow.is_published else f"{flow.name} (not published)"


def _number(value: Any) -> int:
    text = str(value or "")
    return int(text) if text.isdecimal() and len(text) < 19 else 0


def initial_values(
    broadcast: Broadcast, choices: AudienceChoices | None = None
) -> dict[str, Any]:
    """Return a broadcast as values of the fields."""
    zone = broadcast.time_zone
    values: dict[str, Any] = {
        "name": broadcast.name,
        "what": broadcast.kind,
        "flow": broadcast.flow_id,
        "run_at": on_the_wall(broadcast.run_at, zone),
        "time_zone": zone,
        "expires_at": on_the_wall(broadcast.expires_at, zone),
        **initial_routes(broadcast),
    }
    if choices is not None:
        audience = Audience.from_json(broadcast.audience)
        values |= initial_audience(audience, choices)
    return values


def first_values() -> dict[str, Any]:
    """Return the values of an empty form."""
    return {"what": TEXT, "time_zone": zone_name()}


def typed_values(form: forms.Form, data: Any) -> dict[str, Any]:
    """Return what was typed so far, to show it again without judging it."""
    return {
        name: field.widget.value_from_datadict(data, {}, name)
        for name, field in form.fields.items()
    }
