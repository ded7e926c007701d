"""Tries that are under way, each endpoint in a lane of its own."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import aiohttp
from django.conf import settings

from messaging.webhooks import posting
from messaging.webhooks.claiming import Claimed
from messaging.webhooks.posting import Told

RESOLVERS: Final = 32
"""Names that may be looked up at the same time, however slow some are."""
PATIENCE_SECONDS: Final = 1.0
"""What has not left by then is handed back: its endpoint has become slow."""


@dataclass(slots=True)
class Lane:
    """What one endpoint is told: so much at a time, the rest in line behind it."""

    waiting: deque[tuple[float, Claimed]] = field(default_factory=deque)
    under_way: int = 0
    is_blocked: bool = False
    """Whether a try has just failed: nothing leaves until somebody looked again."""


class Flight:
    """Used from one thread, which owns the loop."""

    def __init__(self, runner: asyncio.Runner, way: aiohttp.ClientSession) -> None:
        self._runner = runner
        self._way = way
        self._lanes: dict[int, Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._landed: list[Told] = []

    def __len__(self) -> int:
        """How much is held here: in line, or under way."""
        return sum(
            len(lane.waiting) + lane.under_way for lane in self._lanes.values()
        ) + len(self._landed)

    def launch(self, claimed: Sequence[Claimed]) -> None:
        now = time.monotonic()
        for one in claimed:
            lane = self._lanes.setdefault(one.endpoint_id, Lane())
            lane.waiting.append((now, one))
        for lane in self._lanes.values():
            self._fill(lane)

    def land(self, seconds: float) -> list[Told]:
        """Return what has been answered; give it this long."""
        # Asleep to the end: a round that is over sooner would only begin sooner.
        self._runner.run(asyncio.sleep(seconds))
        landed, self._landed = self._landed, []
        return landed

    def left_behind(self, *, everything: bool = False) -> list[Claimed]:
        """Take out what has waited for too long, or waits for one that fails."""
        latest = time.monotonic() - PATIENCE_SECONDS
        found: list[Claimed] = []
        for endpoint_id, lane in list(self._lanes.items()):
            oldest = lane.waiting[0][0] if lane.waiting else latest
            if everything or lane.is_blocked or oldest < latest:
                found += [one for _, one in lane.waiting]
                lane.waiting.clear()
                lane.is_blocked = False
            if not lane.waiting and not lane.under_way:
                del self._lanes[endpoint_id]
        return found

    def _fill(self, lane: Lane) -> None:
        loop = self._runner.get_loop()
        while (
            lane.waiting
            and not lane.is_blocked
            and lane.under_way < settings.WEBHOOK_CONCURRENCY
        ):
            _, claimed = lane.waiting.popleft()
            lane.under_way += 1
            task = loop.create_task(self._post(lane, claimed))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _post(self, lane: Lane, claimed: Claimed) -> None:
        told = await posting.post(self._way, claimed)
        lane.under_way -= 1
        lane.is_blocked = lane.is_blocked or not told.is_delivered
        self._landed.append(told)
        self._fill(lane)


@contextmanager
def in_flight() -> Iterator[Flight]:
    """Open the way to the endpoints for as long as the block lasts."""
    resolvers = ThreadPoolExecutor(RESOLVERS, thread_name_prefix="webhook-names")
    try:
        with asyncio.Runner() as runner:

            async def opened() -> aiohttp.ClientSession:
                return posting.session(resolvers)

            way = runner.run(opened())
            try:
                yield Flight(runner, way)
            finally:
                runner.run(way.close())
    finally:
        resolvers.shutdown(wait=False, cancel_futures=True)
