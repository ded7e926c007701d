"""Send: post a chunk concurrently; every answer becomes a value.

Nothing here touches the database, and nothing here raises for what a provider
does: five hundred attempts always come back as five hundred results.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from messaging.channels.catalogue import ErrorClass, lookup
from messaging.channels.contract import (
    AUTH_FAILED,
    Accepted,
    Answer,
    Connection,
    ContentKind,
    InDoubt,
    Outbound,
    Provider,
    RateLimited,
    Rejected,
)
from messaging.dispatch.claim import Claimed
from messaging.dispatch.settle import Result
from messaging.models import Integration
from messaging.policy import in_run_pause

logger = logging.getLogger(__name__)

OWN = "resend_admin"
NOT_SENT = "not_sent"
ATTEMPT_SECONDS = 60.0
"""An attempt is over by then: not left, it goes back; else it is in doubt.
Stays well below ``RESCUE_AFTER_SECONDS``."""
ROUNDS = 5
"""Attempts per concurrent request that are opened ahead, to keep the way busy."""
FIRST = 10
"""Attempts under way at most until a provider has shown that it knows us."""
TICK_SECONDS = 0.01
"""Slots that are closer together than this begin together."""
ANSWER_LIMIT = 4_000
PROVIDER_ID_LIMIT = 128


@dataclass(slots=True)
class Progress:
    """How far one attempt has come."""

    started: float
    parts_sent: int
    """A bit for each part that is accepted; see ``Message.parts_sent``."""
    pauses: int = 0
    waited: float = 0.0
    has_left: bool = False


class Flight:
    """Attempts of one integration on their way, over one open connection.

    Attempts land in any order, so one that hangs delays nobody else. Used from
    one thread: launch, land, and the database in between, outside of the loop.
    """

    def __init__(
        self,
        provider: Provider,
        connection: Connection,
        runner: asyncio.Runner,
        *,
        concurrency: int,
        seconds: float = ATTEMPT_SECONDS,
    ) -> None:
        self.provider = provider
        self.connection = connection
        self.concurrency = asyncio.Semaphore(concurrency)
        self.seconds = seconds
        self.is_known = False
        """Whether an answer has come that was not about our credentials."""
        self.is_refused = False
        """Whether the provider has refused our credentials: nothing more leaves."""
        self.holds_retries = False
        """Whether a message of a chain was among those launched."""
        self._runner = runner
        self._tasks: set[asyncio.Task[Result]] = set()
        self._ahead = 0
        self._most = concurrency * ROUNDS
        self._silent_until = 0.0

    def __len__(self) -> int:
        return len(self._tasks) + self._ahead

    @property
    def capacity(self) -> int:
        """Attempts that may be under way: more would wait longer than they live.

        Few at first, so that wrong credentials cost little.
        """
        return self._most if self.is_known else min(FIRST, self._most)

    def launch(
        self, chunk: Sequence[Claimed], *, first_in: float = 0.0, every: float = 0.0
    ) -> None:
        """Put freshly opened attempts on their way, each in its slot.

        The first one leaves in ``first_in`` seconds, then one ``every`` so many.
        """
        loop = self._runner.get_loop()
        begins: dict[int, list[Claimed]] = {}
        for number, claimed in enumerate(chunk):
            self.holds_retries |= claimed.is_retry_of_chain
            tick = int((first_in + number * every) / TICK_SECONDS)
            begins.setdefault(tick, []).append(claimed)
        for tick, together in begins.items():
            if tick == 0:
                self._begin(together)
            else:
                self._ahead += len(together)
                loop.call_later(tick * TICK_SECONDS, self._begin_later, together)

    def _begin_later(self, chunk: Sequence[Claimed]) -> None:
        self._ahead -= len(chunk)
        self._begin(chunk)

    def _begin(self, chunk: Sequence[Claimed]) -> None:
        ends_at = time.monotonic() + self.seconds
        loop = self._runner.get_loop()
        for claimed in chunk:
            self._tasks.add(loop.create_task(_send_one(self, claimed, ends_at)))

    def land(self, seconds: float) -> list[Result]:
        """Return what has been answered, after at most this many seconds."""
        return self._runner.run(self._land(seconds))

    async def _land(self, seconds: float) -> list[Result]:
        if self._ahead:
            # Others leave meanwhile; few answers are not worth a transaction yet.
            await asyncio.sleep(seconds)
        else:
            await asyncio.wait(self._tasks, timeout=seconds)
        done = {task for task in self._tasks if task.done()}
        self._tasks -= done
        return [task.result() for task in done]

    @property
    def silence(self) -> float:
        """Seconds of silence that the provider still asks for."""
        return max(0.0, self._silent_until - time.monotonic())

    def learn(self, answer: Answer) -> None:
        """Keep what an answer says about our credentials."""
        if isinstance(answer, Rejected) and answer.code == AUTH_FAILED:
            self.is_refused = True
        elif not isinstance(answer, InDoubt):
            self.is_known = True

    def be_silent(self, seconds: float) -> None:
        self._silent_until = max(self._silent_until, time.monotonic() + seconds)


@contextmanager
def in_flight(integration: Integration, concurrency: int) -> Iterator[Flight]:
    """Open the way to a provider for as long as the block lasts."""
    provider = integration.provider
    with asyncio.Runner() as runner:
        opening = provider.connect(integration.account)
        connection = runner.run(_enter(opening))
        try:
            yield Flight(
                provider,
                connection,
                runner,
                concurrency=min(concurrency, provider.concurrency),
            )
        finally:
            runner.run(_leave(opening))


async def _enter(opening: AbstractAsyncContextManager[Connection]) -> Connection:
    return await opening.__aenter__()


async def _leave(opening: AbstractAsyncContextManager[Connection]) -> None:
    await opening.__aexit__(None, None, None)


async def _send_one(flight: Flight, claimed: Claimed, ends_at: float) -> Result:
    progress = Progress(started=time.monotonic(), parts_sent=claimed.parts_sent)
    try:
        async with asyncio.timeout(max(0.0, ends_at - time.monotonic())):
            async with flight.concurrency:
                progress.started = time.monotonic()
                if ends_at - progress.started < flight.provider.timeout:
                    # Too late to wait for an answer: better not to begin.
                    result = _out_of_time(flight, claimed, progress)
                else:
                    result = await _send_parts(flight, claimed, progress)
    except TimeoutError:
        result = _out_of_time(flight, claimed, progress)
    except Exception as error:
        # A fault of ours must not take the other messages of the chunk along,
        # and whether this one left is exactly what cannot be told.
        logger.exception("Attempt %s broke while it was sent", claimed.attempt_id)
        result = Result(
            claimed.attempt_id,
            "unknown",
            error_code=f"{OWN}:worker_lost",
            error_class=ErrorClass.UNKNOWN,
            error_detail=type(error).__name__,
        )
    return replace(
        result,
        duration_ms=round((time.monotonic() - progress.started) * 1000),
        parts_sent=progress.parts_sent,
        pauses=progress.pauses,
    )


async def _send_parts(flight: Flight, claimed: Claimed, progress: Progress) -> Result:
    parts = _parts(claimed)
    refusals = [
        refusal
        for kind, payload in parts
        for refusal in flight.provider.refusals(kind, payload)
    ]
    if refusals:
        return _failed(claimed, f"{OWN}:content_refused", " ".join(refusals))
    answer: Answer | None = None
    for number, (kind, payload) in enumerate(parts):
        if claimed.parts_sent >> number & 1:
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
    if answer is None:
        # Everything had been accepted before; there is nothing left to send.
        return Result(claimed.attempt_id, "sent")
    return _result(claimed, answer, flight)


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
        progress.has_left = progress.parts_sent > 0
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


def _parts(claimed: Claimed) -> list[tuple[str, dict[str, Any]]]:
    if claimed.kind == ContentKind.FLOW:
        return [(part["kind"], part["payload"]) for part in claimed.payload["parts"]]
    return [(claimed.kind, claimed.payload)]


def _result(claimed: Claimed, answer: Answer, flight: Flight) -> Result:
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
            return replace(
                _failed(claimed, f"{OWN}:{NOT_SENT}", answer.detail), again_in=0.0
            )
        case Rejected() | RateLimited():
            failed = _failed(claimed, f"{claimed.channel}:{answer.code}", answer.detail)
            return replace(
                failed,
                answer=answer.raw[:ANSWER_LIMIT],
                http_status=answer.http_status,
                # Nobody can be reached with these credentials; it waits for others.
                again_in=0.0 if answer.code == AUTH_FAILED else None,
            )
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


def _out_of_time(flight: Flight, claimed: Claimed, progress: Progress) -> Result:
    if progress.has_left:
        return Result(
            claimed.attempt_id,
            "unknown",
            error_code=f"{claimed.channel}:timeout",
            error_class=ErrorClass.UNKNOWN,
        )
    return replace(_failed(claimed, f"{OWN}:{NOT_SENT}", ""), again_in=flight.silence)
