"""What is said about one attempt, and how much it weighs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from messaging.channels.catalogue import lookup

RANK = {"sent": 2, "failed": 3, "delivered": 4, "read": 5}
"""An attempt only ever climbs: open, unknown, sent, failed, delivered, read."""


@dataclass(frozen=True, slots=True)
class Word:
    """What is said about one attempt. ``error_code`` names the channel as well."""

    attempt_id: int
    state: str
    at: datetime
    error_code: str = ""
    error_class: str = ""
    error_detail: str = ""
    is_certain: bool = False
    """Whether it is said by who failed to send it, and not of a single part."""

    @property
    def rank(self) -> int:
        return RANK[self.state]


def of_receipt(attempt_id: int, receipt: Mapping[str, Any]) -> Word:
    """Return what a receipt says, with the meaning that its code has here."""
    at = believable(receipt["occurred_at"], receipt["received_at"])
    if receipt["state"] != "failed":
        return Word(attempt_id, receipt["state"], at)
    detail = receipt["error_detail"]
    code = f"{receipt['channel']}:{receipt['error_code'] or 'failed'}"
    return Word(
        attempt_id,
        receipt["state"],
        at,
        error_code=code[:80],
        error_class=lookup(code, detail).error_class.value,
        error_detail=detail,
    )


def believable(occurred_at: datetime | None, received_at: datetime) -> datetime:
    """Return when it happened; a provider's clock does not run ahead of ours."""
    if occurred_at is None or occurred_at > received_at:
        return received_at
    return occurred_at
