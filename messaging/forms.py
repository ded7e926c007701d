"""Forms of the pages of messaging."""

from __future__ import annotations

import phonenumbers
from django import forms


class MemberImportForm(forms.Form):
    """A CSV file of members, and the country of numbers written without one."""

    file = forms.FileField(
        label="CSV file",
        help_text="Comma, semicolon or tab between the columns, in UTF-8.",
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
        error_messages={
            "required": "Choose a CSV file.",
            "empty": "This file is empty. Choose another one.",
        },
    )
    country = forms.CharField(
        label="Country of numbers without a country code",
        required=False,
        max_length=2,
        help_text="Two letters, for example GH. Empty: such numbers are refused.",
        widget=forms.TextInput(attrs={"autocomplete": "country", "size": 2}),
        error_messages={"max_length": "Enter the two letters of a country: GH."},
    )

    def clean_country(self) -> str:
        code = str(self.cleaned_data["country"]).strip().upper()
        if code and code not in phonenumbers.SUPPORTED_REGIONS:
            message = f"“{code}” is no country. Enter two letters, for example GH."
            raise forms.ValidationError(message)
        return code
