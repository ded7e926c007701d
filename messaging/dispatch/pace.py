"""The pace of one integration: rate, pauses, and who is pumping.

The rate is a row of slots, one message each, ``1 / rate`` seconds apart. A claim
takes the next free slots under a row lock, so any number of workers and machines
share them through PostgreSQL alone; whoever holds a slot sends at its time. There
is no burst: a provider that counts by the second sees the rate and no more.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from messaging.dispatch import statements
from messaging.models import Integration

HORIZON_SECONDS = 0.5
"""How far ahead slots are taken: what a claim brings leaves within that time."""
LEASE_SECONDS = 5
"""How long nobody else begins after a pump was killed; a living one renews it
every second, and whoever is late meets another pump and no harm."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What an integration allows right now; read under a row lock."""

    integration_id: int
    organization_id: int
    state: str
    credit_price: int
    version: str
    """Changes whenever the integration's row does."""
    allowance: int
    """Slots that are free within the horizon."""
    first_in: float
    """Seconds until the first of them."""
    every: float
    """Seconds from one slot to the next."""
    wait_seconds: float
    """Seconds until a slot comes within the horizon; 0 when there is one."""


def prepare(integration_id: int) -> bool:
    """Make sure that the integration has a pace to lock; tell whether it had none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO messaging_integrationpace (integration_id)"
            " VALUES (%s) ON CONFLICT DO NOTHING",
            [integration_id],
        )
        return bool(cursor.rowcount == 1)


def take_lease(integration_id: int, holder: uuid.UUID) -> bool:
    """Become the pump of an integration, or learn that a living one is at work."""
    return _take_lease(integration_id, holder) or (
        prepare(integration_id) and _take_lease(integration_id, holder)
    )


def _take_lease(integration_id: int, holder: uuid.UUID) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_integrationpace"
            " SET lease_holder = %(holder)s,"
            "     lease_until = clock_timestamp() + %(seconds)s * interval '1 second'"
            " WHERE integration_id = %(integration_id)s"
            "   AND (lease_until IS NULL OR lease_until < clock_timestamp()"
            "        OR lease_holder = %(holder)s)",
            {
                "holder": holder,
                "seconds": LEASE_SECONDS,
                "integration_id": integration_id,
            },
        )
        return bool(cursor.rowcount == 1)


def give_lease_back(integration_id: int, holder: uuid.UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_integrationpace"
            " SET lease_holder = NULL, lease_until = NULL"
            " WHERE integration_id = %s AND lease_holder = %s",
            [integration_id, holder],
        )


def lock(integration_id: int) -> Pace | None:
    """Lock the pace of an integration and return what it allows.

    ``None`` when the integration is gone. Belongs into the claim's transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT integration.organization_id, integration.state,
                   integration.credit_price, integration.xmin::text,
                   integration.rate_per_second,
                   greatest(0, extract(epoch FROM
                       pace.paid_until - clock_timestamp()))::float,
                   greatest(0, extract(epoch FROM
                       pace.paused_until - clock_timestamp()))::float
            FROM messaging_integrationpace AS pace
            JOIN messaging_integration AS integration
              ON integration.id = pace.integration_id
            WHERE pace.integration_id = %s
            FOR UPDATE OF pace
            """,
            [integration_id],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    organization_id, state, credit_price, version, rate, paid_for, paused_for = row
    first_in = paid_for or 0.0
    allowance = 0 if paused_for else slots_within(HORIZON_SECONDS, first_in, rate)
    return Pace(
        integration_id=integration_id,
        organization_id=organization_id,
        state=state,
        credit_price=credit_price,
        version=version,
        allowance=allowance,
        first_in=first_in,
        every=1 / rate,
        wait_seconds=0.0
        if allowance
        else max(paused_for or 0.0, first_in - HORIZON_SECONDS),
    )


def slots_within(horizon: float, first_in: float, rate: float) -> int:
    """Return how many slots come before the horizon, the first one in so many seconds.

    A slot that is free at this moment always counts, however low the rate.
    """
    return max(0, math.ceil((horizon - first_in) * rate - 1e-9))


def pay(integration_id: int, messages: int) -> None:
    """Take the slots of messages that are about to leave."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_integrationpace AS pace"
            " SET paid_until = greatest(pace.paid_until, clock_timestamp())"
            "     + %s / integration.rate_per_second * interval '1 second'"
            " FROM messaging_integration AS integration"
            " WHERE integration.id = pace.integration_id"
            "   AND pace.integration_id = %s",
            [messages, integration_id],
        )


def pause(integration_id: int, seconds: float) -> None:
    """Keep silent for as long as the provider asked."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_integrationpace"
            " SET paused_until = greatest(paused_until,"
            "     clock_timestamp() + %s * interval '1 second')"
            " WHERE integration_id = %s",
            [seconds, integration_id],
        )


def free_pairs(integration: Integration, attempt_ids: Sequence[int]) -> None:
    """Forget, for the pause between two messages to a person, what was refused.

    Belongs into the transaction that closes these attempts.
    """
    if attempt_ids and integration.provider.pair_seconds:
        values = {
            "attempt_ids": list(attempt_ids),
            "horizon_seconds": HORIZON_SECONDS,
            "pair_seconds": integration.provider.pair_seconds,
        }
        statements.rows("free_pairs", values)


def prune_pairs() -> int:
    """Remove the pairs whose pause is over; return how many."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM messaging_pairpace WHERE free_at < now()")
        return int(cursor.rowcount)
