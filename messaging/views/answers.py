"""What providers said, at once and later, as it came and in a few words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from messaging.channels.catalogue import lookup
from messaging.evidence import is_held_back
from messaging.models import Attempt, CountedDelivery, Receipt
from messaging.views.counted import contradicts


@dataclass(frozen=True, slots=True)
class ShownReceipt:
    """What a provider told us later. ``result`` is what became of it."""

    said: str
    at: datetime
    result: str
    raw: str


def shown_receipt(
    attempt: Attempt, receipt: Receipt, counted: CountedDelivery | None = None
) -> ShownReceipt:
    """Return a receipt of this attempt; ``counted`` if a person had spoken first."""
    said = receipt.state or f"something unknown ({receipt.kind})"
    if receipt.error_code:
        code = f"{attempt.channel}:{receipt.error_code}"
        said = f"{said}: {lookup(code, receipt.error_detail).title}"
    result = receipt.get_result_display() if receipt.result else "Waits to be applied"
    if counted is not None and contradicts(counted, receipt):
        result = "Contradicts the person who counted it as delivered; changes nothing"
    elif is_held_back(attempt, receipt):
        result = "Counts as soon as it is known whether a later part has left"
    return ShownReceipt(
        said=said,
        at=receipt.occurred_at or receipt.received_at,
        result=result,
        raw=pretty(receipt.raw),
    )


def pretty(raw: Any) -> str:
    """Return an answer with line breaks where it is JSON, else as it came."""
    if isinstance(raw, str):
        try:
            raw = json.loads(raw)
        except ValueError:
            return str(raw)
        if not isinstance(raw, dict | list):
            return json.dumps(raw, ensure_ascii=False)
    return json.dumps(raw, indent=2, ensure_ascii=False)
