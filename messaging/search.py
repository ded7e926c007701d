"""Find people and messages by what somebody typed, always by an index.

Members are found by the beginning of their name, external id, e-mail address or
phone number, or by their Telegram chat id; messages by their number, their public
id or that of an attempt, the provider's id, or their member. Nothing here counts or
scans.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from django.db.models import Q, QuerySet

from messaging.models import Attempt, Contact, Integration, Message
from messaging.models.contact import SEARCHED_COLUMNS

LONGEST_TEXT: Final = 200
MOST_MEMBERS: Final = 100
"""Members whose messages one search shows; a longer text narrows it down."""

_PUBLIC_ID: Final = re.compile(r"ra_[a-z]+_(resend_)?(\d{1,18})_([0-9a-f]{9})")
_PROVIDER_ID: Final = re.compile(r"\S{8,128}")
_PHONE: Final = re.compile(r"\+?[\d\s().\-/]{3,30}")


def members_matching(members: QuerySet[Contact], text: str) -> QuerySet[Contact]:
    """Narrow ``members`` to those that begin with ``text``, in any case of letters.

    The indexes begin with the organization, so ``members`` names one or several.
    """
    text = _clean(text)
    if not text:
        return members
    found = Q()
    for column in SEARCHED_COLUMNS:
        found |= Q(**{f"{column}__istartswith": text})
    if _PHONE.fullmatch(text):
        digits = re.sub(r"\D", "", text).removeprefix("00")
        if digits:
            found |= Q(phone__startswith=f"+{digits}")
    if text.lstrip("-").isdecimal():
        found |= Q(telegram_chat_id=text)
    return members.filter(found)


def messages_matching(
    messages: QuerySet[Message], text: str, organization_ids: Iterable[int]
) -> QuerySet[Message]:
    """Narrow ``messages`` to a number, a public id, or the messages of members.

    The members are looked up first, so that each step has an index to go by.
    """
    text = _clean(text)
    if not text:
        return messages
    public_id = _PUBLIC_ID.fullmatch(text.lower())
    if public_id:
        named = {"pk": int(public_id[2]), "suffix": public_id[3]}
        if public_id[1]:
            tries = Attempt.objects.filter(**named)
            return messages.filter(pk__in=tries.values("message_id"))
        return messages.filter(**named)
    own = Contact.objects.filter(organization__in=list(organization_ids))
    if _PROVIDER_ID.fullmatch(text):
        by_provider = _messages_by_provider_id(text, organization_ids)
        if by_provider:
            return messages.filter(pk__in=by_provider)
    members = members_matching(own, text).order_by("-pk")
    found = Q(contact__in=list(members.values_list("pk", flat=True)[:MOST_MEMBERS]))
    number = text.lstrip("#")
    if number.isdecimal() and len(number) <= 18:
        found |= Q(pk=int(number))
    return messages.filter(found)


def _messages_by_provider_id(
    provider_id: str, organization_ids: Iterable[int]
) -> list[int]:
    """Return the messages that a provider knows by this id: one probe each."""
    own = Integration.objects.filter(organization__in=list(organization_ids))
    tries = Attempt.objects.filter(
        integration__in=list(own.values_list("pk", flat=True)), provider_id=provider_id
    )
    return list(tries.values_list("message_id", flat=True)[:MOST_MEMBERS])


def _clean(text: str) -> str:
    """Return one line of reasonable length; PostgreSQL takes no NUL."""
    return " ".join(text.replace("\x00", "").split())[:LONGEST_TEXT]
