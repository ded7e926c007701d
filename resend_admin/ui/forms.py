"""How forms look, and a field for a date and time that explains itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.renderers import TemplatesSetting
from django.utils import timezone
from django.utils.functional import lazy

from .time_zones import zone_label, zone_name


class Renderer(TemplatesSetting):
    """``FORM_RENDERER``: label, field, help and error, in this order.

    The field template has a name of its own, because under Django's name the order
    of the apps would decide which one is found.
    """

    form_template_name = "ui/form.html"
    field_template_name = "ui/field.html"


class LongSelect(forms.Select):
    """A choice of hundreds, written by one template.

    Django has a template for each option and one for its attributes: six hundred time
    zones took a quarter of a second.
    """

    template_name = "ui/long_select.html"


class DateTimeLocalInput(forms.DateTimeInput):
    """``<input type="datetime-local">`` to the minute."""

    input_type = "datetime-local"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs={"step": 60, **(attrs or {})}, format="%Y-%m-%dT%H:%M")


def _zone_help() -> str:
    return f"Your time zone: {zone_label()}"


class DateTimeLocalField(forms.DateTimeField):
    """A moment typed in the viewer's zone; cleans to an aware ``datetime``.

    Twice a year a clock time is missing or comes twice. The field then says so and
    what to enter instead, rather than to guess.
    """

    widget = DateTimeLocalInput

    def __init__(self, **options: Any) -> None:
        options.setdefault("help_text", lazy(_zone_help, str)())
        super().__init__(**options)

    def to_python(self, value: Any) -> datetime | None:
        try:
            return super().to_python(value)
        except ValidationError as refusal:
            raise ValidationError(_explanation(refusal), code=refusal.code) from refusal

    def validate(self, value: Any) -> None:
        if self.required and value in self.empty_values:
            raise ValidationError(_enter_sentence(), code="required")


def _explanation(refusal: ValidationError) -> str:
    if refusal.code != "ambiguous_timezone" or not refusal.params:
        return _enter_sentence()
    moment = refusal.params["datetime"].replace(tzinfo=None)
    return _clock_change_sentence(moment, timezone.get_current_timezone())


def _enter_sentence() -> str:
    example = timezone.localtime(timezone.now() + timedelta(days=1))
    return f"Enter a date and time, for example {example.day} {example:%B %Y} at 18:30."


def _clock_change_sentence(moment: datetime, zone: tzinfo) -> str:
    """Names the gap or the doubled hour around ``moment``, a naive local time."""
    before = moment.replace(tzinfo=zone, fold=0).utcoffset() or timedelta()
    after = moment.replace(tzinfo=zone, fold=1).utcoffset() or timedelta()
    when = f"{moment.day} {moment:%B %Y} at {moment:%H:%M}"
    change = _moment_of_change(moment, zone, before)
    first = change + min(before, after)
    last = change + max(before, after)
    if after > before:
        return (
            f"{when} does not exist in {zone_name()}: the clocks go forward from "
            f"{first:%H:%M} to {last:%H:%M}. Choose an earlier or a later time."
        )
    return (
        f"{when} comes twice in {zone_name()}: the clocks go back from "
        f"{last:%H:%M} to {first:%H:%M}. Choose a time before {first:%H:%M} "
        f"or from {last:%H:%M} on."
    )


def _moment_of_change(moment: datetime, zone: tzinfo, before: timedelta) -> datetime:
    """The naive UTC time at which the offset stops being ``before``, to the minute."""
    early, late = moment - timedelta(days=1), moment + timedelta(days=1)
    while late - early > timedelta(minutes=1):
        middle = early + (late - early) / 2
        offset = middle.replace(tzinfo=UTC).astimezone(zone).utcoffset()
        if offset == before:
            early = middle
        else:
            late = middle
    return (late + timedelta(seconds=30)).replace(second=0, microsecond=0)
