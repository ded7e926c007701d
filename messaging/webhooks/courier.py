"""The courier: claim, post, settle, round after round, for all endpoints at once."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final

import aiohttp
from django.conf import settings
from django.db import connection

from messaging.dispatch.stopping import stopping
from messaging.webhooks import claiming, posting, settling
from messaging.webhooks.claiming import Claimed
from messaging.webhooks.posting import Told

RUN_SECONDS: Final = 20.0
"""A courier ends by then and is rung again: tasks stay short."""
ROUND_SECONDS: Final = 0.2
"""A round takes at least this long. So an endpoint gets ``WEBHOOK_CONCURRENCY``
requests five times a second at most, and a broadcast does not bury it; nor do the
couriers take the processor away from the messages themselves."""
SHARE: Final = 0.05
"""The part of one processor that a courier takes at most: a round in which it had
more to do is longer."""
REST_SECONDS: Final = 2.0
"""The longest piece of such a rest: what has been answered is settled between two
of them, long before a seat or a claim lapses."""
SEAT_SECONDS: Final = 15
RESOLVERS: Final = 32
"""Names that may be looked up at the same time, however slow some are."""


class Flight:
    """Tries that are under way. Used from one thread, which owns the loop."""

    def __init__(self, runner: asyncio.Runner, way: aiohttp.ClientSession) -> None:
        self._runner = runner
        self._way = way
        self._tasks: set[asyncio.Task[Told]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def launch(self, claimed: Sequence[Claimed]) -> None:
        loop = self._runner.get_loop()
        for one in claimed:
            self._tasks.add(loop.create_task(posting.post(self._way, one)))

    def land(self, seconds: float) -> list[Told]:
        """Return what has been answered; give it this long."""
        return self._runner.run(self._land(seconds))

    async def _land(self, seconds: float) -> list[Told]:
        # Asleep to the end: a round that is over sooner would only begin sooner.
        await asyncio.sleep(seconds)
        done = {task for task in self._tasks if task.done()}
        self._tasks -= done
        return [task.result() for task in done]


def run(*, seconds: float = RUN_SECONDS) -> int:
    """Carry what is due until nothing is; return how many tries were settled.

    Does nothing when all seats are taken by living couriers.
    """
    if not claiming.has_work():
        return 0
    holder = uuid.uuid4()
    seat = take_seat(holder)
    if seat is None:
        return 0
    try:
        with in_flight() as flight:
            return _carry(holder, seat, flight, ends_at=time.monotonic() + seconds)
    finally:
        leave_seat(seat, holder)


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


def _carry(holder: uuid.UUID, seat: int, flight: Flight, *, ends_at: float) -> int:
    """What was claimed here is landed and settled here, also when time is up."""
    keyring = claiming.Keyring()
    settled = 0
    counted = time.thread_time()
    while True:
        claimed: list[Claimed] = []
        if (
            not stopping.is_set()
            and time.monotonic() < ends_at
            and keep_seat(seat, holder)
        ):
            claimed = claiming.claim(
                holder, keyring, capacity=claiming.CAPACITY - len(flight)
            )
            flight.launch(claimed)
        if not len(flight):
            return settled
        settled += settling.settle(flight.land(ROUND_SECONDS))
        before, counted = counted, time.thread_time()
        rest = (counted - before) / SHARE - ROUND_SECONDS
        settled += _rest(
            holder, seat, flight, until=min(ends_at, time.monotonic() + rest)
        )


def _rest(holder: uuid.UUID, seat: int, flight: Flight, *, until: float) -> int:
    """Take nothing new until then, but hear every answer and settle it.

    The loop goes on: an answer that nobody reads in time would be a time-out, and
    told once more. What this costs the processor counts in the next round.
    """
    settled = 0
    while (
        not stopping.is_set()
        and (left := until - time.monotonic()) > 0
        and keep_seat(seat, holder)
    ):
        settled += settling.settle(flight.land(min(left, REST_SECONDS)))
    return settled


def take_seat(holder: uuid.UUID) -> int | None:
    """Become one of the couriers, or learn that there are enough of them."""
    with connection.cursor() as cursor:
        for seat in range(1, settings.WEBHOOK_COURIERS + 1):
            cursor.execute(
                "INSERT INTO messaging_webhookcourier AS courier"
                " (seat, holder, lease_until) VALUES (%(seat)s, %(holder)s,"
                " clock_timestamp() + %(seconds)s * interval '1 second')"
                " ON CONFLICT (seat) DO UPDATE"
                " SET holder = excluded.holder, lease_until = excluded.lease_until"
                " WHERE courier.lease_until < clock_timestamp()",
                {"seat": seat, "holder": holder, "seconds": SEAT_SECONDS},
            )
            if cursor.rowcount:
                return seat
    return None


def keep_seat(seat: int, holder: uuid.UUID) -> bool:
    """Stay a courier for longer; false when another one has taken over."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_webhookcourier"
            " SET lease_until = clock_timestamp() + %s * interval '1 second'"
            " WHERE seat = %s AND holder = %s",
            [SEAT_SECONDS, seat, holder],
        )
        return bool(cursor.rowcount)


def leave_seat(seat: int, holder: uuid.UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM messaging_webhookcourier WHERE seat = %s AND holder = %s",
            [seat, holder],
        )
