"""A later word about attempts: from a provider, or from a person who knows.

Whoever says it, the same happens: the attempt climbs, its message follows, credits
are charged or released, waiting tries are taken back, and whoever was reached is
reached once. Belongs into a transaction of the caller.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from messaging.dispatch import automatic, chain, ledger, statements
from messaging.models.message import ARRIVED_STATES

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

    @property
    def rank(self) -> int:
        return RANK[self.state]


def apply(
    words: Sequence[Word],
    organization_ids: Iterable[int],
    missing: Mapping[int, int] | None = None,
    in_parts: Collection[int] = (),
) -> set[int]:
    """Let the words take effect; return the attempts that they changed.

    At most one word per attempt. ``missing`` has a bit for each part of an attempt
    that the provider took back, so that the next attempt sends it again. ``in_parts``
    are those of which nobody wrote down all that was accepted, as when a worker died:
    what receipts tell of that is noted, so that no part leaves twice.
    """
    if not words and not in_parts:
        return set()
    ledger.lock_all(organization_ids)
    chain.hold_chains_of_attempts([*(word.attempt_id for word in words), *in_parts])
    changed = statements.rows("apply_states", _columns(words)) if words else []
    if in_parts:
        statements.rows("parts_proven", {"attempt_id": sorted(in_parts)})
    if missing:
        statements.rows(
            "parts_missing",
            {"attempt_id": list(missing), "parts": list(missing.values())},
        )
    changed_ids = {row["attempt_id"] for row in changed}
    ledger.settle(sorted(changed_ids))
    moved = [row for row in changed if row["message_id"] is not None]
    chain.cancel_waiting_tries(
        [row["message_id"] for row in moved if row["state"] in ARRIVED_STATES]
    )
    chain.note_reached([row["message_id"] for row in moved])
    automatic.retry(row["message_id"] for row in moved if row["state"] == "failed")
    return changed_ids


def _columns(words: Sequence[Word]) -> dict[str, list[object]]:
    names = (
        "attempt_id",
        "state",
        "rank",
        "error_code",
        "error_class",
        "error_detail",
        "at",
    )
    ordered = sorted(words, key=lambda word: word.attempt_id)
    return {name: [getattr(word, name) for word in ordered] for name in names}
