"""The forms of the page "Your account"."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import (
    password_validators_help_texts,
    validate_password,
)
from django.core.exceptions import ValidationError

from messaging import sign_in_pace
from messaging.models import User

WRONG_PASSWORD = "That is not your password. Check whether Caps Lock is on."  # noqa: S105


class PasswordOnce(forms.Form):
    """Asks for the present password; wrong tries are slowed down as at the log-in."""

    password = forms.CharField(
        label="Your password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": "Enter your present password."},
    )

    def __init__(self, person: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person

    def clean_password(self) -> str:
        bucket = sign_in_pace.bucket(sign_in_pace.PASSWORD, str(self.person.pk))
        wait = sign_in_pace.take([bucket])
        if wait:
            words = sign_in_pace.words(wait)
            raise ValidationError(f"Too many wrong passwords. Try again {words}.")
        password = str(self.cleaned_data["password"])
        if not self.person.check_password(password):
            raise ValidationError(WRONG_PASSWORD)
        sign_in_pace.give_back([bucket])
        return password


class SetUpForm(PasswordOnce):
    code = forms.CharField(
        label="Code of the app",
        max_length=10,
        help_text="The six digits that it shows now.",
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}
        ),
        error_messages={"required": "Enter the six digits that your app shows."},
    )
    field_order = ("code", "password")


class ChangePasswordForm(PasswordOnce):
    new_password = forms.CharField(
        label="New password",
        strip=False,
        help_text=" ".join(password_validators_help_texts()),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": "Enter a new password."},
    )
    repeated = forms.CharField(
        label="New password, once more",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": "Enter the new password once more."},
    )

    def clean_new_password(self) -> str:
        chosen = str(self.cleaned_data["new_password"])
        validate_password(chosen, self.person)
        return chosen

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        chosen, repeated = cleaned.get("new_password"), cleaned.get("repeated")
        if chosen and repeated and chosen != repeated:
            self.add_error("repeated", "The two are not the same. Type both again.")
        return cleaned


class ProofForm(forms.Form):
    """Asks for a code before the second step is turned off or its codes renewed."""

    code = forms.CharField(
        label="Code",
        max_length=40,
        help_text="Six digits from your authenticator app, or a recovery code.",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code"}),
        error_messages={"required": "Enter the six digits that your app shows."},
    )
