"""The checker finds nothing where all is well, and every planted violation."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from broadcasts.models import Broadcast
from messaging import receipts
from messaging.channels.contract import Event, EventKind
from messaging.dispatch import pace
from messaging.dispatch.claim import Claimed, claim
from messaging.dispatch.settle import Result, settle
from messaging.models import Attempt, Contact, Integration, Message
from tests.factories import World
from tests.faults import books, checker, evidence, standing
from tests.faults.checker import RULES, violations
from tests.faults.evidence import Evidence, Row

pytestmark = pytest.mark.django_db

OWN = (
    "tests.faults.evidence",
    "tests.faults.books",
    "tests.faults.standing",
    "tests.faults.checker",
)


@dataclass
class Case:
    """A broadcast to four members that went as it should, and both logs of it."""

    broadcast: Broadcast
    delivered: Attempt
    failed: Attempt
    unknown: Attempt
    refused_by_receipt: Attempt
    requests: list[Row] = field(default_factory=list)
    notices: list[Row] = field(default_factory=list)
    wishes: list[Row] = field(default_factory=list)

    def facts(self) -> Evidence:
        connection.ensure_connection()
        return Evidence(connection.connection, self.requests, self.notices, self.wishes)

    def line(self, attempt: Attempt, part: int = 0, **values: Any) -> Row:
        return {
            "reference": f"{attempt.pk}:{part}",
            "provider_id": f"wamid.{attempt.pk}.{part}",
            "outcome": "accepted",
            "code": "",
            "fate": "delivered",
            "fault": "",
            **values,
        }

    def again(self, *, at_once: bool = True, **values: Any) -> Attempt:
        """Add an attempt for the member in doubt, accepted like the first.

        Unless ``at_once``, an attempt before it never leaves and is given back.
        """
        first = self.unknown
        Message.objects.filter(pk=first.message_id).update(
            state="queued",
            due_at=timezone.now() - timedelta(minutes=1),
            asked_by="person",
        )
        if not at_once:
            given_back = Result(
                self.claimed().attempt_id,
                "failed",
                error_code="resend_admin:not_sent",
                error_class="retry",
                again_in=0.0,
            )
            settle(first.integration, [given_back])
        attempt = self.claimed()
        settle(first.integration, [Result(attempt.attempt_id, "sent", http_status=200)])
        made = Attempt.objects.get(pk=attempt.attempt_id)
        self.requests.append(self.line(made, **values))
        return made

    def claimed(self) -> Claimed:
        """Open the next attempt for the member in doubt."""
        [attempt] = [
            one
            for one in claim(self.unknown.integration, limit=9).attempts
            if one.message_id == self.unknown.message_id
        ]
        return attempt


@pytest.fixture
def case(ours: World) -> Case:
    # Of a provider that wants no pause between two messages to one person.
    integration = ours.integration("twilio", credit_price=2)
    pace.prepare(integration.pk)
    broadcast = ours.broadcast("completed", audience={"tags": ["all"]})
    for _ in range(4):
        ours.message(
            contact=ours.contact(tags=["all"]),
            integration=integration,
            broadcast_id=broadcast.pk,
        )
    claimed = claim(integration, limit=10).attempts
    return _told(integration, broadcast, claimed)


def _told(
    integration: Integration, broadcast: Broadcast, claimed: list[Claimed]
) -> Case:
    first, second, third, fourth = (one.attempt_id for one in claimed)
    settle(
        integration,
        [
            Result(first, "sent", provider_id="a", http_status=200),
            Result(
                second,
                "failed",
                error_code="whatsapp:131026",
                error_class="never",
                http_status=400,
            ),
            Result(
                third, "unknown", error_code="whatsapp:timeout", error_class="unknown"
            ),
            Result(fourth, "sent", provider_id="d", http_status=200),
        ],
    )
    attempts = [Attempt.objects.get(pk=pk) for pk in (first, second, third, fourth)]
    delivered, failed, unknown, lost = attempts
    case = Case(broadcast, delivered, failed, unknown, lost)
    case.requests = [
        case.line(attempts[0]),
        case.line(attempts[1], outcome="refused", code="131026", fate=""),
        case.line(attempts[2], fault="hang", fate="silent"),
        case.line(attempts[3], fate="failed", code="131026"),
    ]
    for attempt, status in ((attempts[0], "delivered"), (attempts[3], "failed")):
        receipt = Event(
            key=f"{attempt.pk}{status}",
            kind=EventKind.STATUS,
            raw={},
            reference=f"{attempt.pk}:0",
            state=status,
            error_code="131026" if status == "failed" else "",
            occurred_at=timezone.now(),
        )
        receipts.store(integration, [receipt])
        case.notices.append(
            {
                "provider_id": f"wamid.{attempt.pk}.0",
                "status": status,
                "result": "posted",
            }
        )
    receipts.apply()
    return case


def sql(query: str, **values: Any) -> None:
    """Change rows as no code of ours would, past triggers and constraints."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(query, values)
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def broken(case: Case) -> set[str]:
    return set(violations(case.facts()))


