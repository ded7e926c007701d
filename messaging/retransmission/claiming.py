"""Who may ask for a message right now: one of many, and only so often.

PostgreSQL decides, in one statement (``sql/claim.sql``) that commits before the
gateway is asked. Whoever comes second within the quiet seconds is told what the first
one is told, so two requests at the same time are one retry receipt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from django.db import transaction

from messaging.channels.contract import Accepted, Answer, InDoubt
from messaging.channels.jids import is_person, phone_of
from messaging.dispatch.statements import again_after_deadlock
from messaging.models import (
    MOST_REQUESTS,
    Actor,
    Integration,
    RequestOutcome,
    RetransmissionRequest,
)
from messaging.retransmission import statements

QUIET: Final = timedelta(seconds=10)
"""So long after a request the same message is not asked for once more. Longer than
the gateway may take to answer, so that nobody asks while somebody else still does."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who wants it."""

    actor: Actor
    name: str


@dataclass(frozen=True, slots=True)
class Target:
    """Messages of one chat from one sender, at one device."""

    integration: Integration
    chat_jid: str
    sender_jid: str
    message_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """``request`` is ours to make, for ``message_ids``; none if all are another's.

    ``others`` are the requests of the last seconds that the rest belongs to;
    ``too_often`` names what may not be asked for any more, and then nothing is
    claimed.
    """

    request: RetransmissionRequest | None = None
    message_ids: tuple[str, ...] = ()
    others: frozenset[int] = frozenset()
    too_often: tuple[str, ...] = field(default=())


class _NothingToDoError(Exception):
    """Rolls a claim back that claimed nothing, or may not claim."""


@again_after_deadlock
def claim(target: Target, asker: Asker) -> Claim:
    """Claim what may be asked for, and commit; all of it or, at the limit, nothing."""
    found = Claim()
    try:
        with transaction.atomic():
            found = _claim(target, asker)
            if found.request is None:
                raise _NothingToDoError
    except _NothingToDoError:
        pass
    return found


def _claim(target: Target, asker: Asker) -> Claim:
    integration = target.integration
    request = RetransmissionRequest.objects.create(
        organization_id=integration.organization_id,
        integration=integration,
        chat_jid=target.chat_jid,
        sender_jid=target.sender_jid,
        message_ids=list(target.message_ids),
        asked_by=asker.actor,
        asked_by_name=asker.name[:150],
    )
    person = target.chat_jid if is_person(target.chat_jid) else target.sender_jid
    rows = statements.rows(
        "claim",
        {
            "organization_id": integration.organization_id,
            "integration_id": integration.pk,
            "message_ids": list(target.message_ids),
            "chat_jid": target.chat_jid,
            "sender_jid": target.sender_jid,
            "phone": phone_of(person),
            "request_id": request.pk,
            "quiet": QUIET,
            "most": MOST_REQUESTS,
        },
    )
    claimed = {row["message_id"] for row in rows}
    others, too_often = _others(target, claimed)
    if too_often or not claimed:
        return Claim(others=others, too_often=too_often)
    ids = tuple(one for one in target.message_ids if one in claimed)
    if len(ids) < len(target.message_ids):
        request.message_ids = list(ids)
        request.save(update_fields=["message_ids"])
    return Claim(request, ids, others)


def _others(
    target: Target, claimed: set[str]
) -> tuple[frozenset[int], tuple[str, ...]]:
    """Return whose the rest is, and what of it may not be asked for any more."""
    rest = [one for one in target.message_ids if one not in claimed]
    if not rest:
        return frozenset(), ()
    rows = statements.rows(
        "not_claimed",
        {"integration_id": target.integration.pk, "message_ids": rest},
    )
    others, too_often = set(), []
    for row in rows:
        if row["is_recent"] and row["request_id"] is not None:
            others.add(row["request_id"])
        else:
            too_often.append(row["message_id"])
    return frozenset(others), tuple(too_often)


def settle(requests: Sequence[RetransmissionRequest], answer: Answer) -> None:
    """Write what became of these requests, which had one answer."""
    values = {
        "request_ids": [one.pk for one in requests],
        "error_code": getattr(answer, "code", "")[:80],
        "error_detail": getattr(answer, "detail", "")[:500],
    }
    if isinstance(answer, Accepted | InDoubt):
        is_clear = isinstance(answer, Accepted)
        outcome = RequestOutcome.ACCEPTED if is_clear else RequestOutcome.UNCLEAR
        statements.rows("asked", {**values, "outcome": outcome.value})
    else:
        statements.rows("not_asked", values)
