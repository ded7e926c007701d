"""Write a content as a letter: subject, plain words, and the same as HTML."""

from __future__ import annotations

import re
from html import escape
from typing import Final

from messaging.channels.preview import Part

DEFAULT_SUBJECT: Final = "A message for you"
SUBJECT_LENGTH: Final = 78


def subject(part: Part) -> str:
    """Return the subject; without one, the first line says what it is about."""
    for text in (part.subject, part.text.lstrip().partition("\n")[0]):
        line = " ".join(text.split())
        if len(line) > SUBJECT_LENGTH and text is not part.subject:
            line = line[: SUBJECT_LENGTH - 1].rsplit(" ", 1)[0] + "…"
        if line:
            return line
    return DEFAULT_SUBJECT


def plain(part: Part) -> str:
    """Return the words, and below them the address of the media."""
    link = f"{part.filename}: {part.url}" if part.filename else part.url
    return "\n\n".join(filter(None, [part.text, link]))


def markup(part: Part) -> str:
    """Return the same words as HTML, every one of them escaped."""
    paragraphs = [
        escape(paragraph).replace("\n", "<br>\n")
        for paragraph in re.split(r"\n{2,}", part.text.replace("\r\n", "\n").strip())
        if paragraph
    ]
    if part.url:
        label = part.filename or part.url
        paragraphs.append(f'<a href="{escape(part.url)}">{escape(label)}</a>')
    return "\n".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
