"""The pump: claim, send, settle, chunk after chunk, for one integration."""

from __future__ import annotations

import logging
import math
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.db import (
    InterfaceError,
    OperationalError,
    ProgrammingError,
    close_old_connections,
    connection,
)
from django.db.models.expressions import RawSQL
from psycopg_pool import ConnectionPool

from messaging.channels.catalogue import ErrorClass
from messaging.dispatch import pace
from messaging.dispatch.claim import Claim, Contents, claim
from messaging.dispatch.flight import Flight, in_flight
from messaging.dispatch.settle import Result, settle
from messaging.dispatch.stopping import stopping
from messaging.models import Integration
from resend_admin.logs import log_each

logger = logging.getLogger(__name__)

RUN_SECONDS = 20.0
"""A pump ends by then; the next one reads the integration anew."""
RENEWAL_SECONDS = 1.0
"""How often a pump says that it is alive, well within the lease."""
LANDING_SECONDS = 0.2
"""How long answers are gathered before they are written together."""
SHORTEST_WAIT = 0.01
LONGEST_WAIT = 1.0
SETTLE_TRIES = 8
NOT_WRITTEN = "The answer could not be written down."


def run(
    integration_id: int,
    *,
    seconds: float = RUN_SECONDS,
    concurrency: int | None = None,
) -> int:
    """Pump one integration until nothing is due; return how many attempts settled.

    Does nothing when another living pump holds the lease. ``concurrency`` is the
    number of requests under way at most.
    """
    holder = uuid.uuid4()
    if not pace.take_lease(integration_id, holder):
        return 0
    try:
        integration, version = _read(integration_id)
        most = concurrency or settings.DISPATCH_CONCURRENCY
        with in_flight(integration, most) as flight:
            one = Pump(integration, version, holder, flight)
            began = time.monotonic()
            settled = one.run(ends_at=began + seconds)
    finally:
        pace.give_lease_back(integration_id, holder)
    if settled:
        logger.info(
            "Settled attempts",
            extra=_names(integration)
            | {
                "counts": {"settled": settled},
                "seconds": round(time.monotonic() - began, 3),
            },
        )
    return settled


def _names(integration: Integration) -> dict[str, object]:
    """Return the numbers that a line in the log carries, and no names."""
    return {
        "organization_id": integration.organization_id,
        "integration_id": integration.pk,
    }


def _names_of(result: Result) -> dict[str, object]:
    return {"message_id": result.message_id, "attempt_id": result.attempt_id}


def _read(integration_id: int) -> tuple[Integration, str]:
    integration = Integration.objects.annotate(
        version=RawSQL("messaging_integration.xmin::text", [])
    ).get(pk=integration_id)
    return integration, integration.version


@dataclass(slots=True)
class Pump:
    """One integration while it is pumped, as its row was at that time."""

    integration: Integration
    version: str
    holder: uuid.UUID
    flight: Flight
    contents: Contents = field(default_factory=dict)
    renewed_at: float = -math.inf

    def run(self, *, ends_at: float) -> int:
        """Claim, send and settle in turns until nothing is due or the time is up.

        The flight is always landed: what was claimed here is settled here. While
        somebody's answer is outstanding, new messages go on leaving.
        """
        settled = 0
        is_over = False
        while True:
            taken, wait = 0, 0.0
            if not is_over and (
                stopping.is_set()
                or self.flight.is_refused
                or time.monotonic() >= ends_at
            ):
                is_over = True
                self._let_go()
            if not is_over:
                try:
                    claimed = self._claim_more()
                    taken, wait = claimed.taken, claimed.wait_seconds
                    ends_at = 0.0 if claimed.is_stale else ends_at
                except OperationalError:
                    # What is under way must still be landed and written; without
                    # anything under way, the next ring tries again.
                    if not len(self.flight):
                        raise
                    logger.warning(
                        "PostgreSQL is away; landing what is under way",
                        extra=_names(self.integration),
                    )
                    close_old_connections()
                    ends_at = 0.0
            if len(self.flight):
                settled += land(self.integration, self.flight)
            elif is_over:
                return settled
            elif wait and time.monotonic() + wait < ends_at:
                _rest()
                stopping.wait(min(max(wait, SHORTEST_WAIT), LONGEST_WAIT))
            elif not taken:
                return settled

    def _claim_more(self) -> Claim:
        """Put more attempts on their way, as many as there is room for.

        The lease is renewed without room too: beside a full flight to a provider
        that hangs, another pump would open as many attempts again.
        """
        if not self._has_lease():
            return Claim()
        room = min(settings.DISPATCH_CHUNK, self.flight.capacity) - len(self.flight)
        if room <= 0:
            return Claim()
        claimed = claim(
            self.integration, limit=room, version=self.version, contents=self.contents
        )
        self.flight.launch(claimed)
        return claimed

    def _has_lease(self) -> bool:
        if time.monotonic() - self.renewed_at < RENEWAL_SECONDS:
            return True
        has_lease = pace.take_lease(self.integration.pk, self.holder)
        if has_lease:
            self.renewed_at = time.monotonic()
        return has_lease

    def _let_go(self) -> None:
        """Let another pump begin while this one lands what is still out."""
        try:
            pace.give_lease_back(self.integration.pk, self.holder)
        except OperationalError:
            # It ends by itself, a little later.
            close_old_connections()


