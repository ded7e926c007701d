"""The flight: the attempts of one integration that are on their way at a time."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager

from messaging.channels.contract import (
    AUTH_FAILED,
    Answer,
    Connection,
    InDoubt,
    Provider,
    Rejected,
)
from messaging.dispatch import lifetime
from messaging.dispatch.claim import CONTENTS_KEPT, Claim, Claimed
from messaging.dispatch.loop_thread import LoopThread
from messaging.dispatch.send import Content, Progress, content_of, out_of_time, send
from messaging.dispatch.settle import Result
from messaging.models import Integration

ATTEMPT_SECONDS = 60.0
"""An attempt is over by then: not left, it goes back; else it is in doubt.
Stays well below ``RESCUE_AFTER_SECONDS``."""
ROUNDS = 5
"""Attempts per concurrent request that are opened ahead, to keep the way busy."""
FIRST = 10
"""Attempts under way at most until a provider has shown that it knows us."""
TICK_SECONDS = 0.01
"""Slots that are closer together than this begin together."""


class Flight:
    """Attempts of one integration on their way, over one open connection.

    Attempts land in any order, so one that hangs delays nobody else. Its owner
    launches and lands them and is with the database in between; they go on meanwhile,
    in the thread of their loop, to which everything belongs but the count.

    As many lanes as the provider may have requests at a time take one attempt
    after the other; a task or a timer for each of them would cost more than what
    is done in it.
    """

    def __init__(
        self,
        provider: Provider,
        connection: Connection,
        loop: LoopThread,
        *,
        concurrency: int,
        seconds: float = ATTEMPT_SECONDS,
    ) -> None:
        self.provider = provider
        self.connection = connection
        self.seconds = seconds
        self.is_known = False
        """Whether an answer has come that was not about our credentials."""
        self.is_refused = False
        """Whether the provider has refused our credentials: nothing more leaves."""
        self.holds_retries = False
        """Whether a message of a chain was among those launched."""
        self._loop = loop
        self._concurrency = concurrency
        self._lanes: set[asyncio.Task[None]] = set()
        self._waiting: deque[Progress] = deque()
        self._landed: deque[Result] = deque()
        self._count = 0
        self._awaited = 0
        """How many answers its owner waits for at the moment."""
        self._enough = threading.Event()
        self._fault: Exception | None = None
        self._contents: dict[int, Content] = {}
        self._silent_until = 0.0

    def __len__(self) -> int:
        return self._count

    @property
    def capacity(self) -> int:
        """Attempts that may be under way: more would wait longer than they live.

        Few at first, so that wrong credentials cost little.
        """
        most = self._concurrency * ROUNDS
        return most if self.is_known else min(FIRST, most)

    def launch(self, claim: Claim) -> None:
        """Put freshly opened attempts on their way, each in its slot.

        The first one leaves in ``first_in`` seconds, then a request ``every`` so many:
        what has several parts takes as many slots. However late that is, their time
        counts from when they were claimed.
        """
        self._count += len(claim.attempts)
        self._loop.call(self._guarded, self._begin_in_slots, claim)

    def _guarded(self, begin: Callable[..., None], *arguments: object) -> None:
        try:
            begin(*arguments)
        except Exception as error:  # noqa: BLE001
            # Whoever waits for answers that will never come is told instead.
            self._fault = error
            self._enough.set()

    def _begin_in_slots(self, claim: Claim) -> None:
        loop = asyncio.get_running_loop()
        chunk, first_in, every = claim.attempts, claim.first_in, claim.every
        ends_at = claim.begun + self.seconds
        begins: dict[int, list[Claimed]] = {}
        slot = 0
        for claimed in chunk:
            self.holds_retries |= claimed.is_retry_of_chain
            tick = int((first_in + slot * every) / TICK_SECONDS)
            begins.setdefault(tick, []).append(claimed)
            slot += claimed.requests
        for tick, together in begins.items():
            if tick == 0:
                self._begin(together, ends_at)
            else:
                wait = tick * TICK_SECONDS
                loop.call_later(wait, self._guarded, self._begin, together, ends_at)

    def _begin(self, chunk: Sequence[Claimed], ends_at: float) -> None:
        loop = asyncio.get_running_loop()
        now = time.monotonic()
        together = [Progress(one, now, ends_at) for one in chunk]
        self._waiting.extend(together)
        # Asked here and not told by a callback, which comes a step after the end: a
        # lane that has ended meanwhile would count as a busy one.
        self._lanes = {lane for lane in self._lanes if not lane.done()}
        for _ in range(min(self._concurrency - len(self._lanes), len(together))):
            self._lanes.add(loop.create_task(self._fly()))
        left = max(0.0, ends_at - lifetime.now())
        loop.call_later(left, self._end, together)

    async def _fly(self) -> None:
        """Send one waiting attempt after the other."""
        lane = asyncio.current_task()
        assert lane is not None
        while self._waiting:
            progress = self._waiting.popleft()
            if progress.is_over:
                continue
            progress.lane = lane
            try:
                result = await send(self, progress)
            except asyncio.CancelledError:
                if not progress.is_over:
                    raise
                lane.uncancel()
                result = out_of_time(self, progress)
            progress.is_over = True
            self._arrive(result)

    def _end(self, together: Sequence[Progress]) -> None:
        """End what has not been answered in all its time."""
        for progress in together:
            if progress.is_over:
                continue
            progress.is_over = True
            if progress.lane is None:
                self._arrive(out_of_time(self, progress))
            else:
                progress.lane.cancel()

    def _arrive(self, result: Result) -> None:
        self._landed.append(result)
        if 0 < self._awaited <= len(self._landed):
            self._enough.set()

    def has_landed(self, enough: int) -> bool:
        """Tell whether so many, or all there are, have been answered already."""
        return len(self._landed) >= self._number(enough)

    def _number(self, enough: int | None) -> int:
        return self._count if enough is None else min(enough, self._count)

    def land(self, seconds: float, *, enough: int | None = None) -> list[Result]:
        """Return what has been answered, after at most this many seconds.

        Sooner when so many are, or all.
        """
        self._enough.clear()
        self._awaited = self._number(enough)
        # Asked after both: whatever lands from now on rings.
        if len(self._landed) < self._awaited and not self._fault:
            self._enough.wait(seconds)
        self._awaited = 0
        if self._fault:
            raise self._fault
        landed = [self._landed.popleft() for _ in range(len(self._landed))]
        self._count -= len(landed)
        return landed

    def content_of(self, claimed: Claimed) -> Content:
        """Return what a message says, judged once for all that say the same."""
        content = self._contents.get(claimed.content_id)
        if content is None:
            if len(self._contents) >= CONTENTS_KEPT:
                self._contents.clear()
            content = content_of(self.provider, claimed)
            self._contents[claimed.content_id] = content
        return content

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
    with LoopThread(f"flight of integration {integration.pk}") as loop:
        opening = provider.connect(integration.account)
        connection = loop.run(_enter(opening))
        try:
            yield Flight(
                provider,
                connection,
                loop,
                concurrency=min(concurrency, provider.concurrency),
            )
        finally:
            loop.run(_leave(opening))


async def _enter(opening: AbstractAsyncContextManager[Connection]) -> Connection:
    return await opening.__aenter__()


async def _leave(opening: AbstractAsyncContextManager[Connection]) -> None:
    await opening.__aexit__(None, None, None)
