"""A bulk resend is confirmed with a forecast, and stands beside it afterwards."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from messaging.audit import bulk_outcome_differences, tally_differences
from messaging.bulk import expectation
from messaging.dispatch import pace
from messaging.dispatch.claim import claim
from messaging.dispatch.settle import Result, settle
from messaging.figures.comparison import Outcome
from messaging.figures.forecast import Forecast
from messaging.figures.shown import results, untold
from messaging.models import (
    Attempt,
    BulkResend,
    BulkResendOutcome,
    Contact,
    Integration,
)
from tests.factories import World
from tests.messaging.bulk.steps import Fail, frozen, shown, worked_off
from tests.messaging.figures.history import remember
from tests.messaging.views.bulk_pages import made, page, page_of, several, ticked

pytestmark = pytest.mark.django_db

TIMED_OUT = "whatsapp:131016"
REFUSED = "whatsapp:131000"


def confirmed(world: World) -> BulkResend:
    told = expectation.of_verdict(world.organization, shown(world))
    return frozen(world, told=told)


def leave(integration: Integration, *outcomes: str) -> None:
    pace.take_lease(integration.pk, uuid.uuid4())
    claimed = claim(integration, limit=100).attempts
    assert len(claimed) == len(outcomes)
    settle(
        integration,
        [
            Result(
                one.attempt_id,
                outcome,
                error_code=REFUSED if outcome == "failed" else "",
                error_class="retry" if outcome == "failed" else "",
            )
            for one, outcome in zip(claimed, outcomes, strict=True)
        ],
    )


def test_the_verdict_says_by_what_way_each_goes(
    ours: World, whatsapp: Integration, fail: Fail
) -> None:
    other = ours.integration()
    for _ in range(3):
        fail(TIMED_OUT)
    fail(TIMED_OUT, integration=other)
    fail(REFUSED)
    fail("whatsapp:131026")

    groups = {
        (one.error_code, one.integration_id): one.count for one in shown(ours).groups
    }

    assert groups == {
        (TIMED_OUT, whatsapp.pk): 3,
        (TIMED_OUT, other.pk): 1,
        (REFUSED, whatsapp.pk): 1,
    }


def test_the_forecast_is_kept_with_what_was_confirmed(ours: World, fail: Fail) -> None:
    remember(ours, TIMED_OUT, arrived=90, failed=10)
    for _ in range(4):
        fail(TIMED_OUT)

    bulk = confirmed(ours)
    bulk.refresh_from_db()

    told = Forecast.from_json(bulk.forecast)
    assert told is not None
    assert (told.count, told.expected, told.most_credits) == (4, 4, 4)


def test_what_its_tries_brought_is_counted_by_cause(
    ours: World, whatsapp: Integration, fail: Fail
) -> None:
    for code in (TIMED_OUT, TIMED_OUT, TIMED_OUT, REFUSED):
        fail(code)
    # Not part of it: what goes out for another reason.
    ours.message(integration=whatsapp)

    bulk = worked_off(confirmed(ours))
    leave(whatsapp, "sent", "delivered", "failed", "failed", "delivered")

    counted = {
        (one.cause_code, one.state): one.count
        for one in BulkResendOutcome.objects.filter(bulk=bulk)
    }
    assert sum(counted.values()) == 4
    assert {code for code, _ in counted} == {TIMED_OUT, REFUSED}
    assert Attempt.objects.filter(bulk_id=bulk.pk).count() == 4
    assert bulk_outcome_differences() == []
    assert tally_differences() == []
    Attempt.objects.all().delete()
    assert bulk_outcome_differences() == []
    assert sum(one.count for one in BulkResendOutcome.objects.filter(bulk=bulk)) == 4


def test_what_was_refused_with_the_credentials_is_no_outcome_of_it(
    ours: World, whatsapp: Integration, fail: Fail
) -> None:
    fail(TIMED_OUT)
    bulk = worked_off(confirmed(ours))
    pace.take_lease(whatsapp.pk, uuid.uuid4())
    [claimed] = claim(whatsapp, limit=1).attempts

    given_back = Result(
        claimed.attempt_id,
        "failed",
        error_code="whatsapp:auth_failed",
        error_class="fix_first",
        again_in=0.0,
    )
    settle(whatsapp, [given_back])

    assert Attempt.objects.filter(bulk_id=bulk.pk).count() == 1
    assert not BulkResendOutcome.objects.filter(bulk=bulk, count__gt=0)
    assert bulk_outcome_differences() == []


def test_forecast_and_result_stand_side_by_side(
    ours: World, whatsapp: Integration, fail: Fail
) -> None:
    remember(ours, TIMED_OUT, arrived=90, failed=10)
    for _ in range(4):
        fail(TIMED_OUT)
    bulk = confirmed(ours)

    before = expectation.comparison(bulk)
    worked_off(bulk)
    leave(whatsapp, "delivered", "delivered", "delivered", "sent")
    meanwhile = expectation.comparison(bulk)
    bulk.refresh_from_db()
    BulkResend.objects.filter(pk=bulk.pk).update(
        finished_at=timezone.now() - timedelta(days=2),
        forecast={
            **bulk.forecast,
            "leaves_by": (timezone.now() - timedelta(days=2)).isoformat(),
        },
    )
    bulk.refresh_from_db()
    after = expectation.comparison(bulk)

    assert before is not None
    assert before.whole.standing.undecided == 4
    assert meanwhile is not None
    assert (meanwhile.whole.standing.arrived, meanwhile.whole.standing.undecided) == (
        3,
        1,
    )
    assert after is not None
    assert after.whole.is_final
    assert after.whole.outcome is Outcome.AS_EXPECTED


def test_what_was_not_queued_is_not_open(
    ours: World, whatsapp: Integration, fail: Fail
) -> None:
    messages = [fail(TIMED_OUT), fail(TIMED_OUT), fail(REFUSED)]
    bulk = confirmed(ours)
    for one in messages[1:]:
        Contact.objects.filter(pk=one.contact_id).update(
            opted_out_channels=["whatsapp"]
        )
    worked_off(bulk)

    found = expectation.comparison(bulk)

    assert bulk.queued_count == 1
    assert found is not None
    assert found.whole.standing.undecided == 1
    assert untold(found).endswith("Nothing has arrived so far, 1 is still open.")

    leave(whatsapp, "failed")
    ended = expectation.comparison(bulk)

    assert ended is not None
    assert ended.whole.is_final
    assert untold(ended).endswith("None of 3 arrived.")
    assert results(ended) == []


def test_a_planted_difference_is_found(
    ours: World, whatsapp: Integration, fail: Fail
) -> None:
    fail(TIMED_OUT)
    worked_off(confirmed(ours))
    leave(whatsapp, "delivered")

    BulkResendOutcome.objects.update(count=7)

    [difference] = bulk_outcome_differences()
    assert (difference["tallied"], difference["counted"]) == (7, 1)


def test_what_was_confirmed_without_a_forecast_shows_none(
    ours: World, fail: Fail
) -> None:
    fail(TIMED_OUT)

    assert expectation.comparison(frozen(ours)) is None


def test_the_pages_say_it(ours: World, client: Client) -> None:
    whatsapp = ours.integration()
    remember(ours, REFUSED, arrived=900, failed=100)
    messages = several(ours, whatsapp, 2)
    client.force_login(ours.editor)
    cause = messages[0].error_code
    remember(ours, cause, arrived=900, failed=100, days_ago=20)

    dialog = page(client, ticked(messages))
    bulk = made(client, ticked(messages))
    detail = page(client, page_of(bulk))

    assert "About 2 of 2 will arrive" in dialog
    assert "It costs 2 credits at most" in dialog
    assert "What was expected, and what came" in detail
    assert "0 so far, 2 still open" in detail
