"""Batches are found by an index, however many rows there are in between.

The rows that a batch looks for come last, behind as many that are long done. Sorted
by id alone they would be looked for along the primary key.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from broadcasts.models import Broadcast
from messaging.dispatch import statements
from messaging.filters import MessageFilter
from messaging.models import Contact, Integration, Message
from tests.factories import World
from tests.plans import recorded

pytestmark = pytest.mark.django_db

DONE = 6_000
WAITING = 14_000


def copy(row: Contact | Message, number: int, changes: str) -> None:
    """Insert so many copies of a row; ``changes`` is SQL of a JSON object, by ``n``."""
    table = row._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO {table}
            SELECT made.*
            FROM {table} AS original
            CROSS JOIN (
                SELECT n, nextval(pg_get_serial_sequence(%s, 'id')) AS id
                FROM generate_series(1, {number}) AS n
            ) AS copy
            CROSS JOIN LATERAL jsonb_populate_record(
                original, jsonb_build_object('id', copy.id) || {changes}
            ) AS made
            WHERE original.id = {row.pk}
            ORDER BY n
            """,  # noqa: S608 - written here, all of it
            [table],
        )


def analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE messaging_message, messaging_attempt")


@pytest.fixture(params=["known", "just queued"])
def many(ours: World, request: pytest.FixtureRequest) -> Integration:
    """An integration with many messages that are done, and then as many that wait.

    Of those that have just been queued statistics know nothing yet.
    """
    done = ours.message("skipped", reason="opted_out")
    copy(done, DONE, "'{}'")
    analyze()
    copy(done.contact, WAITING, "jsonb_build_object('external_id', 'N' || n)")
    broadcast, first = ours.broadcast(), done.contact_id
    waiting = f"""jsonb_build_object(
        'state', 'queued', 'reason', '', 'due_at', now() - interval '1 day',
        'broadcast_id', {broadcast.pk}, 'contact_id', {first} + n
    )"""
    copy(done, WAITING, waiting)
    if request.param == "known":
        analyze()
    assert done.integration is not None
    return done.integration


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def explained(sql: str, parameters: Any) -> tuple[set[str], int]:
    """Run it; return the indexes it used, and how many rows it read in vain."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", parameters)
        (plan,) = cursor.fetchone()
    plan = json.loads(plan) if isinstance(plan, str) else plan
    found = list(nodes(plan[0]["Plan"]))
    indexes = {one["Index Name"] for one in found if "Index Name" in one}
    return indexes, sum(vain(one) for one in found)


def vain(node: dict[str, Any]) -> int:
    """Return how many rows of a table, or of a join, were looked at for nothing."""
    removed: int = node.get("Rows Removed by Join Filter", 0)
    if "Relation Name" in node:
        removed += node.get("Rows Removed by Filter", 0)
    loops: int = round(node["Actual Loops"])
    return removed * loops


def with_stood(verb: str) -> str:
    return statements.part(verb).replace("/* stood */", statements.part("stood"))


def test_ending_what_waits_reads_only_what_waits(many: Integration) -> None:
    values = {
        "broadcast_id": Broadcast.objects.get().pk,
        "state": "cancelled",
        "reason": "cancelled",
        "limit": 1_000,
    }

    indexes, in_vain = explained(with_stood("end_waiting"), values)

    assert "message_of_broadcast" in indexes
    assert in_vain == 0
    assert Message.objects.filter(state="cancelled").count() == 1_000


def test_refusing_what_is_due_reads_only_what_is_due(many: Integration) -> None:
    values = {"integration_id": many.pk, "reason": "integration_off", "limit": 1_000}

    indexes, in_vain = explained(statements.part("refuse_due"), values)

    assert "message_due" in indexes
    assert in_vain == 0
    assert Message.objects.filter(reason="integration_off").count() == 1_000


def test_what_came_too_late_is_found_among_what_is_queued(many: Integration) -> None:
    values = {"seconds": 3_600, "limit": 1_000}

    indexes, in_vain = explained(with_stood("lapse"), values)

    assert "message_due" in indexes
    assert in_vain == 0
    assert Message.objects.filter(state="failed").count() == 1_000


def test_old_holds_are_found_among_what_is_not_confirmed(
    ours: World, many: Integration
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO messaging_attempt
                (organization_id, message_id, integration_id, content_id, opened_at,
                 day, number, price, state, channel, actor, actor_name, reason)
            SELECT organization_id, id, integration_id, content_id,
                   now() - interval '40 days', day, 1, 1, 'open', channel,
                   'broadcast', '', ''
            FROM messaging_message
            """
        )
        cursor.execute(
            """
            UPDATE messaging_attempt
            SET state = CASE message.state
                    WHEN 'skipped' THEN 'delivered' ELSE 'sent' END,
                closed_at = now(),
                delivered_at = CASE message.state WHEN 'skipped' THEN now() END
            FROM messaging_message AS message
            WHERE message.id = message_id
            """
        )
        cursor.execute(
            """
            INSERT INTO messaging_creditentry
                (organization_id, attempt_id, message_id, step, amount,
                 available_change, held_change)
            SELECT organization_id, id, message_id, 'hold', 1, -1, 1
            FROM messaging_attempt
            """
        )
    analyze()
    values = {"organization_id": ours.organization.pk, "days": 30, "limit": 10}

    indexes, in_vain = explained(statements.part("release_old_holds"), values)

    assert "attempt_unheard_of" in indexes
    assert in_vain == 0


@pytest.mark.parametrize(
    "narrowed", [{"channel": "sms"}, {"integration": ""}, {"state": "waiting"}]
)
def test_a_rare_filter_reads_only_what_it_shows(
    ours: World, many: Integration, narrowed: dict[str, str], rf: Any
) -> None:
    rare = ours.integration("twilio")
    rows = [ours.message(integration=rare) for _ in range(3)]
    Message.objects.filter(pk__in=[one.pk for one in rows]).update(attempt_count=1)
    if "integration" in narrowed:
        narrowed = {"integration": str(rare.pk)}
    analyze()
    request = rf.get("/messages/")
    request.user = ours.agent
    own = Message.objects.filter(organization=ours.organization)
    filters = MessageFilter(narrowed, own, request=request)

    with recorded() as asked:
        shown = filters.take(filters.qs.order_by("-pk"), 51)

    assert len(shown) == 3
    for one in asked:
        _, in_vain = explained(one.sql, one.parameters)
        assert in_vain < 100


def test_a_claim_takes_what_is_due_in_the_order_of_its_index(many: Integration) -> None:
    values = {
        "integration_id": many.pk,
        "limit": 500,
        "affordable": 500,
        "price": 0,
        "pair_seconds": 0.0,
        "horizon_seconds": 0.5,
    }

    indexes, in_vain = explained(statements.part("claim"), values)

    assert "message_due" in indexes
    assert in_vain == 0
    assert Message.objects.filter(state="sending").count() == 500
