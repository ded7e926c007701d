"""A later word about attempts: from a provider, or from a person who knows.

Whoever says it, the same happens: the attempt climbs, its message follows, credits
are charged or released, waiting tries are taken back, and whoever was reached is
reached once. Belongs into a transaction of the caller.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from messaging.channels.posts import EARLIEST, LATEST
from messaging.dispatch import automatic, chain, ledger, statements
from messaging.dispatch.word import RANK, Word, of_receipt
from messaging.models.message import ARRIVED_STATES


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
    what their receipts tell counts as well, so that no part leaves twice.
    """
    if not words and not in_parts:
        return set()
    ledger.lock_all(organization_ids)
    chain.hold_chains_of_attempts([*(word.attempt_id for word in words), *in_parts])
    if in_parts:
        words = _with_what_flows_were_told(words, in_parts)
    changed = statements.rows("apply_states", _columns(words)) if words else []
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


def _with_what_flows_were_told(
    words: Sequence[Word], in_parts: Collection[int]
) -> list[Word]:
    """Note which parts left, and hold failures back while that is not known of all.

    A message that has failed may be sent again, and with the part that was taken back
    would go the one of which nobody can tell. So its attempt stays *unknown* until
    the doubt ends; then the failure takes effect, whoever ended it.
    """
    asked = sorted(in_parts)
    said = {word.attempt_id: word for word in words}
    statements.rows("hold_attempts", {"attempt_id": sorted({*said, *asked})})
    statements.rows("parts_proven", {"attempt_id": asked})
    for flow in statements.rows(
        "flows_told", {"attempt_id": asked, "earliest": EARLIEST, "latest": LATEST}
    ):
        attempt_id = flow["attempt_id"]
        word = said.get(attempt_id)
        if word is not None and word.rank > RANK["failed"]:
            continue
        if flow["is_in_doubt"]:
            if word is not None and word.state == "failed":
                del said[attempt_id]
        elif flow["state"] is not None:
            said[attempt_id] = of_receipt(attempt_id, flow)
    return list(said.values())


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
