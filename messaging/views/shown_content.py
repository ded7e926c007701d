"""What was sent, as the person saw it, and in a few words."""

from __future__ import annotations

from typing import Final

from messaging.channels import preview
from messaging.channels.preview import Part
from messaging.models import Content, Message, MessageState
from messaging.models.message import ARRIVED_STATES

LONGEST_TITLE: Final = 70


def shown_parts(message: Message) -> list[Part]:
    """Return the bubbles of this message; none when nothing was chosen to send."""
    content = message.content
    if content is None:
        return []
    return preview.parts(content.kind, content.payload, message.parameters)


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


def _kind_of(content: Content) -> str:
    return str(content.get_kind_display())


def _shortened(words: str) -> str:
    line = " ".join(words.split())
    if len(line) <= LONGEST_TITLE:
        return line
    return f"{line[:LONGEST_TITLE].rsplit(' ', 1)[0]}…"
