"""Send: what one attempt goes through; every answer becomes a value.

Nothing here touches the database, and nothing here raises for what a provider
does: five hundred attempts always come back as five hundred results.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from messaging.channels.catalogue import ErrorClass, lookup
from messaging.channels.contract import (
    AUTH_FAILED,
    Accepted,
    Answer,
    ContentKind,
    InDoubt,
    Outbound,
    Provider,
    RateLimited,
    Rejected,
)
from messaging.dispatch import lifetime
from messaging.dispatch.claim import Claimed
from messaging.dispatch.settle import Result
from messaging.policy import in_run_pause

if TYPE_CHECKING:
    from messaging.dispatch.flight import Flight

logger = logging.getLogger(__name__)

OWN = "resend_admin"
NOT_SENT = "not_sent"
ANSWER_LIMIT = 4_000
PROVIDER_ID_LIMIT = 128


@dataclass(slots=True, eq=False)
class Progress:
    """How far one attempt has come. It began by ``time.monotonic``."""

    claimed: Claimed
    started: float
    ends_at: float
    """When its time is up, by the clock of ``lifetime``."""
    lane: asyncio.Task[None] | None = None
    """Who sends it; nobody as long as it waits for its turn."""
    is_over: bool = False
    pauses: int = 0
    waited: float = 0.0
    has_left: bool = False
    parts_sent: int = field(init=False)
    """A bit for each part that is accepted; see ``Message.parts_sent``."""

    def __post_init__(self) -> None:
        self.parts_sent = self.claimed.parts_sent


@dataclass(frozen=True, slots=True)
class Content:
    """The parts of a content, and why this provider cannot carry them."""

    parts: Sequence[tuple[str, dict[str, Any]]]
    refusal: str


def content_of(provider: Provider, claimed: Claimed) -> Content:
    """Take a content to pieces and judge them."""
    parts = [(claimed.kind, claimed.payload)]
    if claimed.kind == ContentKind.FLOW:
        parts = [(part["kind"], part["payload"]) for part in claimed.payload["parts"]]
    refusals = [why for part in parts for why in provider.refusals(*part)]
    return Content(parts, " ".join(refusals))


async def send(flight: Flight, progress: Progress) -> Result:
    """Send one attempt; raise only when it is cancelled."""
    claimed = progress.claimed
    progress.started = time.monotonic()
    if progress.ends_at - lifetime.now() < flight.provider.timeout:
        # Too late to wait for an answer: better not to begin.
        return out_of_time(flight, progress)
    try:
        result = await _send_parts(flight, progress)
    except Exception as error:
        # A fault of ours must not take the other messages of the chunk along,
        # and whether this one left is exactly what cannot be told.
        logger.exception(
            "An attempt broke while it was sent",
            extra={
                "attempt_id": claimed.attempt_id,
                "message_id": claimed.message_id,
            },
        )
        result = Result(
            claimed.attempt_id,
            "unknown",
            error_code=f"{OWN}:worker_lost",
            error_class=ErrorClass.UNKNOWN,
            error_detail=type(error).__name__,
        )
    return _with_progress(result, progress)


def out_of_time(flight: Flight, progress: Progress) -> Result:
    """Return what becomes of an attempt whose time is up."""
    claimed = progress.claimed
    if progress.has_left:
        result = Result(
            claimed.attempt_id,
            "unknown",
            error_code=f"{claimed.channel}:timeout",
            error_class=ErrorClass.UNKNOWN,
        )
    else:
        result = _failed(claimed, f"{OWN}:{NOT_SENT}", "")
        result.again_in = flight.silence
    return _with_progress(result, progress)


def _with_progress(result: Result, progress: Progress) -> Result:
    result.message_id = progress.claimed.message_id
    result.duration_ms = round((time.monotonic() - progress.started) * 1000)
    result.parts_sent = progress.parts_sent
    result.pauses = progress.pauses
    return result


async def _send_parts(flight: Flight, progress: Progress) -> Result:
    claimed = progress.claimed
    content = flight.content_of(claimed)
    if content.refusal:
        return _failed(claimed, f"{OWN}:content_refused", content.refusal)
    answer: Answer = Rejected("invalid_content", "There is no part to send.")
    for number, (kind, payload) in enumerate(content.parts):
        if progress.parts_sent >> number & 1:
            continue
        outbound = Outbound(
            attempt_id=claimed.attempt_id,
            part=number,
            recipient=claimed.recipient,
            kind=kind,
            payload=payload,
            parameters=claimed.parameters,
        )
        answer = await _send_patiently(flight, outbound, progress)
        if not isinstance(answer, Accepted):
            break
        progress.parts_sent |= 1 << number
    return _result(claimed, answer)


async def _send_patiently(
    flight: Flight, outbound: Outbound, progress: Progress
) -> Answer:
    """Send one part, and wait within the budget when the provider asks for it."""
    tries = 0
    while True:
        if flight.silence:
            await _wait(flight, progress)
        if flight.is_refused:
            return Rejected(NOT_SENT, "The provider has just refused our credentials.")
        progress.has_left = True
        answer = await flight.connection.send(outbound)
        flight.learn(answer)
        tries += 1
        if not isinstance(answer, RateLimited):
            return answer
        progress.has_left = progress.parts_sent != progress.claimed.parts_sent
        if answer.whole_account:
            flight.be_silent(answer.retry_after)
        pause = in_run_pause(tries, progress.waited, answer.retry_after)
        if pause is None:
            return answer
        progress.pauses += 1
        progress.waited += pause
        await asyncio.sleep(pause)


async def _wait(flight: Flight, progress: Progress) -> None:
    """Hold a request back while the provider wants to hear nothing at all."""
    while silence := flight.silence:
        await asyncio.sleep(silence)
    progress.started = time.monotonic()


def _result(claimed: Claimed, answer: Answer) -> Result:
    match answer:
        case Accepted():
            return Result(
                claimed.attempt_id,
                "delivered" if answer.delivered else "sent",
                provider_id=answer.provider_id[:PROVIDER_ID_LIMIT],
                answer=answer.raw[:ANSWER_LIMIT],
                http_status=answer.http_status,
            )
        case Rejected(code=code) if code == NOT_SENT:
            failed = _failed(claimed, f"{OWN}:{NOT_SENT}", answer.detail)
            failed.again_in = 0.0
            return failed
        case Rejected() | RateLimited():
            failed = _failed(claimed, f"{claimed.channel}:{answer.code}", answer.detail)
            failed.answer = answer.raw[:ANSWER_LIMIT]
            failed.http_status = answer.http_status
            if answer.code == AUTH_FAILED:
                # Nobody can be reached with these credentials; it waits for others.
                failed.again_in = 0.0
            return failed
        case InDoubt():
            return Result(
                claimed.attempt_id,
                "unknown",
                error_code=f"{claimed.channel}:{answer.code}"[:80],
                error_class=ErrorClass.UNKNOWN,
                error_detail=answer.detail[:500],
                answer=answer.raw[:ANSWER_LIMIT],
                http_status=answer.http_status,
            )


def _failed(claimed: Claimed, code: str, detail: str) -> Result:
    return Result(
        claimed.attempt_id,
        "failed",
        error_code=code[:80],
        error_class=lookup(code, detail).error_class,
        error_detail=detail[:500],
    )
