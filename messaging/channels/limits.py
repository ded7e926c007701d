"""What a provider can carry, and in words why a content is more than that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from messaging.channels.contract import ContentKind

MEDIA = frozenset(
    {
        ContentKind.IMAGE,
        ContentKind.VIDEO,
        ContentKind.AUDIO,
        ContentKind.DOCUMENT,
    }
)

NAMES: Mapping[str, str] = {
    ContentKind.TEXT: "texts",
    ContentKind.IMAGE: "images",
    ContentKind.VIDEO: "videos",
    ContentKind.AUDIO: "audio",
    ContentKind.DOCUMENT: "documents",
    ContentKind.INTERACTIVE: "buttons or lists",
    ContentKind.TEMPLATE: "templates",
    ContentKind.FLOW: "flows",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """The sizes a provider accepts, in characters unless the name says bytes."""

    text: int
    caption: int
    interactive_body: int = 1024
    buttons: int = 3
    button_title: int = 20
    rows: int = 10
    row_title: int = 24
    row_description: int = 72
    choice_id_bytes: int = 200


@dataclass(frozen=True, slots=True)
class Carrier:
    """One provider's name, kinds and limits: enough to judge a content."""

    name: str
    kinds: frozenset[ContentKind]
    limits: Limits

    def refusals(self, kind: str, payload: Mapping[str, Any]) -> list[str]:
        """Return one sentence per reason why the content cannot travel."""
        if kind not in self.kinds:
            what = NAMES.get(kind, f"content of kind “{kind}”")
            return [f"{self.name} cannot carry {what}."]
        if kind == ContentKind.FLOW:
            return self._flow(payload)
        if kind in MEDIA:
            return self._media(payload)
        if kind == ContentKind.INTERACTIVE:
            return self._interactive(payload)
        if kind == ContentKind.TEMPLATE:
            return self._text("The template's text", payload.get("body"))
        return self._text("The text", payload.get("text"))

    def _flow(self, payload: Mapping[str, Any]) -> list[str]:
        steps = payload.get("parts")
        if not isinstance(steps, list | tuple) or not steps:
            return ["The flow has no parts."]
        found: list[str] = []
        for number, step in enumerate(steps, start=1):
            found.extend(f"Part {number}: {why}" for why in self._step(step))
        return found

    def _step(self, step: Any) -> list[str]:
        if not isinstance(step, Mapping) or not isinstance(
            step.get("payload"), Mapping
        ):
            return ["it has no content."]
        if step.get("kind") == ContentKind.FLOW:
            return ["a flow cannot contain another flow."]
        return self.refusals(str(step.get("kind", "")), step["payload"])

    def _text(self, what: str, value: Any) -> list[str]:
        return _required(what, value, self.limits.text)

    def _media(self, payload: Mapping[str, Any]) -> list[str]:
        found = [] if is_web_address(payload.get("url")) else [BAD_URL]
        caption = payload.get("caption")
        if caption:
            found += _required("The caption", caption, self.limits.caption)
        return found

    def _interactive(self, payload: Mapping[str, Any]) -> list[str]:
        found = _required("The body", payload.get("body"), self.limits.interactive_body)
        menu = payload.get("list")
        if isinstance(menu, Mapping):
            found += _required(
                "The list's button", menu.get("button"), self.limits.button_title
            )
            return found + self._choices(
                "list row", menu.get("rows"), self.limits.rows, self.limits.row_title
            )
        return found + self._choices(
            "button",
            payload.get("buttons"),
            self.limits.buttons,
            self.limits.button_title,
        )

    def _choices(self, noun: str, value: Any, most: int, title: int) -> list[str]:
        choices = value if isinstance(value, list | tuple) else ()
        if not choices:
            return [f"There must be at least one {noun}."]
        found = []
        if len(choices) > most:
            found.append(
                f"{self.name} allows {most} {noun}s; there are {len(choices)}."
            )
        names = []
        for number, choice in enumerate(choices, start=1):
            what = f"{noun} {number}"
            if not isinstance(choice, Mapping):
                found.append(f"There is nothing in {what}.")
                continue
            names.append(str(choice.get("id")))
            found += _required(f"The title of {what}", choice.get("title"), title)
            found += self._choice_id(what, choice.get("id"))
            described = choice.get("description")
            if described:
                found += _required(
                    f"The description of {what}", described, self.limits.row_description
                )
        if len(set(names)) < len(names):
            found.append(f"Every {noun} needs an id of its own.")
        return found

    def _choice_id(self, what: str, value: Any) -> list[str]:
        if not isinstance(value, str) or not value:
            return [f"The id of {what} is missing."]
        if len(value.encode(errors="replace")) > self.limits.choice_id_bytes:
            most = self.limits.choice_id_bytes
            return [f"The id of {what} is longer than {most} bytes."]
        return []


BAD_URL = "The media address must start with http:// or https:// and name a server."


def is_web_address(value: Any) -> bool:
    """Tell whether ``value`` is an absolute http(s) URL."""
    if not isinstance(value, str) or any(mark.isspace() for mark in value):
        return False
    try:
        address = urlsplit(value)
        return address.scheme in {"http", "https"} and bool(address.hostname)
    except ValueError:
        return False


def _required(what: str, value: Any, limit: int) -> list[str]:
    if not isinstance(value, str) or not value.strip():
        return [f"{what} is empty."]
    if len(value) > limit:
        return [f"{what} has {len(value):,} characters; {limit:,} are allowed."]
    return []