def test_nothing_is_found_where_all_is_well(case: Case) -> None:
    assert violations(case.facts()) == {}


@pytest.mark.parametrize("at_once", [True, False])
def test_nothing_is_found_after_a_copy_that_somebody_wanted(
    case: Case, at_once: bool
) -> None:
    case.again(at_once=at_once)
    case.wishes.append(
        {
            "what": "resend",
            "messages": [case.unknown.message_id],
            "accepts_duplicate": True,
        }
    )
    assert violations(case.facts()) == {}


def taken_back(case: Case, part: int) -> None:
    """Let the provider take back a part of the attempt in doubt, whose flow has two."""
    attempt = case.unknown
    sql("UPDATE messaging_attempt SET parts = 2 WHERE id = %(id)s", id=attempt.pk)
    line = case.line(attempt, part, fate="failed")
    case.requests = [
        one for one in case.requests if one["reference"] != line["reference"]
    ]
    case.requests.append(line)
    receipt = Event(
        key=line["provider_id"],
        kind=EventKind.STATUS,
        raw={},
        reference=line["reference"],
        state="failed",
        error_code="131026",
        occurred_at=timezone.now(),
    )
    receipts.store(attempt.integration, [receipt])
    case.notices.append(
        {
            "provider_id": line["provider_id"],
            "status": "failed",
            "result": "posted",
        }
    )
    receipts.apply()


def test_nothing_is_found_while_a_part_beside_a_failed_one_is_in_doubt(
    case: Case,
) -> None:
    taken_back(case, 0)
    case.unknown.refresh_from_db()
    assert case.unknown.state == "unknown"
    assert violations(case.facts()) == {}

    taken_back(case, 1)
    case.unknown.refresh_from_db()
    assert case.unknown.state == "failed"
    assert violations(case.facts()) == {}


