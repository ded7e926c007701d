"""The set is what was shown, and no message is in two of them."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from messaging.bulk import freezing
from messaging.bulk import verdict as verdicts
from messaging.bulk.freezing import Order
from messaging.models import (
    BulkResend,
    BulkResendItem,
    Message,
    Organization,
)
from messaging.sending import Refused
from tests.factories import World
from tests.messaging.bulk.steps import (
    Fail,
    answers,
    chosen,
    frozen,
    shown,
    worked_off,
)
from tests.messaging.dispatch.test_concurrency import at_once

pytestmark = pytest.mark.django_db


def test_no_more_than_the_cap_is_looked_at(
    ours: World, fail: Fail, monkeypatch: pytest.MonkeyPatch
) -> None:
    oldest, *newer = [fail() for _ in range(4)]
    monkeypatch.setattr("messaging.bulk.selection.MOST", 3)
    monkeypatch.setattr(verdicts, "MOST", 3)

    assert shown(ours).is_capped
    assert set(answers(frozen(ours))) == {message.pk for message in newer}
    assert oldest.pk not in {message.pk for message in newer}


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
