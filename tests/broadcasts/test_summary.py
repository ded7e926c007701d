"""Counters: every message in one of them, read from tallies alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from broadcasts.summary import causes_of, counters, counters_of
from messaging.models import Message, MessageState
from tests.broadcasts.factories import (
    BLOCKED,
    finished,
    rows_of,
    scheduled,
    stand,
    started,
)
from tests.factories import World

pytestmark = pytest.mark.django_db


def test_every_message_is_in_one_counter(ours: World) -> None:
    for _ in range(10):
        ours.contact()
    broadcast = started(scheduled(ours))
    states = [one for one in MessageState if one != MessageState.PLANNED]
    for row, state in zip(rows_of(broadcast), states, strict=False):
        stand(Message.objects.filter(pk=row.pk), state)

    numbers = counters_of(broadcast)

    assert numbers.total == 10
    assert (numbers.delivered, numbers.read) == (2, 1)
    assert (numbers.waiting, numbers.untried, numbers.unsettled) == (1, 1, 3)
    assert numbers.kept_failed == numbers.failed == 1
    assert [one.count for one in numbers.skips] == [1]
    assert sum(one.value for one in numbers.progress.segments) == 10
    assert numbers.progress.settled == 7


def test_delivered_by_a_later_attempt_is_told_apart(ours: World) -> None:
    broadcast = finished(ours, "delivered", "delivered")
    rows_of(broadcast).filter(pk=rows_of(broadcast)[0].pk).update(attempt_count=3)

    numbers = counters_of(broadcast)

    assert (numbers.delivered, numbers.delivered_later) == (2, 1)
    labels = {one.label: one.value for one in numbers.progress.segments}
    assert labels == {"Delivered": 1, "Delivered after a retry": 1}


def test_the_mark_changes_with_any_counter_and_only_then(ours: World) -> None:
    broadcast = finished(ours, "sent", "sent")
    before = counters_of(broadcast).mark
    assert counters_of(broadcast).mark == before

    stand(Message.objects.filter(pk=rows_of(broadcast)[0].pk), "delivered")

    assert counters_of(broadcast).mark != before


def test_many_broadcasts_cost_one_query(
    ours: World, django_assert_num_queries: Callable[[int], object]
) -> None:
    made = [finished(ours, "failed", "delivered") for _ in range(3)]

    with django_assert_num_queries(1):  # type: ignore[attr-defined]
        found = counters([*(one.pk for one in made), 0])

    assert [found[one.pk].failed for one in made] == [1, 1, 1]
    assert found[0].total == 0
    assert found[0].causes == []


def test_causes_are_grouped_as_the_catalogue_knows_them() -> None:
    causes = causes_of(
        [
            ("whatsapp:http_502", 1),
            ("whatsapp:http_503", 2),
            (BLOCKED, 1),
            ("sms:99999999", 4),
            ("whatsapp:131047", 0),
        ]
    )

    assert [one.count for one in causes] == [4, 3, 1]
    assert causes[0].entry.error_class == "unknown"
    assert causes[1].codes == ("whatsapp:http_502", "whatsapp:http_503")
