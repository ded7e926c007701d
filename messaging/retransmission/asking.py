"""Ask a sender's device to send messages once more, at most once at a time.

Belongs outside of any transaction: the claim commits, the gateway is asked, the
answer is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic, sleep
from typing import Final

from messaging.channels.contract import Accepted, Answer, InDoubt, Rejected
from messaging.channels.gateway_requests import (
    PATIENCE_SECONDS,
    is_not_ready,
    request_retransmission,
)
from messaging.devices.noting import check_soon
from messaging.models import (
    MOST_REQUESTS,
    RequestOutcome,
    RetransmissionRequest,
)
from messaging.retransmission.claiming import Claim, Target, claim, settle
from messaging.retransmission.words import Refusal, Refused, of_answer
from messaging.trail import Doer

LOOK_EVERY_SECONDS: Final = 0.05
ROUNDS: Final = 3
"""How often whoever waited in vain for somebody else's request tries on their own."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The receipt left. A repeat within the quiet seconds has the same moment."""

    at: datetime


def ask(target: Target, doer: Doer) -> Asked | Refused:
    """Ask for messages of one chat; a repeat is told what the first one was told."""
    last: Answer = InDoubt("timeout")
    for _ in range(ROUNDS):
        claimed = claim(target, doer)
        if claimed.too_often:
            return too_often(claimed.too_often)
        if claimed.elsewhere:
            return _elsewhere(claimed.elsewhere)
        ids = set(claimed.others)
        if claimed.request is not None:
            answer = _request(target, claimed)
            settle([claimed.request], answer)
            if is_not_ready(answer):
                check_soon(target.integration.pk)
            if not isinstance(answer, Accepted):
                return of_answer(answer, target.integration.name)
            ids.add(claimed.request.pk)
        requests = _settled(ids)
        refused = [one for one in requests if one.outcome == RequestOutcome.REFUSED]
        if requests and not refused:
            return _told(target, requests)
        # What somebody else asked for in vain may be claimed once more.
        for one in refused:
            last = Rejected(one.error_code, one.error_detail)
    return of_answer(last, target.integration.name)


def too_often(message_ids: Sequence[str]) -> Refused:
    named = ", ".join(message_ids[:5])
    return Refused(
        Refusal.TOO_OFTEN,
        f"Asked for {MOST_REQUESTS} times already, which is as often as devices answer:"
        f" {named}. Ask the person to send it again.",
    )


def _elsewhere(message_ids: Sequence[str]) -> Refused:
    named = ", ".join(message_ids[:5])
    return Refused(
        Refusal.INVALID,
        f"Asked for a moment ago in another chat, or of another sender: {named}. Check"
        " chat_jid and sender_jid, then ask again.",
    )


def _request(target: Target, claimed: Claim) -> Answer:
    return request_retransmission(
        target.integration.account,
        target.chat_jid,
        target.sender_jid,
        claimed.message_ids,
    )


def _settled(request_ids: Iterable[int]) -> list[RetransmissionRequest]:
    """Return these requests once they have their answers."""
    found = RetransmissionRequest.objects.filter(pk__in=list(request_ids))
    patience = monotonic() + PATIENCE_SECONDS + 1
    while True:
        requests = list(found.all())
        is_open = any(one.outcome == RequestOutcome.OPEN for one in requests)
        if not is_open or monotonic() > patience:
            return requests
        sleep(LOOK_EVERY_SECONDS)


def _told(target: Target, requests: Sequence[RetransmissionRequest]) -> Asked | Refused:
    """Return the answer that all of these requests together mean."""
    if any(one.outcome != RequestOutcome.ACCEPTED for one in requests):
        return of_answer(InDoubt("timeout"), target.integration.name)
    return Asked(max(one.settled_at for one in requests if one.settled_at is not None))
