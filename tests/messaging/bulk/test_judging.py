"""Each message is judged when its turn comes, by the rule of one message."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from messaging.audit import tally_differences
from messaging.dispatch import again
from messaging.models import (
    CreditAccount,
    Integration,
    Message,
)
from tests.factories import World
from tests.messaging.bulk.steps import (
    Fail,
    answers,
    counts_match_items,
    frozen,
    worked_off,
)
from tests.messaging.dispatch.flows import (
    failed_at_last_part,
    got_through,
    of_two_attempts,
)

pytestmark = pytest.mark.django_db


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


def test_what_several_attempts_got_through_is_not_queued(
    ours: World, whatsapp: Integration
) -> None:
    message = of_two_attempts(ours, whatsapp)
    got_through(message)

    bulk = worked_off(frozen(ours))

    assert answers(bulk) == {message.pk: ("refused", "every_part_sent")}


def test_what_changes_after_it_was_judged_says_why_it_is_not_queued(
    ours: World, whatsapp: Integration, fail: Fail, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, other, own = failed_at_last_part(ours, whatsapp), fail(), fail()
    queue_again = again.queue_again

    def comes_late(*wanted: Any, **options: Any) -> set[int]:
        Message.objects.filter(pk=whole.pk).update(parts_sent=0b11)
        waits = {"state": "queued", "due_at": timezone.now() + timedelta(hours=1)}
        Message.objects.filter(pk=other.pk).update(**waits)
        return queue_again(*wanted, **options)

    monkeypatch.setattr(again, "queue_again", comes_late)

    bulk = worked_off(frozen(ours))

    assert answers(bulk) == {
        whole.pk: ("refused", "every_part_sent"),
        other.pk: ("refused", "already_waiting"),
        own.pk: ("queued", ""),
    }


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
