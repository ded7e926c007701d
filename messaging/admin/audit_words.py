"""What was changed in a form of Django admin, in words and without secrets."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib.auth.forms import ReadOnlyPasswordHashField
from django.db.models import Model, QuerySet
from django.utils import timezone

from messaging.trail import HIDDEN, Change, moment


def changes_of(
    form: forms.BaseForm, hidden: Collection[str] = frozenset()
) -> list[Change]:
    """Return every field that was changed, with what stood and what stands there.

    Of secrets only that they were changed: what a form hides while it is typed, what
    is on no field of its own, and the fields that are named as ``hidden``.
    """
    found = [_change(form, name, hidden) for name in form.changed_data]
    return [one for one in found if one[1] != one[2]]


def organization_id_of(row: Model, path: str) -> int | None:
    """Return the organization that ``path`` leads to; none for what has none."""
    *steps, last = path.split("__") if path else [""]
    if not last:
        return None
    holder: Any = row
    for step in steps:
        holder = getattr(holder, step)
        if holder is None:
            return None
    value = holder.pk if last == "pk" else getattr(holder, f"{last}_id")
    return int(value) if value is not None else None


def _change(form: forms.BaseForm, name: str, hidden: Collection[str]) -> Change:
    field = form.fields.get(name)
    if field is None or name in hidden or _is_secret(field):
        label = str(field.label or name) if field is not None else name
        return (label.replace("_", " "), "", HIDDEN)
    before = form.initial.get(name, field.initial)
    after = getattr(form, "cleaned_data", {}).get(name)
    label = str(field.label or name.replace("_", " "))
    return (label, _words(field, before), _words(field, after))


def _is_secret(field: forms.Field) -> bool:
    return isinstance(field, ReadOnlyPasswordHashField) or isinstance(
        field.widget, forms.PasswordInput
    )


def _words(field: forms.Field, value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, datetime):
        return moment(value, timezone.get_current_timezone())
    if isinstance(field, forms.ModelChoiceField):
        return _row_in_words(field, value)
    if isinstance(field, forms.ChoiceField) and not isinstance(value, list):
        choices: Any = field.choices
        known = {str(key): str(label) for key, label in _flat(choices)}
        return known.get(str(value), str(value))
    if isinstance(value, QuerySet | list | tuple | set):
        return ", ".join(str(one) for one in value)
    text = str(value)
    return _host_of(text) if text.startswith(("http://", "https://")) else text


def _host_of(address: str) -> str:
    """Return where an address leads; the rest of it may be a key."""
    try:
        return f"an address at {urlsplit(address).hostname or 'nowhere'}"
    except ValueError:
        return "an address"


def _row_in_words(field: Any, value: Any) -> str:
    if isinstance(value, Model):
        return str(value)
    found = field.queryset.filter(pk=value).first()
    return str(found) if found is not None else str(value)


def _flat(choices: Iterable[Any]) -> Iterable[tuple[Any, Any]]:
    for key, label in choices:
        if isinstance(label, list | tuple):
            yield from label
        else:
            yield key, label
