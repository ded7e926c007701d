"""Whether a payload has the shape of its kind, in words.

Limits of length and number are the providers' to judge; this looks at the names
and types that every channel relies on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from messaging.channels.contract import ContentKind

_MEDIA: Final = {"url": True, "caption": False}
TEXTS: Final[Mapping[str, Mapping[str, bool]]] = {
    ContentKind.TEXT: {"text": True, "subject": False},
    ContentKind.IMAGE: _MEDIA,
    ContentKind.VIDEO: _MEDIA,
    ContentKind.AUDIO: {"url": True},
    ContentKind.DOCUMENT: {**_MEDIA, "filename": False},
    ContentKind.INTERACTIVE: {"body": True},
    ContentKind.TEMPLATE: {
        "name": True,
        "language": True,
        "category": True,
        "body": True,
        "subject": False,
    },
}
"""The texts of each kind, and whether they must be there."""

OTHERS: Final[Mapping[str, frozenset[str]]] = {
    ContentKind.INTERACTIVE: frozenset({"buttons", "list"}),
    ContentKind.TEMPLATE: frozenset({"parameters"}),
}
"""What a kind has besides texts."""


def shape_problems(kind: str, payload: Any) -> list[str]:
    """Return one sentence per thing that is missing, unknown or of a wrong type."""
    if kind not in TEXTS:
        return [f"Content of kind “{kind}” is not made here."]
    if not isinstance(payload, dict):
        return ["The payload must be a JSON object: {…}."]
    texts, others = TEXTS[kind], OTHERS.get(kind, frozenset())
    found = [
        f"“{name}” is missing."
        for name, is_required in texts.items()
        if is_required and name not in payload
    ]
    for name, value in payload.items():
        if name not in texts and name not in others:
            known = ", ".join([*texts, *sorted(others)])
            found.append(f"“{name}” is unknown. Known are {known}.")
        elif name in texts and not isinstance(value, str):
            found.append(f"“{name}” must be a text in double quotes.")
    return found + _other_problems(payload, others)


def _other_problems(payload: dict[str, Any], others: frozenset[str]) -> list[str]:
    found = []
    parameters = payload.get("parameters", [])
    if "parameters" in others and not _are_texts(parameters):
        found.append("“parameters” must be a list of texts, for example [“{{name}}”].")
    if {"buttons", "list"} <= set(payload):
        found.append("Choose either “buttons” or “list”, not both.")
    if "list" in payload and not isinstance(payload["list"], dict):
        found.append("“list” must be an object with “button” and “rows”.")
    return found


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