def _rest() -> None:
    """Let other pumps have the connection; there are more pumps than connections."""
    if not connection.in_atomic_block:
        close_old_connections()


def _others_wait() -> bool:
    """Tell whether somebody in this process waits for a connection."""
    pool: ConnectionPool | None = getattr(connection, "pool", None)
    return pool is None or pool.get_stats().get("requests_waiting", 0) > 0


def land(integration: Integration, flight: Flight) -> int:
    """Gather answers for a moment and write them; return how many were ours.

    Not until everything has landed: once half of it has, that is written, and followed
    by more, while the other half goes on leaving.
    """
    enough = max(1, flight.capacity // 2)
    if not flight.has_landed(enough) or _others_wait():
        _rest()
    results = flight.land(LANDING_SECONDS, enough=enough)
    settled = _settle(integration, flight, results)
    unknown = [result for result in results if result.state == "unknown"]
    if unknown:
        log_each(
            logger,
            logging.WARNING,
            "Nobody can tell whether an attempt arrived",
            [
                _names(integration) | {"code": one.error_code} | _names_of(one)
                for one in unknown
            ],
        )
    if flight.silence:
        try:
            pace.pause(integration.pk, flight.silence)
        except OperationalError:
            # The flight itself keeps silent; a later landing says it again.
            close_old_connections()
    return settled


def _settle(integration: Integration, flight: Flight, results: Sequence[Result]) -> int:
    """Write the results; a database that is away for a moment loses none.

    When it stays away, the attempts stay open and are rescued as unknown. A result
    that it refuses to take costs the others nothing, and is unknown itself.
    """
    for number in range(SETTLE_TRIES):
        try:
            return settle(integration, results, in_chain=flight.holds_retries)
        except (OperationalError, InterfaceError):
            if number == SETTLE_TRIES - 1:
                raise
            logger.warning(
                "PostgreSQL did not take a settled chunk; trying again",
                extra=_names(integration) | {"counts": {"results": len(results)}},
            )
            close_old_connections()
            time.sleep(0.25 * 2**number)
        except ProgrammingError:
            # The statement is at fault, such as in the middle of an upgrade.
            raise
        except Exception:
            if len(results) > 1:
                return sum(_settle(integration, flight, [one]) for one in results)
            [result] = results
            logger.exception(
                "An answer could not be written",
                extra=_names(integration) | _names_of(result),
            )
            if result.error_detail == NOT_WRITTEN:
                # Not even that: its attempt stays open and is rescued.
                return 0
            results = [_not_written(integration, result)]
    raise AssertionError


def _not_written(integration: Integration, result: Result) -> Result:
    """Return what is written of an answer that cannot be: that nobody can tell."""
    return Result(
        result.attempt_id,
        "unknown",
        message_id=result.message_id,
        error_code=f"{integration.channel}:unreadable_answer",
        error_class=ErrorClass.UNKNOWN,
        error_detail=NOT_WRITTEN,
        duration_ms=result.duration_ms,
        parts_sent=result.parts_sent,
        pauses=result.pauses,
    )
