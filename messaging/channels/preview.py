"""Show a content the way the person saw it, whatever channel it took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from messaging.channels.contract import ContentKind
from messaging.channels.placeholders import render, template_text


@dataclass(frozen=True, slots=True)
class Part:
    """One bubble of a conversation.

    ``buttons`` are the titles of buttons, or of the rows of a list.
    """

    kind: str
    text: str = ""
    url: str = ""
    filename: str = ""
    buttons: tuple[str, ...] = ()
    subject: str = ""


def parts(
    kind: str, payload: Mapping[str, Any], parameters: Mapping[str, str] | None = None
) -> list[Part]:
    """Return what the person saw, in order. A flow gives one part per step.

    Never raises: pages show old and odd payloads, too.
    """
    values = parameters or {}
    if kind == ContentKind.FLOW:
        return [
            shown
            for step in _mappings(payload.get("parts"))
            if step.get("kind") != ContentKind.FLOW
            for shown in parts(
                _text(step, "kind"), _mapping(step.get("payload")), values
            )
        ]
    return [_part(kind, payload, values)]


def choices(payload: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the buttons of an interactive content, or the rows of its list."""
    rows = _mapping(payload.get("list")).get("rows")
    return _mappings(payload.get("buttons")) or _mappings(rows)


def _part(kind: str, payload: Mapping[str, Any], parameters: Mapping[str, str]) -> Part:
    if kind == ContentKind.TEMPLATE:
        text = template_text(payload, parameters)
    else:
        written = (_text(payload, name) for name in ("text", "body", "caption"))
        text = render(next(filter(None, written), ""), parameters)
    return Part(
        kind=kind,
        text=text,
        url=_text(payload, "url"),
        filename=_text(payload, "filename"),
        buttons=tuple(_text(choice, "title") for choice in choices(payload)),
        subject=render(_text(payload, "subject"), parameters),
    )


def _text(payload: Mapping[str, Any], name: str) -> str:
    value = payload.get(name)
    return value if isinstance(value, str) else ""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    if not isinstance(value, list | tuple):
        return []
    return [item for item in value if isinstance(item, Mapping)]
