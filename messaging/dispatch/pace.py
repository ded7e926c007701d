"""The pace of one integration: rate, pauses, and who is pumping.

The rate is a generic cell rate algorithm on one timestamp, so any number of
workers and machines share it through PostgreSQL alone.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db import connection

BURST_SECONDS = 1.0
"""How much of the rate may leave at once: the messages of one second."""
LEASE_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Pace:
    """What an integration allows right now; read under a row lock."""

    integration_id: int
    organization_id: int
    state: str
    credit_price: int
    allowance: int
    """Messages that may leave at this moment."""
    wait_seconds: float
    """Seconds until at least one more may leave; 0 when one may leave now."""


def prepare(integration_id: int) -> None:
    """Make sure that the integration has a pace to lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO messaging_integrationpace (integration_id)"
            " VALUES (%s) ON CONFLICT DO NOTHING",
            [integration_id],
        )


def take_lease(integration_id: int, holder: uuid.UUID) -> bool:
    """Become the pump of an integration, or learn that a living one is at work."""
    prepare(integration_id)
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
                   integration.credit_price, integration.rate_per_second,
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
    organization_id, state, credit_price, rate, paid_for, paused_for = row
    # A rate below one per second still lets a single message leave.
    burst = max(BURST_SECONDS, 1 / rate)
    allowance = 0 if paused_for else int((burst - (paid_for or 0)) * rate + 1e-6)
    wait = max(paused_for or 0, (paid_for or 0) - burst + 1 / rate)
    return Pace(
        integration_id=integration_id,
        organization_id=organization_id,
        state=state,
        credit_price=credit_price,
        allowance=max(0, allowance),
        wait_seconds=0.0 if allowance > 0 else wait,
    )


def pay(integration_id: int, messages: int) -> None:
    """Use up the rate for messages that are about to leave."""
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
