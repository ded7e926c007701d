"""What was sent, as the person saw it, and in a few words; codes stay hidden."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from messaging.channels import preview
from messaging.channels.contract import Channel
from messaging.channels.preview import Part
from messaging.models import Attempt, Content, Message, MessageState
from messaging.models.message import ARRIVED_STATES
from messaging.one_time_codes import hide, is_authentication
from messaging.sent_codes import codes_in_part, contents_of

LONGEST_TITLE: Final = 70


@dataclass(frozen=True, slots=True)
class Version:
    """One content of a message: the original, or what later attempts sent instead."""

    heading: str
    parts: list[Part]


def shown_parts(message: Message, content: Content | None = None) -> list[Part]:
    """Return the bubbles of this message; none when nothing was chosen to send.

    ``content`` is what was sent instead of the original, if that is asked about.
    A subject is shown where the member saw one: in an e-mail.
    """
    content = content or message.content
    if content is None:
        return []
    with_subject = message.channel in {Channel.EMAIL, ""}
    secret = is_authentication(content.kind, content.payload)
    return [
        _without_codes(part if with_subject else replace(part, subject=""), secret)
        for part in preview.parts(content.kind, content.payload, message.parameters)
    ]


def versions(message: Message, attempts: Sequence[Attempt]) -> list[Version]:
    """Return the original and, beside it, whatever else an attempt sent or will.

    ``attempts`` come with their content, in the order of their numbers.
    """
    first: dict[int, int] = {}
    for attempt in attempts:
        first.setdefault(attempt.content_id, attempt.number)
    others = [
        Version(_since(first.get(content.pk)), shown_parts(message, content))
        for content in contents_of(message, attempts)
        if content.pk != message.content_id
    ]
    return [Version("Original" if others else "", shown_parts(message)), *others]


def content_heading(message: Message) -> str:
    """Return a heading that claims no more than what is known to have happened."""
    if message.state in ARRIVED_STATES:
        return "What the member saw"
    if message.state in {MessageState.SKIPPED, MessageState.CANCELLED}:
        return "What was not sent"
    return "What was sent" if message.attempt_count else "What will be sent"


def title_of(message: Message) -> str:
    """Return a name for what was sent: its label, its subject, or how it begins."""
    content = message.content
    if content is None:
        return "Nothing was chosen to send"
    if content.name:
        return content.name
    for part in shown_parts(message):
        words = part.subject or part.text or part.filename
        if words.strip():
            return _shortened(words)
    return _kind_of(content)


def _since(number: int | None) -> str:
    return f"Instead, from attempt {number} on" if number else "With the next attempt"


def _without_codes(part: Part, secret: bool) -> Part:
    codes = codes_in_part(part, is_authentication=secret)
    if not codes:
        return part
    return replace(
        part,
        text=hide(part.text, codes),
        subject=hide(part.subject, codes),
        filename=hide(part.filename, codes),
        buttons=tuple(hide(title, codes) for title in part.buttons),
    )


def _kind_of(content: Content) -> str:
    return str(content.get_kind_display())


def _shortened(words: str) -> str:
    line = " ".join(words.split())
    if len(line) <= LONGEST_TITLE:
        return line
    return f"{line[:LONGEST_TITLE].rsplit(' ', 1)[0]}…"
