"""What lists are narrowed by; it lives in the address, which may say anything."""

from __future__ import annotations

from typing import Any, Final

import django_filters
from django import forms

NOT_THERE: Final = "This is not there, or not any more. Choose another."
NO_DAY: Final = "Enter a day, such as 2026-11-23."


class ListFilter(django_filters.FilterSet):  # type: ignore[misc] # It carries no types.
    """A filter set that says in plain words what an address asks for in vain."""

    def get_form_class(self) -> Any:
        form_class = super().get_form_class()
        for field in form_class.base_fields.values():
            if "invalid_choice" in field.error_messages:
                field.error_messages["invalid_choice"] = NOT_THERE
            if isinstance(field, forms.DateField):
                field.error_messages["invalid"] = NO_DAY
        return form_class
