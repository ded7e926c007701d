"""A forecast rests on the organization's own history, or says that there is none."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from messaging.figures.comparison import Outcome, Standing, compare
from messaging.figures.forecast import (
    ENOUGH_OF_ITS_OWN,
    FEWEST,
    Forecast,
    Group,
    forecast,
)
from messaging.figures.shown import results, sentences, shown, untold
from messaging.models import Integration, Message
from tests.factories import World
from tests.messaging.figures.history import remember

pytestmark = pytest.mark.django_db

TIMED_OUT = "whatsapp:131016"
BLOCKED = "whatsapp:131026"


def group(
    count: int, code: str = TIMED_OUT, integration: Integration | None = None
) -> Group:
    return Group(code, "whatsapp", integration.pk if integration else None, count)


def test_it_follows_what_earlier_retries_brought(ours: World) -> None:
    remember(ours, TIMED_OUT, arrived=1_017, failed=223)

    [cause] = forecast(ours.organization, [group(61)]).causes

    assert (cause.count, cause.judged, cause.tries) == (61, 61, 1_240)
    assert cause.expected == 50
    assert 40 <= cause.low < 50 < cause.high <= 58
    assert shown(cause).headline == "About 50 of 61 will arrive"
    assert shown(cause).detail.endswith("from 1,240 earlier retries")


def test_too_little_history_is_no_history(ours: World) -> None:
    remember(ours, TIMED_OUT, arrived=FEWEST - 1, failed=0)

    told = forecast(ours.organization, [group(61)])

    assert (told.is_known, told.count, told.judged) == (False, 61, 0)
    assert shown(told.causes[0]).headline == "No history yet"
    assert "not known yet" in sentences(told)[0]

    remember(ours, TIMED_OUT, arrived=1, failed=0, days_ago=20)
    assert forecast(ours.organization, [group(61)]).is_known


def test_the_history_of_another_organization_is_not_ours(
    ours: World, theirs: World
) -> None:
    remember(theirs, TIMED_OUT, arrived=1_000, failed=0)

    assert not forecast(ours.organization, [group(61)]).is_known


def test_what_is_long_ago_does_not_count(ours: World) -> None:
    remember(ours, TIMED_OUT, arrived=1_000, failed=0, days_ago=100)

    assert not forecast(ours.organization, [group(61)]).is_known


def test_another_channel_and_another_error_tell_nothing(ours: World) -> None:
    remember(ours, TIMED_OUT, arrived=1_000, failed=0, channel="sms")
    remember(ours, BLOCKED, arrived=1_000, failed=0)

    assert not forecast(ours.organization, [group(61)]).is_known


def test_an_integration_is_judged_by_itself_once_it_has_enough(ours: World) -> None:
    good, bad, new = (ours.integration() for _ in range(3))
    remember(ours, TIMED_OUT, arrived=ENOUGH_OF_ITS_OWN, failed=0, integration=good)
    remember(ours, TIMED_OUT, arrived=0, failed=ENOUGH_OF_ITS_OWN, integration=bad)

    def expected(integration: Integration) -> int:
        told = forecast(ours.organization, [group(100, integration=integration)])
        return told.expected

    assert expected(good) > 95
    assert expected(bad) < 5
    assert 40 <= expected(new) <= 60


def test_the_sum_is_of_what_can_be_judged(ours: World) -> None:
    remember(ours, TIMED_OUT, arrived=500, failed=500)

    told = forecast(ours.organization, [group(100), group(12, BLOCKED)])

    assert (told.count, told.judged, told.unknown_count) == (112, 100, 12)
    assert told.expected == 50
    assert [one.code for one in told.causes] == [TIMED_OUT, BLOCKED]
    words = " ".join(sentences(told))
    assert "About 50 of 100 will arrive" in words
    assert "For 12 there is no history yet" in words


def test_the_highest_cost_is_that_of_all_of_them(ours: World) -> None:
    cheap = ours.integration(credit_price=1)
    dear = ours.integration(credit_price=7)

    told = forecast(
        ours.organization, [group(10, integration=cheap), group(3, integration=dear)]
    )

    assert told.most_credits == 10 + 21
    assert "It costs 31 credits at most" in " ".join(sentences(told))


def test_the_last_one_leaves_when_the_rate_allows_it(ours: World) -> None:
    slow = ours.integration(rate_per_second=2)
    for _ in range(6):
        ours.message(integration=slow)

    told = forecast(ours.organization, [group(60, integration=slow)])

    assert told.leaves_by is not None
    seconds = (told.leaves_by - timezone.now()).total_seconds()
    assert seconds == pytest.approx((6 + 60) / 2, abs=3)
    assert "The last one leaves about" in " ".join(sentences(told))


def test_what_waits_has_left_by_a_later_start(ours: World) -> None:
    slow = ours.integration(rate_per_second=2)
    for _ in range(6):
        ours.message(integration=slow)
    starts_at = timezone.now() + timedelta(hours=1)

    told = forecast(
        ours.organization, [group(60, integration=slow)], starts_at=starts_at
    )

    assert told.leaves_by == starts_at + timedelta(seconds=30)


def test_nobody_can_tell_when_a_paused_integration_is_done(ours: World) -> None:
    paused = ours.integration(name="Support", state="paused")

    told = forecast(ours.organization, [group(60, integration=paused)])

    assert told.leaves_by is None
    assert "“Support” is not sending" in " ".join(sentences(told))


def test_it_is_stored_and_read_as_it_was(ours: World) -> None:
    remember(ours, TIMED_OUT, arrived=100, failed=20)
    told = forecast(ours.organization, [group(61, integration=ours.integration())])

    assert Forecast.from_json(told.as_json) == told
    assert Forecast.from_json({}) is None


def test_nothing_to_send_tells_nothing(ours: World) -> None:
    told = forecast(ours.organization, [])

    assert (told.count, told.causes, told.leaves_by) == (0, (), None)
    assert sentences(told) == []


def test_no_row_is_looked_at(ours: World, django_assert_num_queries: object) -> None:
    remember(ours, TIMED_OUT, arrived=100, failed=20)
    integration = ours.integration()
    Message.objects.all().delete()

    with django_assert_num_queries(4):  # type: ignore[operator]
        told = forecast(ours.organization, [group(61, integration=integration)])

    assert told.is_known


@pytest.mark.parametrize(
    ("arrived", "undecided", "outcome"),
    [
        (50, 0, Outcome.AS_EXPECTED),
        (20, 30, Outcome.UNDER_WAY),
        (20, 0, Outcome.FEWER),
        (20, 5, Outcome.FEWER),
        (61, 0, Outcome.MORE),
    ],
)
def test_the_result_beside_the_forecast(
    ours: World, arrived: int, undecided: int, outcome: Outcome
) -> None:
    remember(ours, TIMED_OUT, arrived=1_000, failed=200)
    told = forecast(ours.organization, [group(61)])

    found = compare(told, {TIMED_OUT: Standing(arrived, undecided)})

    assert [one.outcome for one in found.causes] == [outcome]
    assert found.whole.outcome is outcome
    [line] = results(found)
    assert (line.arrived, line.undecided) == (arrived, undecided)


def test_together_only_what_was_judged_is_compared(ours: World) -> None:
    remember(ours, TIMED_OUT, arrived=1_000, failed=200)
    told = forecast(ours.organization, [group(61), group(9, BLOCKED)])

    found = compare(told, {TIMED_OUT: Standing(50, 0), BLOCKED: Standing(0, 9)})

    assert [one.outcome for one in found.causes] == [
        Outcome.AS_EXPECTED,
        Outcome.NOT_TOLD,
    ]
    assert found.whole.outcome is Outcome.AS_EXPECTED
    assert not found.whole.is_final


def test_what_hardly_helps_is_said_so(ours: World) -> None:
    remember(ours, BLOCKED, arrived=1, failed=900)

    told = forecast(ours.organization, [group(5, BLOCKED)])

    assert shown(told.causes[0]).headline == "Hardly any of 5 will arrive"


def test_where_nothing_was_told_and_nothing_came_one_sentence_is_enough(
    ours: World,
) -> None:
    told = forecast(ours.organization, [group(61), group(9, BLOCKED)])

    before = compare(told, {TIMED_OUT: Standing(0, 61), BLOCKED: Standing(0, 9)})
    begun = compare(told, {TIMED_OUT: Standing(1, 60), BLOCKED: Standing(0, 9)})
    ended = compare(told, {})

    start = "Nothing was forecast: there was no history of such errors yet."
    assert results(before) == []
    assert untold(before) == f"{start} Nothing has arrived so far, 70 are still open."
    assert untold(ended) == f"{start} None of 70 arrived."
    assert untold(begun) == ""
    assert len(results(begun)) == 3


def test_without_a_forecast_nothing_is_said_about_the_result(ours: World) -> None:
    told = forecast(ours.organization, [group(61)])

    found = compare(told, {TIMED_OUT: Standing(61, 0)})

    assert found.whole.outcome is Outcome.NOT_TOLD
