"""The courier: claim, post, settle, round after round, for all endpoints at once."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Mapping
from typing import Final

from django.conf import settings
from django.db import connection

from messaging.dispatch.stopping import stopping
from messaging.webhooks import claiming, settling
from messaging.webhooks.flight import Flight, in_flight
from messaging.webhooks.share import Share

RUN_SECONDS: Final = 20.0
"""A courier ends by then and is rung again: tasks stay short."""
ROUND_SECONDS: Final = 0.2
"""A round takes at least this long; longer where it took too much of the processor.
What an endpoint answers within a round is followed by the next in line at once."""
AHEAD: Final = 200
"""Deliveries of one endpoint that a courier holds at most, in line and under way."""
REST_SECONDS: Final = 2.0
"""The longest piece of such a rest: what has been answered is settled between two
of them, long before a seat or a claim lapses."""
SEAT_SECONDS: Final = 15


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


def _carry(holder: uuid.UUID, seat: int, flight: Flight, *, ends_at: float) -> int:
    """What was claimed here is landed and settled here, also when time is up."""
    keyring, share = claiming.Keyring(), Share()
    rooms: Mapping[int, int] = {}
    settled = 0
    while True:
        if (
            not stopping.is_set()
            and time.monotonic() < ends_at
            and keep_seat(seat, holder)
        ):
            flight.launch(
                claiming.claim(
                    holder,
                    keyring,
                    capacity=claiming.CAPACITY - len(flight),
                    rooms=rooms,
                )
            )
        if not len(flight):
            return settled
        landed = flight.land(ROUND_SECONDS)
        settled += settling.settle(landed)
        settling.hand_back(flight.left_behind(everything=stopping.is_set()))
        rooms = rooms_of(Counter(one.endpoint_id for one in landed))
        until = min(ends_at, time.monotonic() + share.rest())
        settled += _rest(holder, seat, flight, until=until)


def rooms_of(landed: Mapping[int, int]) -> dict[int, int]:
    """Return how much is held for each endpoint that has just answered so much.

    Three times what it took in a round, so that a quick one is soon not short of
    work; whoever answers slowly gets little more than what can leave at once.
    """
    least = settings.WEBHOOK_CONCURRENCY
    return {
        endpoint_id: max(least, min(AHEAD, least + 3 * number))
        for endpoint_id, number in landed.items()
    }


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
        settling.hand_back(flight.left_behind())
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
