"""A later word about attempts: from a provider, or from a person who knows.

Whoever says it, the same happens: the attempt climbs, its message follows, credits
are charged or released, waiting tries are taken back, and whoever was reached is
reached once. Belongs into a transaction of the caller.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from messaging.channels.posts import EARLIEST, LATEST
from messaging.dispatch import again, automatic, chain, ledger, statements
from messaging.dispatch.word import RANK, Word, of_receipt
from messaging.models.message import REACHED_STATES


def apply(
    words: Sequence[Word],
    organization_ids: Iterable[int],
    told_of_parts: Collection[int] = (),
) -> set[int]:
    """Let the words take effect; return the attempts that they changed.

    At most one word per attempt. ``told_of_parts`` are attempts of whose parts we were
    told something: that one was taken back, or what a worker that died had sent. All
    that is known of them is looked at again, so that no part leaves twice.
    """
    if not words and not told_of_parts:
        return set()
    ledger.lock_all(organization_ids)
    spoken_of = sorted({*(word.attempt_id for word in words), *told_of_parts})
    chain.hold_chains_of_attempts(spoken_of)
    lacking: set[int] = set()
    if told_of_parts:
        statements.rows("hold_attempts", {"attempt_id": spoken_of})
        words = _with_what_flows_were_told(words, told_of_parts)
    changed = statements.rows("apply_states", _columns(words)) if words else []
    if told_of_parts:
        recounted = statements.rows(
            "parts_recounted", {"attempt_id": sorted(told_of_parts)}
        )
        lacking = {row["id"] for row in recounted if row["lacks_again"]}
    changed_ids = {row["attempt_id"] for row in changed}
    ledger.settle(sorted(changed_ids))
    moved = [row for row in changed if row["message_id"] is not None]
    chain.cancel_waiting_tries(
        [row["message_id"] for row in moved if row["state"] in REACHED_STATES]
    )
    chain.note_reached([row["message_id"] for row in moved])
    failed = {row["message_id"] for row in moved if row["state"] == "failed"}
    automatic.retry(sorted(failed | lacking))
    _take_back_what_is_there(word.attempt_id for word in words if word.state == "sent")
    return changed_ids


def _with_what_flows_were_told(
    words: Sequence[Word], told_of_parts: Collection[int]
) -> list[Word]:
    """Hold failures of flows back while a part may have left of which nobody has told.

    A message that has failed may be sent again, and with the part that was taken back
    would go the one in doubt. So its attempt stays *unknown* until the doubt ends;
    then the failure takes effect, whoever ended it.
    """
    said = {word.attempt_id: word for word in words}
    for flow in statements.rows(
        "flows_told",
        {"attempt_id": sorted(told_of_parts), "earliest": EARLIEST, "latest": LATEST},
    ):
        attempt_id = flow["attempt_id"]
        word = said.get(attempt_id)
        if word is not None and (word.is_certain or word.rank > RANK["failed"]):
            continue
        if flow["is_in_doubt"]:
            if word is not None and word.state == "failed":
                del said[attempt_id]
        elif flow["state"] is not None:
            said[attempt_id] = of_receipt(attempt_id, flow)
        elif flow["is_whole"]:
            said[attempt_id] = word or Word(attempt_id, "sent", flow["at"])
    return list(said.values())


def _take_back_what_is_there(attempt_ids: Iterable[int]) -> None:
    """Take back tries that wait for messages which a provider turned out to have."""
    if asked := sorted(attempt_ids):
        for row in statements.rows("nothing_left", {"attempt_id": asked}):
            again.take_back_held(row["id"])


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
