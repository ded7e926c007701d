"""Find people and messages by what somebody typed, always by an index.

Members are found by the beginning of their name or of its last word, of their external
id, e-mail address or phone number, or by their Telegram chat id; messages by their
number, their public id or that of an attempt, the provider's id, or their member.
Nothing here counts or scans.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.db.models import Q, QuerySet
from django.db.models.lookups import IStartsWith

from messaging.models import Attempt, Contact, Integration, Message
from messaging.models.contact import LAST_WORD, SEARCHED_COLUMNS

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
    found = Q(IStartsWith(LAST_WORD, text))
    for column in SEARCHED_COLUMNS:
        found |= Q(**{f"{column}__istartswith": text})
    if _PHONE.fullmatch(text):
        digits = re.sub(r"\D", "", text).removeprefix("00")
        if digits:
            found |= Q(phone__startswith=f"+{digits}")
    if text.lstrip("-").isdecimal():
        found |= Q(telegram_chat_id=text)
    return members.filter(found)


@dataclass(frozen=True, slots=True)
class Found:
    """What a text names: messages by their number, and members with all of theirs."""

    numbers: tuple[int, ...] = ()
    members: tuple[int, ...] = ()

    @property
    def condition(self) -> Q:
        return Q(pk__in=self.numbers) | Q(contact__in=self.members)


def find(text: str, organization_ids: Iterable[int]) -> Found | None:
    """Look up what a text names in these organizations; nothing asks for nothing.

    The members are looked up first, so that each step has an index to go by.
    """
    text = _clean(text)
    if not text:
        return None
    public_id = _PUBLIC_ID.fullmatch(text.lower())
    if public_id:
        named = {"pk": int(public_id[2]), "suffix": public_id[3]}
        tries = Attempt.objects.filter(**named).values_list("message_id", flat=True)
        ids = Message.objects.filter(**named).values_list("pk", flat=True)
        return Found(numbers=tuple(tries if public_id[1] else ids))
    if _PROVIDER_ID.fullmatch(text):
        by_provider = _messages_by_provider_id(text, organization_ids)
        if by_provider:
            return Found(numbers=tuple(by_provider))
    number = text.lstrip("#")
    is_number = number.isdecimal() and len(number) <= 18
    return Found(
        numbers=(int(number),) if is_number else (),
        members=tuple(_members_beginning(text, organization_ids)),
    )


def messages_matching(
    messages: QuerySet[Message], text: str, organization_ids: Iterable[int]
) -> QuerySet[Message]:
    """Narrow ``messages`` to a number, a public id, or the messages of members."""
    found = find(text, organization_ids)
    return messages if found is None else messages.filter(found.condition)


def _members_beginning(text: str, organization_ids: Iterable[int]) -> list[int]:
    own = Contact.objects.filter(organization__in=list(organization_ids))
    members = members_matching(own, text).order_by("-pk")
    return list(members.values_list("pk", flat=True)[:MOST_MEMBERS])


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
