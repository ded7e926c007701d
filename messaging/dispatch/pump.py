"""The pump: claim, send, settle, chunk after chunk, for one integration."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Sequence

from django.conf import settings
from django.db import OperationalError, close_old_connections

from messaging.dispatch import pace
from messaging.dispatch.claim import claim
from messaging.dispatch.send import Flight, in_flight
from messaging.dispatch.settle import Result, settle
from messaging.models import Integration

logger = logging.getLogger(__name__)

RUN_SECONDS = 20.0
"""A pump ends by then and is rung again: tasks stay short."""
LANDING_SECONDS = 0.2
"""How long answers are gathered before they are written together."""
SHORTEST_WAIT = 0.01
LONGEST_WAIT = 1.0
SETTLE_TRIES = 8

stopping = threading.Event()
"""Set when this process shuts down: open chunks are finished, none is begun."""


def run(integration_id: int, *, seconds: float = RUN_SECONDS) -> int:
    """Pump one integration until nothing is due; return how many attempts settled.

    Does nothing when another living pump holds the lease.
    """
    holder = uuid.uuid4()
    if not pace.take_lease(integration_id, holder):
        return 0
    try:
        integration = Integration.objects.get(pk=integration_id)
        return _pump(integration, holder, ends_at=time.monotonic() + seconds)
    finally:
        pace.give_lease_back(integration_id, holder)


def _pump(integration: Integration, holder: uuid.UUID, *, ends_at: float) -> int:
    with in_flight(integration, settings.DISPATCH_CONCURRENCY) as flight:
        return _fly(integration, holder, flight, ends_at=ends_at)


def _fly(
    integration: Integration,
    holder: uuid.UUID,
    flight: Flight,
    *,
    ends_at: float,
) -> int:
    """Claim, send and settle in turns until nothing is due or the time is up.

    The flight is always landed: what was claimed here is settled here. While
    somebody's answer is outstanding, new messages go on leaving.
    """
    settled = 0
    while True:
        taken, wait = 0, 0.0
        if not stopping.is_set() and time.monotonic() < ends_at:
            try:
                taken, wait = _claim_more(integration, holder, flight)
            except OperationalError:
                # What is under way must still be landed and written; without
                # anything under way, the next ring tries again.
                if not len(flight):
                    raise
                logger.warning("PostgreSQL is away; landing what is under way")
                close_old_connections()
                ends_at = 0.0
        if len(flight):
            settled += land(integration, flight)
        elif wait and time.monotonic() + wait < ends_at:
            stopping.wait(min(max(wait, SHORTEST_WAIT), LONGEST_WAIT))
        elif not taken:
            return settled


def _claim_more(
    integration: Integration, holder: uuid.UUID, flight: Flight
) -> tuple[int, float]:
    """Put more attempts on their way; return how many messages were dealt with,
    and the seconds until the rate allows another one."""
    room = min(settings.DISPATCH_CHUNK, flight.capacity) - len(flight)
    if room <= 0 or not pace.take_lease(integration.pk, holder):
        return 0, 0.0
    claimed = claim(integration, limit=room)
    flight.launch(claimed.attempts)
    return claimed.taken, claimed.wait_seconds


def land(integration: Integration, flight: Flight) -> int:
    """Gather answers for a moment and write them; return how many were ours."""
    results = flight.land(LANDING_SECONDS)
    settled = _settle(integration, flight, results)
    if flight.silence:
        try:
            pace.pause(integration.pk, flight.silence)
        except OperationalError:
            # The flight itself keeps silent; a later landing says it again.
            close_old_connections()
    return settled


def _settle(integration: Integration, flight: Flight, results: Sequence[Result]) -> int:
    """Write the results; a database that is away for a moment loses none.

    When it stays away, the attempts stay open and are rescued as unknown.
    """
    for number in range(SETTLE_TRIES):
        try:
            return settle(integration, results, in_chain=flight.holds_retries)
        except OperationalError:
            if number == SETTLE_TRIES - 1:
                raise
            logger.warning("PostgreSQL did not take a settled chunk; trying again")
            close_old_connections()
            time.sleep(0.25 * 2**number)
    raise AssertionError
