"""Put a person's values into the text that was written for everybody.

Replacing is all it does: nothing is evaluated, and a value that itself looks
like a placeholder is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z0-9_.\-]{1,100})\s*\}\}")


def render(text: str, parameters: Mapping[str, str]) -> str:
    """Return ``text`` with every known ``{{name}}`` replaced.

    An unknown placeholder stays as it is, so that a person sees what is missing.
    """

    def value(match: re.Match[str]) -> str:
        return str(parameters.get(match[1], match[0]))

    return PLACEHOLDER.sub(value, text)


def template_values(
    payload: Mapping[str, Any], parameters: Mapping[str, str]
) -> list[str]:
    """Return the values of ``{{1}}``, ``{{2}}``… of a template for one person."""
    values = payload.get("parameters")
    if not isinstance(values, Sequence) or isinstance(values, str):
        return []
    return [render(str(value), parameters) for value in values]


def template_text(payload: Mapping[str, Any], parameters: Mapping[str, str]) -> str:
    """Return the body of a template as this person reads it."""
    numbered = {
        str(number): value
        for number, value in enumerate(template_values(payload, parameters), start=1)
    }
    return render(str(payload.get("body") or ""), {**parameters, **numbered})


def template_as_text(payload: Mapping[str, Any], parameters: Mapping[str, str]) -> str:
    """Return a template's words for a channel that has no templates.

    Raise ``ValueError`` if there are none: an empty message must not leave.
    """
    text = template_text(payload, parameters)
    if not text.strip():
        message = "The template has no text."
        raise ValueError(message)
    return text
