"""What a person counted as delivered, and what providers said about it later."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from messaging.channels.catalogue import lookup
from messaging.models import Attempt, CountedDelivery, Receipt
from resend_admin.ui.time_zones import moment_in_words

CONFIRMING = frozenset({"delivered", "read"})


def contradicts(counted: CountedDelivery, receipt: Receipt) -> bool:
    """Whether a provider said *failed* after a person had said *delivered*."""
    is_about_it = receipt.attempt_id == counted.attempt_id
    is_later = receipt.received_at > counted.created_at
    return receipt.state == "failed" and is_about_it and is_later


def contradictions(
    counted: CountedDelivery, receipts: Sequence[Receipt]
) -> list[Receipt]:
    """Return the receipts that say *failed*, unless another one says it arrived."""
    if any(one.state in CONFIRMING for one in receipts):
        return []
    return [one for one in receipts if contradicts(counted, one)]


def counted_in_words(
    attempt: Attempt, counted: CountedDelivery, receipts: Sequence[Receipt]
) -> Iterator[str]:
    """Say who settled it and when, and what has been heard since."""
    who, when = counted.person_name, moment_in_words(counted.created_at)
    why = f": “{counted.reason}”" if counted.reason else "."
    yield f"It was unknown. {who} counted it as delivered on {when}{why}"
    if any(one.state in CONFIRMING for one in receipts):
        yield "A receipt confirmed it later."
    for one in contradictions(counted, receipts)[:1]:
        code = f"{attempt.channel}:{one.error_code or 'failed'}"
        title = lookup(code, one.error_detail).title
        yield (
            f"The provider says otherwise: it failed ({title}). It stays counted as"
            " delivered, because nothing takes that back. To reach the member after"
            " all, send a copy."
        )
