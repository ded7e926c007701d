"""A date and time whose zone is chosen in a field of its own."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from resend_admin.ui.forms import DateTimeLocalInput
from resend_admin.ui.time_zones import zone_named


def _example() -> str:
    today = timezone.localdate()
    return f"Enter a date and time, for example {today.day} {today:%B %Y} at 18:30."


class WallClockField(forms.Field):
    """Cleans to a naive ``datetime``: what a clock on the wall of that zone shows.

    The services turn it into a moment, and refuse an hour that the clocks skip or
    show twice.
    """

    widget = DateTimeLocalInput

    def to_python(self, value: Any) -> datetime | None:
        if value in self.empty_values:
            return None
        try:
            moment = datetime.fromisoformat(str(value).strip())
        except ValueError:
            raise ValidationError(_example(), code="invalid") from None
        return moment.replace(tzinfo=None)


def on_the_wall(moment: datetime | None, time_zone: str) -> datetime | None:
    """Return what the wall clock of the zone shows at that moment."""
    place = zone_named(time_zone)
    if moment is None or place is None:
        return None
    return moment.astimezone(place).replace(tzinfo=None)
