"""The evidence about an unknown message, in sentences for a support person."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Final

from django.utils import timezone

from messaging.channels.catalogue import lookup
from messaging.channels.contract import Channel
from messaging.evidence import Evidence, Likelihood, evidence_of
from messaging.models import Attempt, Message, MessageState, Receipt
from messaging.one_time_codes import hide
from messaging.sent_codes import codes_of
from messaging.views.answers import ShownReceipt, pretty, shown_receipt
from resend_admin.ui.pills import Pill
from resend_admin.ui.time_zones import span_in_words

WHO: Final = {
    Channel.WHATSAPP: "WhatsApp",
    Channel.TELEGRAM: "Telegram",
    Channel.SMS: "The SMS provider",
    Channel.EMAIL: "The mail server",
}
PILLS: Final = {
    Likelihood.TOO_EARLY: Pill("Too early to tell", "info", "clock"),
    Likelihood.PROBABLY_NOT: Pill("Probably did not arrive", "warn", "question"),
    Likelihood.MAYBE: Pill("May have arrived", "info", "question"),
    Likelihood.NO_SIGN: Pill("No sign either way", "idle", "question"),
}
COPIES: Final = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}
TIMED_OUT: Final = re.compile(r":(?:timeout|http_504|http_524)$")
BROKE_OFF: Final = ":connection_lost"


@dataclass(frozen=True, slots=True)
class ShownEvidence:
    """What a person reads before they decide. ``answer`` is as it came.

    ``has_left`` tells that the request is on record as sent.
    """

    likelihood: Pill
    has_left: bool
    sentences: tuple[str, ...]
    facts: tuple[str, ...]
    detail: str
    answer: str
    receipts: tuple[ShownReceipt, ...]
    strays: tuple[ShownReceipt, ...]


def shown_evidence(message: Message) -> ShownEvidence | None:
    """Return the evidence about one message; nothing unless it is unknown."""
    if message.state != MessageState.UNKNOWN:
        return None
    found = evidence_of([message]).get(message.pk)
    return shown(message, found) if found else None


def shown(message: Message, evidence: Evidence) -> ShownEvidence:
    """Put the evidence into words; no one-time code stands in any of them."""
    attempt = evidence.attempt
    codes = codes_of(message, [attempt])
    return ShownEvidence(
        likelihood=PILLS[evidence.likelihood],
        has_left=not evidence.is_cut_off,
        sentences=tuple(hide(one, codes) for one in _sentences(evidence)),
        facts=tuple(_facts(evidence)),
        detail=hide(attempt.error_detail, codes),
        answer=hide(pretty(attempt.answer), codes) if attempt.answer else "",
        receipts=tuple(_receipt(attempt, one, codes) for one in evidence.receipts),
        strays=tuple(_receipt(attempt, one, codes) for one in evidence.strays),
    )


def _sentences(evidence: Evidence) -> Iterator[str]:
    yield _left(evidence)
    yield from _copies(evidence)
    yield from _heard(evidence)


def _left(evidence: Evidence) -> str:
    """Say when the request left, and what came back."""
    attempt = evidence.attempt
    left = timezone.localtime(evidence.left_at)
    at = f"on {left.day} {left:%b} at {left:%H:%M:%S}"
    if evidence.is_cut_off:
        return (
            f"Sending began {at} and was cut off on our side, so nobody saw whether"
            " the request left or what came back."
        )
    took = _took(attempt.duration_ms)
    if attempt.http_status:
        return (
            f"The request left {at} and an answer came{took} (HTTP"
            f" {attempt.http_status}), but it does not say whether the message was"
            " taken."
        )
    if TIMED_OUT.search(attempt.error_code):
        within = took.replace(" after ", " within ")
        return f"The request left {at} and no answer came{within}."
    if attempt.error_code.endswith(BROKE_OFF):
        return f"The request left {at} and the line broke{took}, before an answer."
    return f"The request left {at}. {lookup(attempt.error_code).diagnosis}"


def _copies(evidence: Evidence) -> Iterator[str]:
    """Say that more than one try is in doubt, and what that may have come to."""
    numbers = [str(one.number) for one in evidence.earlier]
    if not numbers:
        return
    *others, last = numbers
    which = f"Attempts {', '.join(others)} and {last}" if others else f"Attempt {last}"
    copies = len(numbers) + 1
    yield (
        f"{which} got no clear answer either, so {COPIES.get(copies, copies)} copies"
        " may be under way, or there already."
    )


def _took(milliseconds: int | None) -> str:
    if milliseconds is None:
        return ""
    if milliseconds < 950:
        return f" after {milliseconds} ms"
    return f" after {milliseconds / 1000:.3g} s"


def _heard(evidence: Evidence) -> Iterator[str]:
    """Say what was heard since, whether anything would be, and what that means."""
    who = WHO.get(Channel(evidence.attempt.channel), "The provider")
    if evidence.strays:
        yield (
            "A receipt for the same address came since, but it names none of our"
            " messages, so it may be about another one."
        )
    if evidence.was_taken_back:
        yield (
            f"{who} took a part of it back, and nobody knows whether a later one has"
            " left. A receipt of that one settles it; sent again before, it may arrive"
            " twice."
        )
    elif evidence.receipts:
        yield "What came about it since does not settle it; read it below."
    elif not evidence.sends_receipts:
        yield (
            f"{who} sends no receipts, so nothing settles it by itself: ask the member."
        )
    elif evidence.hears_nothing:
        yield (
            f"{who} sends receipts, but none at all has come through"
            f" “{evidence.integration.name}” lately, so that says nothing. Ask an admin"
            " to check its hook address."
        )
    else:
        span = span_in_words(evidence.silence.total_seconds())
        if evidence.likelihood is Likelihood.TOO_EARLY:
            yield (
                f"{who} sends receipts, and it left only {span} ago: wait a little, one"
                " may still come and settle it."
            )
        else:
            so = "" if evidence.strays else ": it probably did not arrive"
            yield f"{who} sends receipts, and none has come for {span}{so}."


def _facts(evidence: Evidence) -> Iterator[str]:
    attempt = evidence.attempt
    yield f"Attempt {attempt.number}"
    yield f"through {attempt.integration.name}"
    if attempt.error_code:
        yield attempt.error_code
    if attempt.parts > 1:
        yield f"{attempt.parts_sent.bit_count()} of {attempt.parts} parts accepted"
    if attempt.provider_id:
        yield f"provider's number {attempt.provider_id}"


def _receipt(
    attempt: Attempt, receipt: Receipt, codes: Collection[str]
) -> ShownReceipt:
    found = shown_receipt(attempt, receipt)
    return replace(found, raw=hide(found.raw, codes))
