"""Who may ask for a message right now: one of many, and only so often.

PostgreSQL decides, in one statement (``sql/claim.sql``) that commits before the
gateway is asked. Whoever comes second within the quiet seconds is told what the first
one is told, so two requests at the same time are one retry receipt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db import transaction

from messaging import trail
from messaging.channels.contract import Accepted, Answer, InDoubt
from messaging.channels.jids import is_person, phone_of
from messaging.dispatch.statements import again_after_deadlock
from messaging.models import (
    MOST_REQUESTS,
    AuditKind,
    Integration,
    RequestOutcome,
    RetransmissionRequest,
)
from messaging.retransmission import statements
from messaging.trail import Doer

QUIET: Final = timedelta(seconds=10)
"""So long after a request the same message is not asked for once more. Longer than
the gateway may take to answer, so that nobody asks while somebody else still does."""


PAGE: Final = "/unreadable/"
MOST_NAMED: Final = 3
"""Ids that a line of the audit trail names."""


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

    ``others`` are the requests of the last seconds that the rest belongs to.
    ``too_often`` names what may not be asked for any more, ``elsewhere`` what was
    asked for a moment ago in another chat; for either of them nothing is claimed.
    """

    request: RetransmissionRequest | None = None
    message_ids: tuple[str, ...] = ()
    others: frozenset[int] = frozenset()
    too_often: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()


class _NothingToDoError(Exception):
    """Rolls a claim back that claimed nothing, or may not claim."""


@again_after_deadlock
def claim(target: Target, doer: Doer, *, line: str | None = None) -> Claim:
    """Claim what may be asked for, and commit; all of it or, at the limit, nothing.

    ``line`` is what the audit trail says of it: by itself what was claimed, and
    nothing if it is empty, because somebody else has told of it.
    """
    found = Claim()
    try:
        with transaction.atomic():
            found = _claim(target, doer)
            if found.request is None:
                raise _NothingToDoError
            _record(target, found, doer, line)
    except _NothingToDoError:
        pass
    return found


def _record(target: Target, claimed: Claim, doer: Doer, line: str | None) -> None:
    ids = claimed.message_ids
    if line is None:
        more = "" if len(ids) <= MOST_NAMED else f" and {len(ids) - MOST_NAMED} more"
        named = ", ".join(ids[:MOST_NAMED]) + more
        messages = "a message" if len(ids) == 1 else f"{len(ids)} messages"
        line = f"Asked “{target.integration.name}” for {messages} again: {named}."
    if line:
        trail.record(
            AuditKind.RESEND,
            line,
            organization_id=target.integration.organization_id,
            doer=doer,
            link=PAGE,
        )


def _claim(target: Target, doer: Doer) -> Claim:
    integration = target.integration
    request = RetransmissionRequest.objects.create(
        organization_id=integration.organization_id,
        integration=integration,
        chat_jid=target.chat_jid,
        sender_jid=target.sender_jid,
        message_ids=list(target.message_ids),
        asked_by=doer.actor,
        asked_by_name=doer.name[:150],
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
    rest = _others(target, claimed)
    if rest.too_often or rest.elsewhere or not claimed:
        return rest
    ids = tuple(one for one in target.message_ids if one in claimed)
    if len(ids) < len(target.message_ids):
        request.message_ids = list(ids)
        request.save(update_fields=["message_ids"])
    return Claim(request, ids, rest.others)


def _others(target: Target, claimed: set[str]) -> Claim:
    """Return whose the rest is, and what of it may not be asked for."""
    rest = [one for one in target.message_ids if one not in claimed]
    if not rest:
        return Claim()
    rows = statements.rows(
        "not_claimed",
        {"integration_id": target.integration.pk, "message_ids": rest},
    )
    others, too_often, elsewhere = set(), [], []
    here = (target.chat_jid, target.sender_jid)
    for row in rows:
        if not row["is_recent"] or row["request_id"] is None:
            too_often.append(row["message_id"])
        elif (row["chat_jid"], row["sender_jid"]) == here:
            others.add(row["request_id"])
        else:
            elsewhere.append(row["message_id"])
    return Claim(
        others=frozenset(others),
        too_often=tuple(too_often),
        elsewhere=tuple(elsewhere),
    )


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
