"""Bulk resends: what is shown is what is frozen, and each message goes once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from messaging.audit import tally_differences
from messaging.bulk import freezing, running
from messaging.bulk import verdict as verdicts
from messaging.bulk.freezing import Order
from messaging.bulk.selection import Selection
from messaging.bulk.verdict import Verdict
from messaging.models import (
    BulkResend,
    BulkResendItem,
    BulkResendRefusal,
    CreditAccount,
    Integration,
    Message,
    Organization,
)
from messaging.sending import Refused
from tests.factories import World
from tests.messaging.dispatch.test_concurrency import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def whatsapp(ours: World) -> Integration:
    return ours.integration()


Fail = Callable[..., Message]


@pytest.fixture
def fail(ours: World, whatsapp: Integration) -> Fail:
    """Make a message that failed an hour ago."""
    content = ours.text()

    def make(
        code: str = "whatsapp:131000", state: str = "failed", **values: Any
    ) -> Message:
        past = timezone.now() - timedelta(hours=1)
        values.setdefault("attempt_count", 1)
        values.setdefault("integration", whatsapp)
        if state == "delivered":
            values.setdefault("delivered_at", past)
        message = ours.message(
            state, content=content, error_code=code, error_class="retry", **values
        )
        Message.objects.filter(pk=message.pk).update(
            created_at=values.get("created_at", past), state_at=past
        )
        return message

    return make


def chosen(
    world: World, messages: QuerySet[Message] | None = None, **values: Any
) -> Selection:
    own = Message.objects.filter(organization=world.organization)
    rows = own if messages is None else messages
    return Selection(rows, "All messages", **{"is_filter": True, **values})


def shown(world: World, selection: Selection | None = None) -> Verdict:
    return verdicts.verdict(selection or chosen(world), world.organization)


def frozen(
    world: World, selection: Selection | None = None, **values: Any
) -> BulkResend:
    selection = selection or chosen(world)
    seen = shown(world, selection)
    outcome = freezing.freeze(
        selection,
        world.organization,
        Order(world.editor, seen.shown_at, seen.candidates, **values),
    )
    assert isinstance(outcome, BulkResend), outcome
    return outcome


def worked_off(bulk: BulkResend) -> BulkResend:
    running.run()
    bulk.refresh_from_db()
    return bulk


def answers(bulk: BulkResend) -> dict[int, tuple[str, str]]:
    items = bulk.items.values_list("message_id", "state", "code")
    return {message_id: (state, code) for message_id, state, code in items}


def counts_match_items(bulk: BulkResend) -> None:
    states = Counter(bulk.items.values_list("state", flat=True))
    assert bulk.total == sum(states.values())
    assert bulk.queued_count == states["queued"]
    assert bulk.refused_count == states["refused"]
    assert bulk.cancelled_count == states["cancelled"]
    causes = Counter(
        bulk.items.exclude(code="").values_list("code", "cause", named=False)
    )
    kept = {
        (one.code, one.cause): one.count
        for one in BulkResendRefusal.objects.filter(bulk=bulk)
    }
    assert kept == causes


def test_the_verdict_counts_per_cause(ours: World, fail: Fail) -> None:
    for _ in range(3):
        fail("whatsapp:131000")
    fail("whatsapp:131047")
    fail("whatsapp:131026")
    fail("whatsapp:131049")
    fail("whatsapp:timeout", "unknown")
    fail("", "delivered")

    seen = shown(ours)

    found = {
        (line.code, line.error.code if line.error else ""): line.count
        for line in seen.lines
    }
    assert found == {
        ("queued", "whatsapp:131000"): 3,
        ("queued", "whatsapp:131049"): 1,
        ("may_have_arrived", ""): 1,
        ("fix_first", "whatsapp:131047"): 1,
        ("will_not_help", "whatsapp:131026"): 1,
        ("already_delivered", ""): 1,
    }
    assert (seen.total, seen.candidates, seen.queued, seen.risky) == (8, 7, 4, 1)
    [waits] = [line for line in seen.lines if line.wait]
    assert timedelta(hours=22) < timedelta(seconds=waits.wait) <= timedelta(hours=24)


def test_the_verdict_says_what_it_costs(
    ours: World, fail: Fail, whatsapp: Integration
) -> None:
    Integration.objects.update(credit_price=30_000)
    CreditAccount.objects.update(available=50_000)
    for _ in range(2):
        fail()

    seen = shown(ours)

    assert (seen.queued, seen.cost, seen.credits) == (2, 60_000, 50_000)
    assert seen.lacks_credits


def test_the_verdict_at_a_later_time_is_another(ours: World, fail: Fail) -> None:
    fail()
    at = timezone.now() + timedelta(hours=48)

    seen = verdicts.verdict(chosen(ours), ours.organization, at)

    assert [line.code for line in seen.lines] == ["too_old"]


def test_no_more_than_the_cap_is_looked_at(
    ours: World, fail: Fail, monkeypatch: pytest.MonkeyPatch
) -> None:
    oldest, *newer = [fail() for _ in range(4)]
    monkeypatch.setattr("messaging.bulk.selection.MOST", 3)
    monkeypatch.setattr(verdicts, "MOST", 3)

    assert shown(ours).is_capped
    assert set(answers(frozen(ours))) == {message.pk for message in newer}
    assert oldest.pk not in {message.pk for message in newer}


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"state": "delivered"}, "already_delivered"),
    ({"state": "sent"}, "already_sent"),
    ({"state": "planned", "attempt_count": 0}, "already_waiting"),
    ({"state": "queued"}, "already_waiting"),
    ({"state": "skipped", "reason": "opted_out"}, "skipped"),
    ({"state": "cancelled", "reason": "cancelled"}, "cancelled"),
    ({"state": "unknown"}, "may_have_arrived"),
    ({"attempt_count": 6}, "limit_reached"),
    ({"created_at": timezone.now() - timedelta(hours=49)}, "too_old"),
    ({"code": "whatsapp:131026"}, "will_not_help"),
    ({"code": "whatsapp:131047"}, "fix_first"),
    (
        {
            "code": "whatsapp:131049",
            "created_at": timezone.now() - timedelta(hours=40),
        },
        "too_old_by_then",
    ),
]


@pytest.mark.parametrize(("values", "code"), REFUSED)
def test_each_refusal_is_kept_with_its_code_and_sentence(
    ours: World, fail: Fail, values: dict[str, Any], code: str
) -> None:
    refused = fail(**values)
    fine = fail()

    bulk = worked_off(frozen(ours))

    assert answers(bulk) == {
        refused.pk: ("refused", code),
        fine.pk: ("queued", ""),
    }
    item = bulk.items.get(message=refused)
    assert item.sentence.endswith(".")
    assert (bulk.state, bulk.queued_count, bulk.refused_count) == ("completed", 1, 1)
    counts_match_items(bulk)


def test_what_stands_around_a_message_refuses_it_too(ours: World, fail: Fail) -> None:
    off = fail(integration=ours.integration(state="off"))
    dear = fail(integration=ours.integration(credit_price=30_000))
    opted_out = fail(contact=ours.contact(opted_out_channels=["whatsapp"]))
    fine = fail()
    CreditAccount.objects.update(available=20_000)

    bulk = worked_off(frozen(ours))

    assert answers(bulk) == {
        off.pk: ("refused", "integration_off"),
        dear.pk: ("refused", "insufficient_credits"),
        opted_out.pk: ("refused", "opted_out"),
        fine.pk: ("queued", ""),
    }


def test_an_error_that_was_mended_is_no_reason_any_more(
    ours: World, fail: Fail
) -> None:
    wrote = ours.contact(whatsapp_inbound_at=timezone.now())
    answered = fail("whatsapp:131047", contact=wrote)
    paid = fail("resend_admin:insufficient_credits")

    bulk = worked_off(frozen(ours))

    assert answers(bulk) == {
        answered.pk: ("queued", ""),
        paid.pk: ("queued", ""),
    }


def test_the_same_person_is_not_reached_twice_by_two_runs(
    ours: World, fail: Fail
) -> None:
    first, retry = ours.broadcast(), ours.broadcast()
    reached, both = ours.contact(), ours.contact()
    old = fail(contact=reached, broadcast_id=first.pk)
    fail("", "delivered", contact=reached, broadcast_id=retry.pk, root=old)
    older = fail(contact=both, broadcast_id=first.pk)
    newer = fail(contact=both, broadcast_id=retry.pk, root=older)

    bulk = worked_off(frozen(ours))

    found = answers(bulk)
    assert found[old.pk] == ("refused", "taken_over")
    assert found[older.pk] == ("refused", "taken_over")
    assert found[newer.pk] == ("queued", "")


def test_queued_messages_carry_who_and_why(ours: World, fail: Fail) -> None:
    message = fail()

    worked_off(frozen(ours, reason="the provider was down"))

    message.refresh_from_db()
    assert message.is_waiting_to_retry
    assert message.asked_by == "person"
    assert message.asked_by_name == ours.editor.username
    assert message.asked_reason == "the provider was down"
    assert message.priority == 5
    assert tally_differences() == []


def test_a_wait_error_is_queued_for_when_it_has_passed(ours: World, fail: Fail) -> None:
    message = fail("whatsapp:131049")

    worked_off(frozen(ours))

    message.refresh_from_db()
    assert message.due_at is not None
    wait = message.due_at - timezone.now()
    assert timedelta(hours=22) < wait <= timedelta(hours=23)


def test_unknown_ones_go_again_when_the_risk_is_accepted(
    ours: World, fail: Fail
) -> None:
    message = fail("whatsapp:timeout", "unknown")

    bulk = worked_off(frozen(ours, accepts_duplicate=True))

    assert answers(bulk) == {message.pk: ("queued", "")}


def test_what_fails_after_it_was_shown_is_no_part_of_it(
    ours: World, fail: Fail
) -> None:
    message = fail()
    selection = chosen(ours)
    seen = shown(ours, selection)
    late = fail()
    Message.objects.filter(pk=late.pk).update(state_at=timezone.now())

    bulk = freezing.freeze(
        selection,
        ours.organization,
        Order(ours.editor, seen.shown_at, seen.candidates),
    )

    assert isinstance(bulk, BulkResend)
    assert set(answers(bulk)) == {message.pk}


def test_a_ticked_message_that_changed_meanwhile_is_named(
    ours: World, fail: Fail
) -> None:
    message, sent = fail(), fail("", "sent")
    selection = chosen(ours, is_filter=False)
    seen = shown(ours, selection)
    Message.objects.filter(pk=sent.pk).update(
        state="failed",
        state_at=timezone.now(),
        error_code="whatsapp:131000",
        error_class="retry",
    )

    bulk = freezing.freeze(
        selection,
        ours.organization,
        Order(ours.editor, seen.shown_at, seen.candidates),
    )

    assert isinstance(bulk, BulkResend)
    assert answers(bulk) == {
        message.pk: ("waiting", ""),
        sent.pk: ("refused", "changed_meanwhile"),
    }


def test_another_number_than_was_shown_freezes_nothing(ours: World, fail: Fail) -> None:
    fail()
    gone = fail()
    seen = shown(ours)
    Message.objects.filter(pk=gone.pk).update(
        state="delivered", delivered_at=timezone.now()
    )

    outcome = freezing.freeze(
        chosen(ours),
        ours.organization,
        Order(ours.editor, seen.shown_at, seen.candidates),
    )

    assert isinstance(outcome, Refused)
    assert outcome.code == "selection_changed"
    assert "1 message" in outcome.sentence
    assert not BulkResend.objects.exists()
    assert not BulkResendItem.objects.exists()


def test_nothing_that_failed_is_nothing_to_freeze(ours: World, fail: Fail) -> None:
    fail("", "delivered")
    seen = shown(ours)

    outcome = freezing.freeze(
        chosen(ours),
        ours.organization,
        Order(ours.editor, seen.shown_at, seen.candidates),
    )

    assert isinstance(outcome, Refused)
    assert outcome.code == "nothing_failed"


def test_what_changes_before_its_turn_is_judged_anew(ours: World, fail: Fail) -> None:
    arrived, resent, fine = fail(), fail(), fail()
    bulk = frozen(ours)
    Message.objects.filter(pk=arrived.pk).update(
        state="delivered", delivered_at=timezone.now()
    )
    Message.objects.filter(pk=resent.pk).update(state="queued", due_at=timezone.now())

    worked_off(bulk)

    assert answers(bulk) == {
        arrived.pk: ("refused", "already_delivered"),
        resent.pk: ("refused", "already_waiting"),
        fine.pk: ("queued", ""),
    }


def test_a_message_that_is_no_longer_kept_is_said_so(ours: World, fail: Fail) -> None:
    message = fail()
    bulk = frozen(ours)
    with connection.cursor() as cursor:
        # As retention does it.
        cursor.execute("DELETE FROM messaging_message WHERE id = %s", [message.pk])

    worked_off(bulk)

    assert answers(bulk) == {message.pk: ("refused", "no_longer_kept")}


def test_a_second_bulk_resend_leaves_the_messages_of_the_first_alone(
    ours: World, fail: Fail
) -> None:
    taken = fail()
    first = frozen(ours)
    free = fail()

    assert {line.code for line in shown(ours).lines} == {
        "queued",
        "in_another_bulk_resend",
    }
    second = frozen(ours)

    assert answers(first) == {taken.pk: ("waiting", "")}
    assert answers(second) == {
        taken.pk: ("refused", "in_another_bulk_resend"),
        free.pk: ("waiting", ""),
    }


def test_the_database_itself_lets_a_message_wait_once(ours: World, fail: Fail) -> None:
    message = fail()
    frozen(ours)
    other = BulkResend.objects.create(
        organization=ours.organization, chosen="by hand", total=1
    )

    with pytest.raises(IntegrityError), transaction.atomic():
        BulkResendItem.objects.create(bulk=other, message=message)


def test_only_the_own_organization_is_touched(
    ours: World, theirs: World, fail: Fail
) -> None:
    message = fail()
    foreign = theirs.message(
        "failed", attempt_count=1, error_code="whatsapp:131000", error_class="retry"
    )

    bulk = worked_off(frozen(ours))

    assert set(answers(bulk)) == {message.pk}
    foreign.refresh_from_db()
    assert foreign.state == "failed"


def test_a_scheduled_one_waits_for_its_time(ours: World, fail: Fail) -> None:
    message = fail()
    bulk = frozen(ours, at=timezone.now() + timedelta(hours=2))

    assert worked_off(bulk).state == "frozen"
    BulkResend.objects.update(scheduled_for=timezone.now() - timedelta(seconds=1))
    assert worked_off(bulk).state == "completed"

    assert answers(bulk) == {message.pk: ("queued", "")}


def test_a_kill_between_chunks_loses_and_doubles_nothing(
    ours: World, fail: Fail, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(7):
        fail()
    monkeypatch.setattr(running, "CHUNK", 3)
    bulk = frozen(ours)
    running.start_due()
    running.step(bulk.pk)
    bulk.refresh_from_db()
    assert (bulk.state, bulk.queued_count) == ("running", 3)

    def killed(*arguments: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(running, "_settle", killed)
        with pytest.raises(SystemExit):
            running.step(bulk.pk)

    bulk.refresh_from_db()
    assert bulk.queued_count == 3
    assert Message.objects.filter(state="queued").count() == 3

    worked_off(bulk)
    assert (bulk.state, bulk.queued_count) == ("completed", 7)
    assert Message.objects.filter(state="queued").count() == 7
    counts_match_items(bulk)
    assert tally_differences() == []


def test_running_what_has_ended_changes_nothing(ours: World, fail: Fail) -> None:
    message = fail()
    bulk = worked_off(frozen(ours))
    due_at = Message.objects.get().due_at

    assert running.run() == 0

    assert Message.objects.get().due_at == due_at
    assert answers(bulk) == {message.pk: ("queued", "")}


def test_cancelling_takes_back_what_waits_and_leaves_what_is_queued(
    ours: World, fail: Fail, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = [fail() for _ in range(5)]
    monkeypatch.setattr(running, "CHUNK", 2)
    bulk = frozen(ours)
    running.start_due()
    running.step(bulk.pk)

    assert running.cancel(bulk)

    bulk.refresh_from_db()
    assert (bulk.state, bulk.queued_count, bulk.cancelled_count) == ("cancelled", 2, 3)
    assert bulk.finished_at is not None
    assert Counter(answers(bulk).values()) == {
        ("queued", ""): 2,
        ("cancelled", "taken_back"): 3,
    }
    assert Message.objects.filter(state="failed").count() == len(messages) - 2
    counts_match_items(bulk)
    assert not running.cancel(bulk)
    # What was taken back is free for the next one.
    assert shown(ours).candidates == 3


def test_a_kill_while_cancelling_is_made_good_by_the_next_ring(
    ours: World, fail: Fail
) -> None:
    for _ in range(3):
        fail()
    bulk = frozen(ours)
    BulkResend.objects.filter(pk=bulk.pk).update(state="cancelled")

    worked_off(bulk)

    assert (bulk.state, bulk.cancelled_count) == ("cancelled", 3)
    assert bulk.finished_at is not None
    counts_match_items(bulk)


def test_what_has_ended_cannot_be_cancelled(ours: World, fail: Fail) -> None:
    fail()
    bulk = worked_off(frozen(ours))

    assert not running.cancel(bulk)

    bulk.refresh_from_db()
    assert bulk.state == "completed"


def test_the_cost_of_a_chunk_does_not_grow_with_its_rows(
    ours: World, fail: Fail
) -> None:
    def cost() -> int:
        bulk = frozen(ours)
        running.start_due()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            running.step(bulk.pk)
        return len(queries)

    fail()
    few = cost()
    for _ in range(30):
        fail()

    assert cost() == few


def test_items_go_when_their_time_is_over_and_the_figures_stay(
    ours: World, fail: Fail
) -> None:
    fail()
    bulk = worked_off(frozen(ours))
    assert running.prune() == 0

    BulkResend.objects.update(finished_at=timezone.now() - timedelta(days=31))

    assert running.prune() == 1
    bulk.refresh_from_db()
    assert (bulk.total, bulk.queued_count) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_tasks_side_by_side_queue_each_message_once(
    ours: World, fail: Fail, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(60):
        fail()
    fail("whatsapp:131026")
    monkeypatch.setattr(running, "CHUNK", 5)
    bulk = frozen(ours)

    settled = at_once(4, lambda index: running.run())

    running.run()
    bulk.refresh_from_db()
    assert sum(settled) == 61
    assert (bulk.state, bulk.queued_count, bulk.refused_count) == ("completed", 60, 1)
    assert Message.objects.filter(state="queued").count() == 60
    counts_match_items(bulk)
    assert tally_differences() == []


@pytest.mark.django_db(transaction=True)
def test_of_two_confirmations_at_once_one_gets_the_messages(
    ours: World, fail: Fail
) -> None:
    for _ in range(20):
        fail()
    organization: Organization = ours.organization
    selection = chosen(ours)
    seen = shown(ours, selection)
    order = Order(ours.editor, seen.shown_at, seen.candidates)

    outcomes = at_once(4, lambda index: freezing.freeze(selection, organization, order))

    made = [one for one in outcomes if isinstance(one, BulkResend)]
    assert len(made) == 1
    assert {one.code for one in outcomes if isinstance(one, Refused)} == {
        "selection_changed"
    }
    assert BulkResendItem.objects.filter(state="waiting").count() == 20
