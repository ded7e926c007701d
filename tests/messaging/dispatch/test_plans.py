"""Batches are found by an index, however many rows there are in between.

The rows that a batch looks for come last, behind as many that are long done. Sorted
by id alone they would be looked for along the primary key.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.db.models.functions import Mod, Now

from broadcasts.models import Broadcast
from messaging.channels.posts import EARLIEST, LATEST
from messaging.dispatch import doorbell, pace, statements
from messaging.dispatch.claim import claim
from messaging.filters import MessageFilter
from messaging.models import Attempt, Contact, Integration, Message
from tests.factories import World
from tests.plans import recorded

pytestmark = pytest.mark.django_db

RARE = "sms:20429"
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


def crowd(world: World) -> Message:
    """Make many messages that are done, and then as many that wait.

    Statistics know of the former only. Return one of those.
    """
    done = world.message("skipped", reason="opted_out")
    copy(done, DONE, "'{}'")
    analyze()
    copy(done.contact, WAITING, "jsonb_build_object('external_id', 'N' || n)")
    with connection.cursor() as cursor:
        # Or each foreign key would be checked by reading all of them.
        cursor.execute("ANALYZE messaging_contact")
    broadcast, first = world.broadcast(), done.contact_id
    waiting = f"""jsonb_build_object(
        'state', 'queued', 'reason', '', 'due_at', now() - interval '1 day',
        'broadcast_id', {broadcast.pk}, 'contact_id', {first} + n
    )"""
    copy(done, WAITING, waiting)
    return done


@pytest.fixture(params=["known", "just queued"])
def many(ours: World, request: pytest.FixtureRequest) -> Integration:
    """An integration with many messages that are done, and then as many that wait.

    Of those that have just been queued statistics know nothing yet.
    """
    done = crowd(ours)
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
    return judged(plan)


def judged(plan: Any) -> tuple[set[str], int]:
    plan = json.loads(plan) if isinstance(plan, str) else plan
    found = list(nodes(plan[0]["Plan"]))
    indexes = {one["Index Name"] for one in found if "Index Name" in one}
    return indexes, sum(vain(one) for one in found)


def explained_in_binary(sql: str, parameters: Any) -> tuple[set[str], int]:
    """The same for a statement whose placeholders end in ``b``."""
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", parameters)
        row = cursor.fetchone()
    assert row is not None
    return judged(row[0])


def vain(node: dict[str, Any]) -> int:
    """Return how many rows of a table, or of a join, were looked at for nothing."""
    removed: int = node.get("Rows Removed by Join Filter", 0)
    if "Relation Name" in node:
        removed += node.get("Rows Removed by Filter", 0)
    loops: int = round(node["Actual Loops"])
    return removed * loops


def test_ending_what_waits_reads_only_what_waits(many: Integration) -> None:
    values = {
        "broadcast_id": Broadcast.objects.get().pk,
        "state": "cancelled",
        "reason": "cancelled",
        "limit": 1_000,
    }

    indexes, in_vain = explained(statements.part("end_waiting"), values)

    assert "message_of_broadcast" in indexes
    assert in_vain == 0
    assert Message.objects.filter(state="cancelled").count() == 1_000


def test_refusing_what_is_due_reads_only_what_is_due(many: Integration) -> None:
    values = {
        "integration_id": many.pk,
        "limit": 1_000,
        "state": "skipped",
        "reason": "integration_off",
        "held_back_by": "integration_off",
        "error_code": "",
        "error_class": "",
    }

    indexes, in_vain = explained(statements.part("refuse_due"), values)

    assert "message_due" in indexes
    assert in_vain == 0
    assert Message.objects.filter(reason="integration_off").count() == 1_000


def test_what_came_too_late_is_found_among_what_is_queued(many: Integration) -> None:
    values = {
        "seconds": 3_600,
        "limit": 1_000,
        "state": "failed",
        "reason": "",
        "held_back_by": "missed_time",
        "error_code": "resend_admin:missed_time",
        "error_class": "retry",
    }

    indexes, in_vain = explained(statements.part("lapse"), values)

    assert "message_due" in indexes
    assert in_vain == 0
    assert Message.objects.filter(state="failed").count() == 1_000


def opened(*states: str, ago: str = "10 minutes", price: int = 0) -> list[int]:
    """Open an attempt for each message that stands so; return their numbers."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO messaging_attempt
                (organization_id, message_id, integration_id, content_id, opened_at,
                 day, number, price, state, channel, actor, actor_name, reason)
            SELECT organization_id, id, integration_id, content_id,
                   now() - %s::interval, day, 1, %s, 'open', channel,
                   'broadcast', '', ''
            FROM messaging_message
            WHERE state = ANY (%s)
            ORDER BY id
            RETURNING id
            """,
            [ago, price, list(states)],
        )
        return [number for (number,) in cursor.fetchall()]


def test_old_holds_are_found_among_what_is_not_confirmed(
    ours: World, many: Integration
) -> None:
    opened("skipped", "queued", ago="40 days", price=1)
    with connection.cursor() as cursor:
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

    assert "credit_newest" in indexes
    assert in_vain == 0


@pytest.mark.parametrize(
    "narrowed",
    [
        {"channel": "sms"},
        {"integration": ""},
        {"state": "waiting"},
        {"error": RARE},
        {"error_class": "wait"},
        {"state": "waiting", "error": RARE},
        {"state": "unsent", "error_class": "wait"},
    ],
)
def test_a_rare_filter_reads_only_what_it_shows(
    ours: World, many: Integration, narrowed: dict[str, str], rf: Any
) -> None:
    rare = ours.integration("twilio")
    rows = [ours.message(integration=rare) for _ in range(3)]
    Message.objects.filter(pk__in=[one.pk for one in rows]).update(
        attempt_count=1, error_code=RARE, error_class="wait"
    )
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


@pytest.mark.parametrize(("due", "rings"), [("tomorrow", 0), ("now", 1)])
def test_a_bell_looks_at_the_first_in_line_only(
    many: Integration, due: str, rings: int
) -> None:
    later = Now() + timedelta(days=1)
    waiting = Message.objects.filter(state="queued")
    waiting.update(due_at=later, attempt_count=1)
    if due == "now":
        waiting.filter(pk=waiting.latest("pk").pk).update(due_at=Now())
    analyze()

    with recorded() as asked:
        found = doorbell.integrations_with_work()

    (one,) = asked
    _, in_vain = explained(one.sql, one.parameters)
    assert len(found) == rings
    # The integration itself, where nothing is due.
    assert in_vain <= 1


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


@pytest.fixture(params=["known", "just opened"])
def on_their_way(ours: World, request: pytest.FixtureRequest) -> list[int]:
    """The attempts of very many messages that are being sent.

    Where they have just been opened, statistics have been taken while nothing was: so
    it is in most minutes, and after them PostgreSQL thinks that nothing ever is.
    """
    crowd(ours)
    opened("skipped")
    Attempt.objects.update(state="delivered", closed_at=Now(), delivered_at=Now())
    analyze()
    Message.objects.filter(state="queued").update(
        state="sending", attempt_count=1, due_at=None
    )
    found = opened("sending")
    if request.param == "known":
        analyze()
    return found


def test_settling_a_chunk_looks_at_nothing_else_that_is_being_sent(
    on_their_way: list[int],
) -> None:
    chunk = on_their_way[5_000:6_000]
    same: dict[str, Any] = {
        **dict.fromkeys(("error_code", "error_class", "error_detail"), ""),
        **{"state": "sent", "answer": "{}", "http_status": 200, "duration_ms": 12},
        **{"parts_sent": 1, "pauses": 0, "again_in": None},
    }
    columns = {name: [value] * len(chunk) for name, value in same.items()}
    columns |= {"attempt_id": chunk, "provider_id": [f"wamid.{one}" for one in chunk]}

    _, in_vain = explained_in_binary(
        statements.part("settle"), {**columns, "sent_is_final": False}
    )

    assert in_vain == 0
    assert Message.objects.filter(state="sent").count() == len(chunk)


def test_rescuing_a_chunk_looks_at_nothing_else_that_is_being_sent(
    on_their_way: list[int],
) -> None:
    _, in_vain = explained(statements.part("rescue"), {"seconds": 60, "limit": 1_000})

    assert in_vain == 0
    assert Message.objects.filter(state="unknown").count() == 1_000


@pytest.mark.parametrize(
    "verb",
    ["hold_attempts", "flows_told", "parts_recounted", "nothing_left", "in_chains"],
)
def test_what_is_told_of_a_few_attempts_looks_at_no_others(
    on_their_way: list[int], verb: str
) -> None:
    few = on_their_way[5_000:5_100]
    values = {
        **{"attempt_id": few, "attempt_ids": few},
        **{"earliest": EARLIEST, "latest": LATEST},
    }
    text = statements.part(verb)

    asked = explained_in_binary if ")b" in text else explained
    _, in_vain = asked(text, values)

    assert in_vain <= 3 * len(few)


@pytest.mark.parametrize("on_their_way", ["just opened"], indirect=True)
@pytest.mark.parametrize("known", [True, False])
def test_lost_flows_are_looked_for_among_what_is_open_alone(
    on_their_way: list[int], known: bool
) -> None:
    # As few as are ever open in a big table. Were most of it, all would be read.
    still, closed = on_their_way[-500:], on_their_way[:-500]
    Attempt.objects.filter(pk__in=closed).update(state="delivered", closed_at=Now())
    if known:
        analyze()

    _, in_vain = explained(
        statements.part("owners_of_lost_flows"), {"seconds": 60, "limit": 1_000}
    )

    assert in_vain == len(still)


def test_queueing_again_looks_at_nothing_else_that_has_failed(
    on_their_way: list[int],
) -> None:
    why = {"state": "failed", "error_code": "whatsapp:0", "error_class": "retry"}
    Attempt.objects.filter(state="open").update(closed_at=Now(), **why)
    Message.objects.filter(state="sending").update(**why)
    failed = Message.objects.filter(state="failed").order_by("pk")
    chunk = list(failed.values_list("pk", flat=True)[5_000:5_500])
    same: dict[str, Any] = {
        **{"attempt_count": 1, "due_in": 0.0, "content_id": None, "priority": 5},
        **{"asked_by": "person", "asked_by_name": "", "asked_reason": ""},
        "asked_in_bulk": None,
    }
    values = {name: [value] * len(chunk) for name, value in same.items()}
    text = statements.part("queue_again")

    _, in_vain = explained(
        text, {**values, "message_id": chunk, "states": ["failed", "unknown"]}
    )

    assert in_vain == 0
    assert Message.objects.filter(state="queued").count() == len(chunk)


@pytest.fixture
def short_before(ours: World) -> Integration:
    """A long queue, which was short when statistics were taken.

    Several integrations share the table, and the server is set as most are.
    """
    done = crowd(ours)
    ways = [ours.integration("twilio", name=f"Way {one}").pk for one in range(7)]
    queue = Message.objects.filter(state="queued")
    ended = {"state": "skipped", "reason": "opted_out", "due_at": None}
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL random_page_cost = 4")
        cursor.execute(
            """
            UPDATE messaging_message
            SET integration_id = (%s::bigint[])[1 + id %% 7]
            WHERE id %% 9 <> 0
            """,
            [ways],
        )
    queue.annotate(third=Mod("pk", 3)).exclude(third=0).update(**ended)
    analyze()
    waits = {"state": "queued", "reason": "", "due_at": Now() - timedelta(hours=1)}
    Message.objects.filter(broadcast_id__isnull=False).update(**waits)
    assert done.integration is not None
    done.integration.rate_per_second = 100_000.0
    done.integration.save()
    pace.prepare(done.integration.pk)
    return done.integration


def taken_by(plan: dict[str, Any]) -> list[str]:
    """Return the steps by which a statement takes the first of a queue."""
    limit = next(one for one in nodes(plan) if one["Node Type"] == "Limit")
    return [f"{one['Node Type']} {one.get('Index Name', '')}" for one in nodes(limit)]


@pytest.mark.parametrize("is_off", [False, True], ids=["claimed", "refused"])
def test_a_queue_is_never_sorted_whatever_statistics_say(
    short_before: Integration, is_off: bool
) -> None:
    plans: list[list[str]] = []

    def explain(
        execute: Any, sql: str, parameters: Any, many: bool, context: Any
    ) -> Any:
        if "FOR UPDATE SKIP LOCKED" in sql:
            cursor = context["cursor"].cursor
            cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", parameters)
            (plan,) = cursor.fetchone()
            plan = json.loads(plan) if isinstance(plan, str) else plan
            plans.append(taken_by(plan[0]["Plan"]))
        return execute(sql, parameters, many, context)

    if is_off:
        Integration.objects.update(state="off")
    with connection.execute_wrapper(explain):
        assert claim(short_before, limit=500).taken == 500

    assert plans == [["Limit ", "LockRows ", "Index Scan message_due"]]
