"""Forms of sending one message again, on the pages and in the embedded tab."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db.models import TextChoices
from django.utils import timezone

from messaging.models import Content, Message
from messaging.offers import Offer, Question
from resend_admin.ui.forms import DateTimeLocalField
from resend_admin.ui.time_zones import moment_in_words

ASKED = {
    Question.DUPLICATE: "accepts_duplicate",
    Question.OPENER: "template",
    Question.REPLACEMENT: "template",
    Question.LINK: "link",
    Question.FIXED: "fixed",
}
LABELS = {
    Question.OPENER: "Template that goes first",
    Question.REPLACEMENT: "Template that goes instead",
}


class When(TextChoices):
    NOW = "now", "Now"
    LATER = "later", "At a time"


class ResendForm(forms.Form):
    """What sending a message again takes: the answer to its question, when, and why.

    ``templates`` are those to choose from, where the question is about one.
    ``shown_attempts`` is how many attempts there were when the form was shown.
    """

    shown_attempts = forms.IntegerField(
        min_value=0, max_value=32_767, widget=forms.HiddenInput
    )
    accepts_duplicate = forms.BooleanField(
        label="It may have arrived; send it all the same",
        help_text="The member may get it twice.",
        error_messages={"required": "Tick this if a second copy does no harm."},
    )
    template = forms.ChoiceField(
        error_messages={
            "required": "Choose a template.",
            "invalid_choice": "Choose one of these templates.",
        }
    )
    link = forms.CharField(
        label="Link to the file",
        max_length=2_000,
        widget=forms.URLInput(attrs={"autocomplete": "off"}),
        help_text="We look at it before anything is sent. The original message stays"
        " as it is; leave the link if the file behind it works again.",
        error_messages={"required": "Enter the link to the file."},
    )
    fixed = forms.BooleanField(
        label="I have fixed it",
        error_messages={
            "required": "Fix it first, then tick this. It would fail again otherwise."
        },
    )
    when = forms.ChoiceField(
        choices=When.choices, widget=forms.RadioSelect, initial=When.NOW
    )
    at = DateTimeLocalField(label="Send at", required=False)
    reason = forms.CharField(
        label="Reason (optional)",
        required=False,
        max_length=300,
        help_text="Kept with the attempt, for whoever looks at it later.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(
        self,
        *args: Any,
        message: Message,
        offer: Offer,
        templates: Sequence[Content] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.templates = {str(one.pk): one for one in templates}
        self.question = offer.question
        for question, name in ASKED.items():
            if question is not offer.question and name != ASKED.get(offer.question):
                self.fields.pop(name, None)
        earliest = timezone.now() + timedelta(seconds=offer.standing.wait)
        self._ask_when(earliest, waits=offer.standing.wait > 0)
        self.initial["shown_attempts"] = message.attempt_count
        if offer.question is Question.LINK:
            self.initial["link"] = link_of(message)
        elif offer.question is Question.FIXED and offer.standing.error:
            self.fields["fixed"].help_text = offer.standing.error.advice

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("when") != When.LATER:
            # What stands in a field that is not asked about says nothing.
            self.errors.pop("at", None)
            cleaned["at"] = None
        return cleaned

    @property
    def chosen_template(self) -> Content | None:
        return self.templates.get(self.cleaned_data.get("template", ""))

    def _ask_when(self, earliest: datetime, *, waits: bool) -> None:
        if self.question is Question.OPENER:
            del self.fields["when"], self.fields["at"]
        else:
            when = self.fields["when"]
            assert isinstance(when, forms.ChoiceField)
            soonest = (
                f"As soon as it may: {moment_in_words(earliest)}"
                if waits
                else When.NOW.label
            )
            when.choices = [
                (When.NOW.value, soonest),
                (When.LATER.value, When.LATER.label),
            ]
            self.initial["at"] = _next_quarter(earliest + timedelta(hours=1))
            self.fields["at"].required = self.data.get("when") == When.LATER
        if self.question in {Question.OPENER, Question.REPLACEMENT}:
            template = self.fields["template"]
            assert isinstance(template, forms.ChoiceField)
            template.label = LABELS[self.question]
            template.choices = [
                ("", "Choose a template"),
                *((pk, _template_label(one)) for pk, one in self.templates.items()),
            ]


class MoveForm(forms.Form):
    """Another time for a resend that waits."""

    at = DateTimeLocalField(label="Send at")


class CountForm(forms.Form):
    """A person's word that an unknown message has arrived.

    ``shown_attempts`` is the attempt that they looked at.
    """

    shown_attempts = forms.IntegerField(
        min_value=1, max_value=32_767, widget=forms.HiddenInput
    )
    reason = forms.CharField(
        label="How do you know? (optional)",
        required=False,
        max_length=300,
        help_text="Kept with your name, for whoever looks at it later.",
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "placeholder": "She confirmed it by phone"}
        ),
    )

    def clean_reason(self) -> str:
        return " ".join(self.cleaned_data["reason"].split())


def link_of(message: Message) -> str:
    """Return where the media of a message is, as far as it is known."""
    content = message.amended_content or message.content
    url = content.payload.get("url") if content else None
    return url if isinstance(url, str) else ""


def _template_label(template: Content) -> str:
    language = template.payload.get("language")
    return f"{template} ({language})" if language else str(template)


def _next_quarter(moment: datetime) -> datetime:
    minutes = -moment.minute % 15
    return moment.replace(second=0, microsecond=0) + timedelta(minutes=minutes)
