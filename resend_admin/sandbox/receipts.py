"""Receipts: when they are due, and how they get to whom they concern.

A heap holds what is due later. What is due goes into a lane: one queue per
address (several for a provider that posts one receipt at a time), emptied by one
task, in order. An address that does not answer is tried again, ever more slowly.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import random
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import aiohttp
from yarl import URL

from resend_admin.sandbox.hooks import Hook, Hooks
from resend_admin.sandbox.log import Log, Notice, now
from resend_admin.sandbox.switches import ALL, CHANNELS, ReceiptMode
from resend_admin.sandbox.words import Words

logger = logging.getLogger(__name__)

TIMEOUT = aiohttp.ClientTimeout(total=10)
LONGEST_PAUSE = 5.0
"""Seconds between two tries to post to an address that does not answer."""
PATIENCE = 5
"""Tries before an address that answers, but refuses, is given up."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a provider tells later about one message. ``words`` if it failed."""

    channel: str
    account: str
    recipient: str
    reference: str
    provider_id: str
    status: str
    at: datetime
    callback: str = ""
    words: Words | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """One HTTP POST to an address outside, signed and ready."""

    url: str
    headers: Mapping[str, str]
    body: bytes


class Format(Protocol):
    """How one provider posts receipts."""

    batch_size: int
    lanes: int
    """How many posts to one address may be under way."""

    def receipts_post(self, hook: Hook, receipts: Sequence[Receipt]) -> Post: ...


class Receipts:
    """Keeps receipts until they are due, and posts them."""

    def __init__(
        self, hooks: Hooks, log: Log, formats: Mapping[str, Format], seed: int
    ) -> None:
        self._hooks = hooks
        self._log = log
        self._formats = formats
        self._random = random.Random(seed)  # noqa: S311, no secret depends on it
        self._heap: list[tuple[float, int, Receipt]] = []
        self._count = 0
        self._alarm: asyncio.TimerHandle | None = None
        self._lanes: dict[tuple[str, str, int], deque[Receipt]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: list[Receipt] = []
        self._modes: dict[str, set[ReceiptMode]] = {name: set() for name in CHANNELS}
        self._session: aiohttp.ClientSession | None = None

    def set_mode(self, mode: ReceiptMode | None, channel: str = ALL) -> None:
        """Switch a mode on; ``None`` switches all off and posts what is held."""
        for name in CHANNELS if channel == ALL else (channel,):
            if mode is None:
                self._modes[name].clear()
            elif mode is ReceiptMode.RELEASE:
                self._modes[name].discard(ReceiptMode.HOLD)
            else:
                self._modes[name].add(mode)
        held, self._held = self._held, []
        self._send_out(held)

    def schedule(self, plan: Iterable[tuple[float, Receipt]]) -> None:
        """Take the receipts of one message, each due in so many seconds."""
        loop = asyncio.get_running_loop()
        planned = list(plan)
        delays = [delay for delay, _ in planned]
        if planned and ReceiptMode.SHUFFLE in self._modes[planned[0][1].channel]:
            delays.reverse()
        start = loop.time()
        for delay, (_, receipt) in zip(delays, planned, strict=True):
            self._count += 1
            heapq.heappush(self._heap, (start + delay, self._count, receipt))
        self._set_alarm()

    def _set_alarm(self) -> None:
        if not self._heap:
            return
        due = self._heap[0][0]
        if self._alarm is not None:
            if self._alarm.when() <= due and not self._alarm.cancelled():
                return
            self._alarm.cancel()
        self._alarm = asyncio.get_running_loop().call_at(due, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        # A loop may ring an alarm a clock tick early.
        moment = asyncio.get_running_loop().time() + 0.002
        due = []
        while self._heap and self._heap[0][0] <= moment:
            due.append(heapq.heappop(self._heap)[2])
        self._send_out(due)
        self._set_alarm()

    def _send_out(self, receipts: Iterable[Receipt]) -> None:
        for receipt in receipts:
            modes = self._modes[receipt.channel]
            if ReceiptMode.HOLD in modes:
                self._held.append(receipt)
            elif ReceiptMode.DROP in modes:
                self._log.write(_notice(receipt, "dropped"))
            else:
                self._enter_lane(receipt)
                if ReceiptMode.DOUBLE in modes:
                    self._enter_lane(receipt)

    def _enter_lane(self, receipt: Receipt) -> None:
        form = self._formats[receipt.channel]
        lane = hash(receipt.provider_id) % form.lanes
        key = receipt.channel, receipt.account, lane
        queue = self._lanes.get(key)
        if queue is not None:
            queue.append(receipt)
            return
        queue = self._lanes[key] = deque([receipt])
        task = asyncio.get_running_loop().create_task(self._empty_lane(key, queue))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _empty_lane(
        self, key: tuple[str, str, int], queue: deque[Receipt]
    ) -> None:
        channel, account, _ = key
        form = self._formats[channel]
        while queue:
            if ReceiptMode.SHUFFLE in self._modes[channel]:
                self._random.shuffle(queue)
            batch = [queue.popleft() for _ in range(min(form.batch_size, len(queue)))]
            hook = self._hooks.find(channel, account)
            # Like the providers, the sandbox tells nobody who did not ask.
            if hook is not None and (batch[0].callback or hook.url):
                result = await self.post_until_taken(form.receipts_post(hook, batch))
                self._log.write(*(_notice(receipt, result) for receipt in batch))
        del self._lanes[key]

    async def post_until_taken(self, post: Post) -> str:
        """Return how it ended: ``posted``, or ``refused`` again and again."""
        pause, refusals = 0.1, 0
        while True:
            status = await self.post(post)
            if 200 <= status < 300:
                return "posted"
            if 300 <= status < 500:
                refusals += 1
                if refusals >= PATIENCE:
                    logger.warning("%s refuses receipts: %s", post.url, status)
                    return "refused"
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def post(self, post: Post) -> int:
        """Post once and return the HTTP status, 0 if nobody answered."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=TIMEOUT)
        try:
            async with self._session.post(
                URL(post.url, encoded=True),
                data=post.body,
                headers=post.headers,
                allow_redirects=False,
            ) as response:
                return response.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            logger.debug("%s does not answer: %r", post.url, error)
            return 0

    async def close(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()


def _notice(receipt: Receipt, result: str) -> Notice:
    return Notice(
        at=now(),
        channel=receipt.channel,
        provider_id=receipt.provider_id,
        status=receipt.status,
        result=result,
    )
