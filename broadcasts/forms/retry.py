"""The dialog of “Retry failed”."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from broadcasts.clock import is_within_years
from broadcasts.retry import RetryOffer
from resend_admin.ui.forms import DateTimeLocalField


class Confirmed(forms.Form):
    """What the dialog said when it was confirmed; hidden, never typed.

    ``shown_unknown`` tells whether the number included the unknown ones, so that
    a tick without JavaScript is counted before anything is sent.
    """

    shown_at = forms.DateTimeField(input_formats=["%Y-%m-%dT%H:%M:%S.%f%z"])
    shown_count = forms.IntegerField(min_value=0, max_value=2**31)
    shown_unknown = forms.BooleanField(required=False)

    def clean_shown_at(self) -> datetime:
        """Return the moment in UTC, so that any offset becomes one that we store."""
        moment: datetime = self.cleaned_data["shown_at"]
        if not is_within_years(moment):
            raise ValidationError("The dialog was never shown then.", code="invalid")
        return moment.astimezone(UTC)


class RetryForm(forms.Form):
    """When to try again, and whether to risk sending twice."""

    run_at = DateTimeLocalField(label="Run at")
    include_unknown = forms.BooleanField(required=False)

    def __init__(self, *args: Any, offer: RetryOffer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        number = offer.unknown_count
        if not number:
            del self.fields["include_unknown"]
            return
        those = "the unknown one" if number == 1 else f"the {number:,} unknown ones"
        field = self.fields["include_unknown"]
        field.label = f"Also {those}"
        field.help_text = (
            "It may have arrived, so the member may get it twice."
            if number == 1
            else "They may have arrived, so these members may get it twice."
        )
