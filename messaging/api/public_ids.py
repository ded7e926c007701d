"""The ids that other programs hold, and the rows they name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from messaging.access import LARGEST_ID
from messaging.models import Attempt, Message, Organization

_PUBLIC_ID = re.compile(r"ra_([a-z]+)_(resend_)?([0-9]{1,19})_([0-9a-f]{9})")


@dataclass(frozen=True, slots=True)
class Named:
    """What an id names: a message or, through ``attempt``, one try of it."""

    message: Message
    attempt: Attempt | None = None


def by_public_id(organization: Organization, channel: str, text: str) -> Named | None:
    """Find ``ra_<channel>_<id>_<hex>`` or ``ra_<channel>_resend_<id>_<hex>``.

    The nine digits at the end must fit, so that ids cannot be guessed by counting.
    """
    match = _PUBLIC_ID.fullmatch(text)
    if match is None or match[1] != channel or int(match[3]) > LARGEST_ID:
        return None
    named = _attempt if match[2] else _message
    found = named(organization, int(match[3]), match[4])
    return found if found and found.message.channel == channel else None


def by_number(organization: Organization, number: int) -> Named | None:
    """Find a message or an attempt: they share one sequence, so one is meant."""
    if not 0 < number <= LARGEST_ID:
        return None
    return _message(organization, number) or _attempt(organization, number)


def _message(
    organization: Organization, number: int, suffix: str | None = None
) -> Named | None:
    own = Message.objects.select_related(
        "organization", "contact", "integration", "content", "amended_content"
    ).filter(organization=organization, pk=number)
    if suffix is not None:
        own = own.filter(suffix=suffix)
    message = own.first()
    return Named(message) if message else None


def _attempt(
    organization: Organization, number: int, suffix: str | None = None
) -> Named | None:
    own = Attempt.objects.select_related(
        "message__organization",
        "message__contact",
        "message__integration",
        "message__content",
        "message__amended_content",
    ).filter(organization=organization, pk=number)
    if suffix is not None:
        own = own.filter(suffix=suffix)
    attempt = own.first()
    return Named(attempt.message, attempt) if attempt else None
