"""Settle: write what became of a chunk, in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from messaging.dispatch import (
    automatic,
    chain,
    circuit,
    later,
    ledger,
    pace,
    statements,
)
from messaging.dispatch.word import RANK, Word
from messaging.models import AttemptState, Integration, MessageState
from messaging.models.message import REACHED_STATES


@dataclass(slots=True)
class Result:
    """The outcome of one attempt, as a value.

    ``state`` is sent, delivered, failed or unknown. ``again_in`` seconds is set
    only when the request certainly never left and the message goes back into
    the queue.
    """

    attempt_id: int
    state: str
    error_code: str = ""
    error_class: str = ""
    error_detail: str = ""
    provider_id: str = ""
    answer: str = ""
    http_status: int | None = None
    duration_ms: int | None = None
    parts_sent: int = 0
    pauses: int = 0
    again_in: float | None = None
    message_id: int | None = None
    """For the log; the attempt knows its message."""


COLUMNS = tuple(set(Result.__dataclass_fields__) - {"message_id"})


@statements.again_after_deadlock
def settle(
    integration: Integration, results: Sequence[Result], *, in_chain: bool = False
) -> int:
    """Close the attempts that are still open; return how many that were.

    ``in_chain`` tells that some of the messages are retries, whose persons may
    have been reached by an earlier run meanwhile.
    """
    if not results:
        return 0
    columns = {name: [getattr(result, name) for result in results] for name in COLUMNS}
    sent_is_final = not integration.provider.confirms_delivery
    with transaction.atomic():
        ledger.lock(integration.organization_id)
        rows = statements.rows_in_binary(
            "settle",
            {**columns, "sent_is_final": sent_is_final},
        )
        closed: int = rows[0]["closed"]
        ledger.settle(_moving_credits(results, sent_is_final))
        if closed < len(results):
            late = statements.rows_in_binary("overtaken", columns)
            _believe(integration, results, late)
        moved = [row for row in rows if row["message_id"] is not None]
        if in_chain:
            again_in_chain = [row for row in moved if row["root_id"] is not None]
            chain.note_reached(_ids(again_in_chain, REACHED_STATES))
            chain.cancel_returned_tries(_ids(again_in_chain, [MessageState.QUEUED]))
        automatic.retry(_ids(moved, [MessageState.FAILED]))
        # What receipts told of parts while they were being sent counts from now on.
        in_doubt = [one.attempt_id for one in results if one.state == "unknown"]
        later.apply([], [integration.organization_id], told_of_parts=in_doubt)
        pace.free_pairs(integration, rows[0]["failed_attempts"])
        refused = [
            one
            for one in results
            if one.error_code and circuit.is_about(one.error_code)
        ]
        if refused:
            circuit.open_circuit(integration, refused[0].error_detail)
    return closed


def _ids(rows: Iterable[dict[str, Any]], states: Collection[str]) -> list[int]:
    return [row["message_id"] for row in rows if row["state"] in states]


def _believe(
    integration: Integration, results: Sequence[Result], late: Sequence[dict[str, Any]]
) -> None:
    """Let answers settle the attempts that the rescue had given up as unknown.

    What a receipt has said already stands. So does the doubt about an attempt that
    would have gone back into the queue by itself: its turn has passed, a person
    decides. A resend that waits is taken back if the provider has every part of it.
    """
    answers = {one.attempt_id: one for one in results}
    words = [
        Word(
            answer.attempt_id,
            answer.state,
            row["at"],
            error_code=answer.error_code,
            error_class=answer.error_class,
            error_detail=answer.error_detail,
            is_certain=answer.state == "failed",
        )
        for row in late
        if (answer := answers[row["attempt_id"]]).state in RANK
        and answer.again_in is None
        and row["before"] == AttemptState.UNKNOWN
    ]
    later.apply(
        words,
        [integration.organization_id],
        told_of_parts=[row["attempt_id"] for row in late],
    )


def _moving_credits(results: Sequence[Result], sent_is_final: bool) -> list[int]:
    """Return the attempts that are charged or released now.

    One that was accepted, with receipts to come, or that is in doubt keeps its hold;
    who overtook it has brought its ledger in step already.
    """
    moving = (
        {"delivered", "failed", "sent"} if sent_is_final else {"delivered", "failed"}
    )
    return sorted(one.attempt_id for one in results if one.state in moving)
