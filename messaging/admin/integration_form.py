"""The form of one integration, made from what its provider says it needs.

Secrets are written and never read back: an empty field keeps what is stored.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ImproperlyConfigured

from messaging.admin.tenancy import TenantForm
from messaging.channels.contract import Account, Field, Provider
from messaging.models import Integration

PREFIX = "own_"
FORGET = "forget_"


def stored_credentials(integration: Integration) -> tuple[dict[str, str], str]:
    """Return the stored secrets, and in words why they cannot be read, if so."""
    try:
        return integration.credentials, ""
    except ImproperlyConfigured as problem:
        return {}, str(problem)


class IntegrationForm(TenantForm):
    """Base of the forms; ``provider`` is set by :func:`integration_form`."""

    provider: Provider

    class Meta:
        model = Integration
        exclude: tuple[str, ...] = ("kind", "settings")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stored, self.unreadable = stored_credentials(self.instance)
        for item in self.provider.fields:
            field = self.fields.get(f"{PREFIX}{item.name}")
            if field is not None:
                self._prepare(field, item)
        if self.instance.pk is None and "rate_per_second" in self.fields:
            self.fields["rate_per_second"].initial = self.provider.default_rate

    def _prepare(self, field: forms.Field, item: Field) -> None:
        place = self.stored if item.credential else self.instance.settings
        value = str(place.get(item.name) or "")
        if not item.secret:
            field.initial = value or item.default
            return
        if value:
            field.required = False
            field.help_text = f"{item.help} Set. Leave it empty to keep it.".strip()

    def clean(self) -> dict[str, Any]:
        """Ask the provider what is wrong, as it would before sending."""
        cleaned: dict[str, Any] = super().clean() or {}
        self.instance.kind = self.provider.kind
        if not self.errors:
            self.new_credentials = self._values(credential=True, old=self.stored)
            self.new_settings = self._values(
                credential=False, old=self.instance.settings
            )
            account = Account(
                uid=str(self.instance.uid),
                credentials=self.new_credentials,
                settings=self.new_settings,
                hook_url=self.instance.hook_url,
            )
            for problem in self.provider.problems(account):
                self.add_error(None, problem)
        return cleaned

    def _values(self, *, credential: bool, old: dict[str, Any]) -> dict[str, Any]:
        values = dict(old)
        for item in self.provider.fields:
            if item.credential != credential:
                continue
            typed = str(self.cleaned_data.get(f"{PREFIX}{item.name}") or "")
            if typed or not item.secret:
                values[item.name] = typed
            elif self.cleaned_data.get(f"{FORGET}{item.name}"):
                values[item.name] = ""
        return values

    def save(self, commit: bool = True) -> Any:
        self.instance.credentials = self.new_credentials
        self.instance.settings = self.new_settings
        return super().save(commit)


def field_names(provider: Provider, integration: Integration | None) -> list[str]:
    """Return the names of the provider's fields on the form, in their order.

    What is not stored cannot be forgotten, so it is not offered.
    """
    stored = stored_credentials(integration)[0] if integration else {}
    names = []
    for item in provider.fields:
        names.append(f"{PREFIX}{item.name}")
        if _is_forgettable(item) and stored.get(item.name):
            names.append(f"{FORGET}{item.name}")
    return names


def integration_form(provider: Provider) -> type[IntegrationForm]:
    """Return the form class for integrations of this provider."""
    fields: dict[str, Any] = {"provider": provider}
    for item in provider.fields:
        fields[f"{PREFIX}{item.name}"] = _form_field(item)
        if _is_forgettable(item):
            fields[f"{FORGET}{item.name}"] = forms.BooleanField(
                label=f"Forget the stored {item.label.lower()}", required=False
            )
    return type("ProviderIntegrationForm", (IntegrationForm,), fields)


def _is_forgettable(item: Field) -> bool:
    return item.secret and not item.required


def _form_field(item: Field) -> forms.Field:
    shared: dict[str, Any] = {
        "label": item.label,
        "help_text": item.help,
        "required": item.required,
    }
    if item.choices:
        choices = [(choice, choice) for choice in item.choices]
        return forms.ChoiceField(choices=choices, **shared)
    if item.secret:
        widget = forms.PasswordInput(
            attrs={"autocomplete": "new-password", "class": "vTextField"}
        )
        return forms.CharField(widget=widget, strip=False, **shared)
    wide = forms.TextInput(attrs={"class": "vTextField"})
    return forms.CharField(widget=wide, max_length=2000, **shared)
