"""Ask for many messages by one press of a button, and say what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import groupby, islice
from typing import Final

from messaging.channels.contract import AUTH_FAILED, Accepted, Answer, InDoubt, Rejected
from messaging.channels.gateway_requests import is_not_ready, request_retransmission
from messaging.devices.noting import check_soon
from messaging.models import (
    OPEN_INBOUND_STATES,
    InboundMessage,
    InboundState,
    RetransmissionRequest,
)
from messaging.retransmission.claiming import Claim, Target, claim, settle
from messaging.retransmission.words import of_answer
from messaging.trail import Doer

MOST_MESSAGES: Final = 50
"""Messages that one press of a button may ask for: somebody waits for the result."""
AT_ONCE: Final = 5
"""Requests that are under way at the same time."""
HOPELESS: Final = frozenset({AUTH_FAILED, "connection_failed"})
ASKABLE: Final = (*OPEN_INBOUND_STATES, InboundState.EXPIRED)


@dataclass(slots=True)
class Result:
    """What became of it, in numbers of messages.

    ``recent`` were asked for by somebody else a moment ago, ``closed`` came in
    meanwhile. ``problems`` has a sentence per reason why others were not asked for.
    """

    asked: int = 0
    recent: int = 0
    too_often: int = 0
    closed: int = 0
    problems: dict[str, int] = field(default_factory=dict)

    def refuse(self, sentence: str, number: int) -> None:
        self.problems[sentence] = self.problems.get(sentence, 0) + number


Claimed = tuple[Target, Claim]


def ask_many(messages: Sequence[InboundMessage], doer: Doer) -> Result:
    """Ask for exactly these messages, those of one chat by one receipt.

    Once a phone turns out not to be connected, or its gateway does not answer,
    nothing more is asked of it. The audit trail has one line for all of them.
    """
    result = Result()
    open_ones = [one for one in messages if one.state in ASKABLE]
    result.closed = len(messages) - len(open_ones)
    line = _line(open_ones)
    claims: list[Claimed] = []
    for target in _targets(open_ones):
        claims += _claims(target, doer, result, "" if claims else line)
    by_device = sorted(claims, key=lambda one: one[0].integration.pk)
    for _, of_device in groupby(by_device, key=lambda one: one[0].integration.pk):
        _ask_device(iter(list(of_device)), result)
    return result


def _targets(messages: Sequence[InboundMessage]) -> Iterator[Target]:
    def place(one: InboundMessage) -> tuple[int, str, str]:
        return one.integration_id, one.chat_jid, one.sender_jid or one.chat_jid

    for (_, chat, sender), found in groupby(sorted(messages, key=place), key=place):
        rows = list(found)
        ids = tuple(one.message_id for one in rows)
        yield Target(rows[0].integration, chat, sender, ids)


def _line(messages: Sequence[InboundMessage]) -> str | None:
    """Return what the audit trail says of one press; none says it by itself."""
    if len(messages) < 2:
        return None
    devices = sorted({f"“{one.integration.name}”" for one in messages})
    return f"Asked {', '.join(devices)} for {len(messages)} messages again."


def _claims(
    target: Target, doer: Doer, result: Result, line: str | None
) -> Iterator[Claimed]:
    claimed = claim(target, doer, line=line)
    not_now = {*claimed.too_often, *claimed.elsewhere}
    if not_now:
        # Those stop no other: the rest is claimed without them.
        result.too_often += len(claimed.too_often)
        result.recent += len(claimed.elsewhere)
        rest = tuple(one for one in target.message_ids if one not in not_now)
        if rest:
            yield from _claims(replace(target, message_ids=rest), doer, result, line)
        return
    result.recent += len(target.message_ids) - len(claimed.message_ids)
    if claimed.request is not None:
        yield target, claimed


def _ask_device(claims: Iterator[Claimed], result: Result) -> None:
    """Ask one device, a few at a time, until it says that it cannot."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while some := list(islice(claims, AT_ONCE)):
            answers = list(pool.map(_request, some))
            for one, answer in zip(some, answers, strict=True):
                _note(one, answer, result)
            hopeless = next((one for one in answers if _is_hopeless(one)), None)
            if hopeless is not None:
                for one in claims:
                    _note(one, _not_tried(hopeless), result)
                if is_not_ready(hopeless):
                    check_soon(some[0][0].integration.pk)


def _request(claimed: Claimed) -> Answer:
    """Ask for one chat; in a thread that never touches the database."""
    target, claim_ = claimed
    account = target.integration.account
    return request_retransmission(
        account, target.chat_jid, target.sender_jid, claim_.message_ids
    )


def _note(claimed: Claimed, answer: Answer, result: Result) -> None:
    target, claim_ = claimed
    assert claim_.request is not None, "what was not claimed is not asked for"
    requests: list[RetransmissionRequest] = [claim_.request]
    settle(requests, answer)
    if isinstance(answer, Accepted):
        result.asked += len(claim_.message_ids)
    else:
        refused = of_answer(answer, target.integration.name)
        result.refuse(refused.sentence, len(claim_.message_ids))


def _is_hopeless(answer: Answer) -> bool:
    """Tell whether asking the same device for anything else would end the same."""
    if isinstance(answer, Rejected) and answer.code in HOPELESS:
        return True
    return is_not_ready(answer) or isinstance(answer, InDoubt)


def _not_tried(answer: Answer) -> Answer:
    """Return the answer for what was not even asked because of another answer."""
    if isinstance(answer, InDoubt):
        return Rejected("connection_failed", "The gateway did not answer before.")
    return answer
