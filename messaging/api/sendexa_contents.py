"""What a client wants to send, as one of our contents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import phonenumbers
from django.utils import timezone

from messaging.api.problems import FieldError, Problem, invalid
from messaging.api.sendexa_schemas import Document, Interactive, Send, Template
from messaging.channels.contract import ContentKind
from messaging.channels.placeholders import PLACEHOLDER
from messaging.models import Content, Integration, Organization


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A content that may exist already, and what its placeholders stand for."""

    kind: str
    payload: Mapping[str, Any]
    parameters: Mapping[str, str] = field(default_factory=dict)
    stored: Content | None = None

    def content(self, organization: Organization) -> Content:
        """Return the row to send; a new one is off every list of contents at once."""
        return self.stored or Content.objects.create(
            organization=organization,
            kind=self.kind,
            payload=self.payload,
            archived_at=timezone.now(),
        )


def phone_of(to: str) -> str:
    """Return the number in E.164 with its plus, or raise a :class:`Problem`."""
    digits = to.removeprefix("+")
    try:
        if not (digits.isascii() and digits.isdigit()) or digits.startswith("0"):
            raise ValueError
        number = phonenumbers.parse(f"+{digits}")
        if not phonenumbers.is_possible_number(number):
            raise ValueError
    except (ValueError, phonenumbers.NumberParseException):
        raise _wrong(
            "to",
            "This must be a number with its country code, in digits, such as"
            " 233244000000.",
        ) from None
    return f"+{digits}"


def outgoing(send: Send, integration: Integration) -> Outgoing:
    """Return what is to be sent, or raise a :class:`Problem` that names the field."""
    _check_type(send)
    made = _made(send, integration.organization)
    refusals = integration.provider.refusals(made.kind, made.payload)
    if refusals:
        raise invalid(
            "The message cannot be sent as it is.",
            *(FieldError(send.type, why) for why in refusals),
        )
    return made


def _check_type(send: Send) -> None:
    """One object stands beside ``type``, and it has the type's name."""
    kinds = [kind.value for kind in ContentKind if kind != ContentKind.FLOW]
    given = {kind for kind in kinds if getattr(send, kind) is not None}
    if send.type not in given:
        raise _wrong(send.type, f"This field is required for type “{send.type}”.")
    if others := sorted(given - {send.type}):
        raise _wrong(others[0], f"The type is “{send.type}”, so leave this out.")


def _made(send: Send, organization: Organization) -> Outgoing:
    if send.text is not None:
        if send.text.preview_url:
            raise _wrong("text.preview_url", "Previews of links are not supported.")
        return Outgoing(send.type, {"text": send.text.body})
    if send.interactive is not None:
        return Outgoing(send.type, _interactive(send.interactive))
    if send.template is not None:
        return _template(send.template, organization)
    if send.audio is not None:
        return Outgoing(send.type, {"url": send.audio.link})
    media = send.image or send.video or send.document
    payload = {"url": media.link} if media else {}
    if media and media.caption:
        payload["caption"] = media.caption
    if isinstance(media, Document) and media.filename:
        payload["filename"] = media.filename
    return Outgoing(send.type, payload)


def _interactive(wanted: Interactive) -> dict[str, Any]:
    action = wanted.action
    if wanted.type == "button":
        if action.buttons is None:
            raise _wrong("interactive.action.buttons", "This field is required.")
        if action.button is not None or action.sections is not None:
            raise _wrong(
                "interactive.action", "Buttons come without a list; leave it out."
            )
        buttons = [one.reply.model_dump() for one in action.buttons]
        return {"body": wanted.body.text, "buttons": buttons}
    if action.button is None or action.sections is None:
        missing = "button" if action.button is None else "sections"
        raise _wrong(f"interactive.action.{missing}", "This field is required.")
    if action.buttons is not None:
        raise _wrong(
            "interactive.action.buttons",
            "A list comes without buttons; leave them out.",
        )
    rows = [row.model_dump() for row in action.sections[0].rows]
    return {"body": wanted.body.text, "list": {"button": action.button, "rows": rows}}


def _template(wanted: Template, organization: Organization) -> Outgoing:
    stored = (
        Content.objects.filter(
            organization=organization,
            kind=ContentKind.TEMPLATE,
            archived_at=None,
            payload__name=wanted.name,
            payload__language=wanted.language.code,
        )
        .order_by("-pk")
        .first()
    )
    if stored is None:
        raise Problem(
            400,
            "template_not_found",
            f"There is no template “{wanted.name}” in the language"
            f" “{wanted.language.code}”.",
            fields=[FieldError("template.name", "Name a template you have.")],
        )
    values = [one.text for part in wanted.components for one in part.parameters]
    places: list[str] = stored.payload.get("parameters") or []
    if len(values) != len(places):
        raise _wrong(
            "template.components",
            f"The template takes {len(places)} parameters; {len(values)} were given.",
        )
    parameters = _by_placeholder(places, values)
    if parameters is not None:
        return Outgoing(ContentKind.TEMPLATE, stored.payload, parameters, stored)
    return Outgoing(ContentKind.TEMPLATE, {**stored.payload, "parameters": values})


def _by_placeholder(places: list[str], values: list[str]) -> dict[str, str] | None:
    """Return the values by name, if each place of the template is one name.

    Then the template itself is sent, and no copy of it has to be made.
    """
    found: dict[str, str] = {}
    for place, value in zip(places, values, strict=True):
        name = PLACEHOLDER.fullmatch(place)
        if name is None or found.setdefault(name[1], value) != value:
            return None
    return found


def _wrong(where: str, why: str) -> Problem:
    return invalid("The message cannot be sent as it is.", FieldError(where, why))
