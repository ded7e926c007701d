"""The one-time codes of a message, which nothing that repeats it may show.

Pages, Django admin and whatever else shows contents, answers or receipts asks here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from messaging.channels import preview
from messaging.channels.preview import Part
from messaging.models import Attempt, Content, Message
from messaging.one_time_codes import codes_in, is_authentication


def codes_of(message: Message, attempts: Sequence[Attempt] = ()) -> frozenset[str]:
    """Return the one-time codes in what was sent, by whichever attempt."""
    found: set[str] = set()
    for content in contents_of(message, attempts):
        found |= codes_in_content(content, message.parameters)
    return frozenset(found)


def codes_in_content(
    content: Content, parameters: Mapping[str, str] | None = None
) -> frozenset[str]:
    """Return the codes in a content, with its placeholders filled in.

    What fills the placeholders of an authentication template is a code wherever it
    stands, shown in the template or not.
    """
    values = parameters or {}
    secret = is_authentication(content.kind, content.payload)
    found: set[str] = set()
    for part in preview.parts(content.kind, content.payload, values):
        found |= codes_in_part(part, is_authentication=secret)
    if secret:
        found |= codes_in(json.dumps([*values.values()]), is_authentication=True)
    return frozenset(found)


def codes_in_part(part: Part, *, is_authentication: bool) -> frozenset[str]:
    words = (part.subject, part.text, part.filename, *part.buttons)
    return codes_in("\n".join(words), is_authentication=is_authentication)


def contents_of(message: Message, attempts: Iterable[Attempt]) -> list[Content]:
    """Return each content once: the original, those of attempts, what comes next."""
    found = [message.content, *(one.content for one in attempts)]
    every: list[Any] = [*found, message.amended_content]
    return list({one.pk: one for one in every if one is not None}.values())
