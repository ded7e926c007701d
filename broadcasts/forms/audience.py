"""Who gets it: everyone, or members with certain tags, countries, languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.forms import BoundField

from broadcasts.audience import Audience, AudienceChoices

SHOWN = 12
"""Choices that are shown as boxes; the rest is offered while typing."""
NAMES = {"tags": "Tags", "countries": "Countries", "languages": "Languages"}
EXAMPLES = {"tags": "vip, gold", "countries": "GH, NL", "languages": "en, pt-BR"}


class AudienceForm(forms.Form):
    """Three lists of boxes, each with a line for what the boxes leave out."""

    def __init__(
        self, *args: Any, choices: AudienceChoices | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.audience_choices = choices
        for name, label in NAMES.items():
            known = getattr(choices, name) if choices else []
            self._add_fields(name, label, known)

    def _add_fields(self, name: str, label: str, known: list[str]) -> None:
        shown = known[:SHOWN]
        boxes = forms.MultipleChoiceField(
            label=label,
            choices=[(value, value) for value in shown],
            required=False,
            widget=forms.CheckboxSelectMultiple,
        )
        if self.audience_choices is None:
            # A preview trusts what was ticked: the boxes came from here.
            boxes.valid_value = lambda value: True  # type: ignore[method-assign]
        more = forms.CharField(
            label=f"More {label.lower()}" if shown else label,
            required=False,
            max_length=2000,
            widget=forms.TextInput(attrs={"placeholder": EXAMPLES[name]}),
            help_text="Separated by commas.",
        )
        if shown or self.audience_choices is None:
            self.fields[name] = boxes
        self.fields[f"more_{name}"] = more

    @property
    def audience_fields(self) -> list[tuple[BoundField | None, BoundField]]:
        """Boxes, where there are any, and the line for the rest."""
        return [
            (self[name] if name in self.fields else None, self[f"more_{name}"])
            for name in NAMES
        ]

    @property
    def audience(self) -> Audience:
        """Return what was chosen. Call it on a valid form."""
        return Audience.from_json({name: self._values(name) for name in NAMES})

    def _values(self, name: str) -> list[str]:
        typed = str(self.cleaned_data.get(f"more_{name}") or "").split(",")
        return [*self.cleaned_data.get(name, ()), *typed]


def initial_audience(audience: Audience, choices: AudienceChoices) -> dict[str, Any]:
    """Return an audience as values of the fields: boxes first, then the line."""
    values: dict[str, Any] = {}
    for name in NAMES:
        shown = getattr(choices, name)[:SHOWN]
        chosen = getattr(audience, name)
        values[name] = [one for one in chosen if one in shown]
        values[f"more_{name}"] = ", ".join(one for one in chosen if one not in shown)
    return values


def typed_audience(data: Mapping[str, Any]) -> Audience:
    """Return the audience of a form that is still being filled in."""
    form = AudienceForm(data)
    return form.audience if form.is_valid() else Audience()