def test_the_checker_knows_none_of_the_code_that_it_judges() -> None:
    for module in (checker, evidence, books, standing):
        tree = ast.parse(Path(str(module.__file__)).read_text())
        imported = {
            node.module if isinstance(node, ast.ImportFrom) else alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        foreign = {
            name
            for name in imported
            if name
            and name.partition(".")[0] in ("tests", "messaging", "broadcasts")
            and name not in OWN
        }
        assert foreign == set()


# -- planted violations -----------------------------------------------------------


def left_open(case: Case) -> None:
    sql(
        "UPDATE messaging_attempt SET state = 'open', closed_at = NULL"
        " WHERE id = %(id)s",
        id=case.unknown.pk,
    )


def left_in_the_queue(case: Case) -> None:
    Message.objects.filter(pk=case.unknown.message_id).update(
        state="queued", due_at=timezone.now() - timedelta(minutes=1)
    )


def left_planned(case: Case) -> None:
    Message.objects.filter(pk=case.unknown.message_id).update(state="planned")


def a_broadcast_that_never_ends(case: Case) -> None:
    Broadcast.objects.update(state="sending", finished_at=None)


def a_member_without_a_message(case: Case) -> None:
    Contact.objects.create(
        organization=case.broadcast.organization, external_id="late", tags=["all"]
    )


def a_message_that_vanished(case: Case) -> None:
    sql("DELETE FROM messaging_message WHERE id = %(id)s", id=case.failed.message_id)


def accepted_again_without_a_wish(case: Case) -> None:
    case.again()


def accepted_again_by_itself(case: Case) -> None:
    made = case.again()
    case.wishes.append(
        {
            "what": "resend",
            "messages": [case.unknown.message_id],
            "accepts_duplicate": True,
        }
    )
    Attempt.objects.filter(pk=made.pk).update(actor="automatic")


def one_attempt_accepted_twice(case: Case) -> None:
    case.requests.append(case.line(case.delivered, provider_id="another"))


def accepted_and_said_to_have_failed(case: Case) -> None:
    case.requests.append(case.line(case.failed))


def accepted_and_unheard_of(case: Case) -> None:
    case.requests.append({**case.line(case.failed), "reference": "987654321:0"})


def sent_without_being_accepted(case: Case) -> None:
    case.requests = [
        one
        for one in case.requests
        if not one["reference"].startswith(f"{case.delivered.pk}:")
    ]


def a_doubt_that_became_certainty(case: Case) -> None:
    sql(
        "UPDATE messaging_attempt SET state = 'sent' WHERE id = %(id)s",
        id=case.unknown.pk,
    )


def failed_though_nobody_refused(case: Case) -> None:
    case.requests = [one for one in case.requests if one["outcome"] != "refused"]


def a_receipt_that_got_lost(case: Case) -> None:
    sql("DELETE FROM messaging_receipt WHERE state = 'delivered'")


def a_receipt_that_nobody_believed(case: Case) -> None:
    sql(
        "UPDATE messaging_attempt SET state = 'sent' WHERE id = %(id)s",
        id=case.delivered.pk,
    )


def a_doubt_that_outlived_its_end(case: Case) -> None:
    taken_back(case, 0)
    taken_back(case, 1)
    sql(
        "UPDATE messaging_attempt SET state = 'unknown' WHERE id = %(id)s",
        id=case.unknown.pk,
    )


def a_receipt_that_still_waits(case: Case) -> None:
    sql("UPDATE messaging_receipt SET applied_at = NULL, result = ''")


def a_message_that_forgot_that_it_arrived(case: Case) -> None:
    Message.objects.filter(pk=case.delivered.message_id).update(
        state="sent", delivered_at=None
    )


def a_message_that_miscounts(case: Case) -> None:
    Message.objects.filter(pk=case.delivered.message_id).update(attempt_count=2)


def a_message_that_knows_better(case: Case) -> None:
    Message.objects.filter(pk=case.unknown.message_id).update(
        state="failed", error_code="whatsapp:131000", error_class="retry"
    )


def not_charged(case: Case) -> None:
    sql("DELETE FROM messaging_creditentry WHERE step = 'charge'")


def charged_twice(case: Case) -> None:
    sql("DROP INDEX credit_step_once_per_attempt")
    sql(
        "INSERT INTO messaging_creditentry (organization_id, attempt_id, message_id,"
        " step, amount, available_change, held_change) SELECT organization_id,"
        " attempt_id, message_id, step, amount, available_change, held_change"
        " FROM messaging_creditentry WHERE step = 'charge'"
    )


def never_held(case: Case) -> None:
    sql(
        "DELETE FROM messaging_creditentry WHERE attempt_id = %(id)s",
        id=case.unknown.pk,
    )


def an_account_that_drifted(case: Case) -> None:
    sql("UPDATE messaging_creditaccount SET available = available + 1")


def a_tally_that_drifted(case: Case) -> None:
    sql("UPDATE messaging_tally SET count = count + 1 WHERE unit = 'attempt'")


def an_error_that_nobody_expected(case: Case) -> None:
    case.wishes.append({"what": "surprise", "act": "/v1", "error": "500"})


PLANTED: list[tuple[Callable[[Case], None], str]] = [
    (left_open, "nothing_is_under_way"),
    (a_receipt_that_still_waits, "nothing_is_under_way"),
    (left_in_the_queue, "nobody_is_left_behind"),
    (left_planned, "nobody_is_left_behind"),
    (a_broadcast_that_never_ends, "nobody_is_left_behind"),
    (a_member_without_a_message, "members_are_outcomes"),
    (a_message_that_vanished, "members_are_outcomes"),
    (accepted_again_without_a_wish, "nobody_gets_it_twice"),
    (accepted_again_by_itself, "nobody_gets_it_twice"),
    (one_attempt_accepted_twice, "nobody_gets_it_twice"),
    (accepted_and_said_to_have_failed, "what_was_accepted_is_on_record"),
    (accepted_and_unheard_of, "what_was_accepted_is_on_record"),
    (sent_without_being_accepted, "what_was_sent_was_accepted"),
    (a_doubt_that_became_certainty, "doubt_stays_doubt"),
    (failed_though_nobody_refused, "failures_have_a_reason"),
    (a_receipt_that_got_lost, "receipts_are_kept_and_believed"),
    (a_receipt_that_nobody_believed, "receipts_are_kept_and_believed"),
    (a_doubt_that_outlived_its_end, "receipts_are_kept_and_believed"),
    (a_message_that_forgot_that_it_arrived, "messages_follow_their_attempts"),
    (a_message_that_miscounts, "messages_follow_their_attempts"),
    (a_message_that_knows_better, "messages_follow_their_attempts"),
    (not_charged, "credits_follow_delivery"),
    (charged_twice, "credits_follow_delivery"),
    (never_held, "credits_follow_delivery"),
    (an_account_that_drifted, "the_ledger_adds_up"),
    (a_tally_that_drifted, "the_tallies_are_right"),
    (an_error_that_nobody_expected, "nobody_met_an_error"),
]


@pytest.mark.parametrize(("plant", "rule"), PLANTED)
def test_a_planted_violation_is_found(
    case: Case, plant: Callable[[Case], None], rule: str
) -> None:
    plant(case)
    assert rule in broken(case)


def test_every_rule_has_a_planted_violation() -> None:
    planted = {rule for _, rule in PLANTED}
    assert planted == {rule.__name__ for rule in RULES}
