"""Failures by cause: whoever still stands as failed, once, and who saw to it."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import Exists, OuterRef
from django.db.models.functions import Coalesce
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from broadcasts import causes, schedule
from broadcasts.causes import DetailedGroup, Help
from broadcasts.models import Broadcast
from broadcasts.retention import prune
from messaging.channels.catalogue import lookup
from messaging.failures.kept import failed_of as failed_rows
from messaging.failures.kept import kept_failures
from messaging.models import BulkResend, Message, MessageState, SkipReason
from tests.broadcasts.factories import (
    BLOCKED,
    TIMED_OUT,
    age,
    finished,
    outcomes,
    retried,
    rows_of,
    stand,
    started,
)
from tests.broadcasts.test_chain import OUTCOMES, SLOW, STEP, standing, take
from tests.factories import World, world
from tests.messaging.views.rows import tried

pytestmark = pytest.mark.django_db

CLOSED = "whatsapp:131047"
EXPIRED = "whatsapp:190"


def found(ours: World) -> dict[str, DetailedGroup]:
    every = causes.detailed(ours.organization, causes.groups(ours.organization))
    return {one.entry.code: one for one in every}


def single(ours: World, code: str, **values: Any) -> Message:
    error_class = lookup(code).error_class.value
    return tried(ours, "failed", error_code=code, error_class=error_class, **values)


def failed_of(broadcast: Broadcast, code: str, number: int = 1) -> None:
    rows = list(rows_of(broadcast).filter(state="failed", error_code=TIMED_OUT))
    stand(
        Message.objects.filter(pk__in=[one.pk for one in rows[:number]]), "failed", code
    )


def seen(ours: World, cause: str, **values: Any) -> BulkResend:
    return BulkResend.objects.create(
        organization=ours.organization,
        created_by_name="Ada",
        chosen="All that failed of one cause",
        cause=cause,
        **values,
    )


# What counts


def test_a_cause_is_one_line_across_broadcasts_and_single_messages(
    ours: World, theirs: World
) -> None:
    first = finished(ours, "failed", "failed", "delivered")
    second = finished(ours, "failed")
    failed_of(first, f"{CLOSED}:re_engagement_message_required", 2)
    failed_of(second, CLOSED)
    single(ours, CLOSED)
    single(ours, EXPIRED)
    failed_of(finished(theirs, "failed"), CLOSED)

    groups = found(ours)

    closed = groups[CLOSED]
    assert (closed.number, closed.singles, closed.is_about) == (4, 1, False)
    assert set(closed.codes) == {CLOSED, f"{CLOSED}:re_engagement_message_required"}
    assert [(one.run.pk, one.number) for one in closed.places] == [
        (first.pk, 2),
        (second.pk, 1),
    ]
    assert closed.channels == {"whatsapp": 4}
    assert closed.help is Help.FIX
    assert groups[EXPIRED].number == 1


def test_the_broadcasts_that_hold_the_most_are_named(ours: World) -> None:
    finished(ours, "failed")
    largest = finished(ours, *["failed"] * 3)
    second = finished(ours, *["failed"] * 2)

    group = found(ours)[TIMED_OUT]

    assert [one.run.pk for one in group.places] == [largest.pk, second.pk]
    assert group.retried_first == group.runs[largest.pk]
    assert len(group.held) == len(group.retryable) == 3


def test_what_still_sends_is_named_and_not_retried_first(ours: World) -> None:
    finished(ours, "failed")
    second = finished(ours, *["failed"] * 2)
    largest = finished(ours, *["failed"] * 3)
    Broadcast.objects.filter(pk=largest.pk).update(state="sending", finished_at=None)

    group = found(ours)[TIMED_OUT]

    assert [one.run.pk for one in group.places] == [largest.pk, second.pk]
    assert group.retried_first == group.runs[second.pk]
    assert len(group.retryable) == 2


def test_of_broadcasts_that_hold_as_many_the_newest_come_first(ours: World) -> None:
    older, newer = finished(ours, "failed"), finished(ours, "failed")

    assert found(ours)[TIMED_OUT].largest(3) == [newer.pk, older.pk]


def test_they_hold_what_all_spellings_say_together(ours: World) -> None:
    one_spelling = finished(ours, *["failed"] * 3)
    failed_of(one_spelling, CLOSED, 3)
    two_spellings = finished(ours, *["failed"] * 4)
    failed_of(two_spellings, CLOSED, 2)
    failed_of(two_spellings, f"{CLOSED}:re_engagement_message_required", 2)

    places = found(ours)[CLOSED].places

    assert [(one.run.pk, one.number) for one in places] == [
        (two_spellings.pk, 4),
        (one_spelling.pk, 3),
    ]


def test_fixes_come_first_and_the_worst_of_them_before_all(ours: World) -> None:
    for code, number in ((EXPIRED, 1), (CLOSED, 2), (TIMED_OUT, 3), (BLOCKED, 4)):
        for _ in range(number):
            single(ours, code)

    order = [one.entry.code for one in causes.groups(ours.organization)]

    assert order == [CLOSED, EXPIRED, TIMED_OUT, lookup(BLOCKED).code]


def test_whoever_a_retry_took_over_belongs_to_the_retry(ours: World) -> None:
    source = finished(ours, "failed", "failed", "failed")
    again = retried(source, ours)
    assert found(ours) == {}

    started(again)
    outcomes(again, "delivered", "failed", "failed")

    group = found(ours)[TIMED_OUT]
    assert (group.number, group.is_about) == (2, False)
    assert [one.run.pk for one in group.places] == [again.pk]


def test_a_retry_that_is_cancelled_gives_its_members_back(ours: World) -> None:
    source = finished(ours, "failed", "failed")
    again = retried(source, ours)

    schedule.cancel(broadcast=again, person=ours.editor)

    assert found(ours)[TIMED_OUT].number == 2


def test_what_failed_after_the_retry_was_confirmed_is_about_right(ours: World) -> None:
    source = finished(ours, "failed", "sent")
    retried(source, ours)
    late = rows_of(source).get(state="sent")
    stand(Message.objects.filter(pk=late.pk), "failed")

    group = found(ours)[TIMED_OUT]

    assert (group.number, group.is_about) == (1, True)


def test_what_is_pruned_is_gone(ours: World) -> None:
    old = finished(ours, "failed")
    age(old)
    Message.objects.filter(broadcast_id=old.pk).update(
        day=timezone.now().date() - timedelta(days=31)
    )
    assert found(ours)[TIMED_OUT].number == 1

    prune(ours.organization)

    assert found(ours) == {}


LEFT = (MessageState.SKIPPED, MessageState.CANCELLED)
IN_CHAIN = Message.objects.filter(root_id=Coalesce(OuterRef("root_id"), OuterRef("pk")))


def by_rows(ours: World) -> Counter[str]:
    """Count who stands as failed, row by row, by cause."""
    people: dict[int, list[Message]] = defaultdict(list)
    for row in Message.objects.filter(organization=ours.organization).order_by("pk"):
        people[row.root_id or row.pk].append(row)
    counted: Counter[str] = Counter()
    for rows in people.values():
        root = Broadcast.objects.get(pk=rows[0].broadcast_id or 0)
        if standing(rows, root) != MessageState.FAILED:
            continue
        last = [
            one
            for one in rows
            if one.state != MessageState.CANCELLED
            and one.reason != SkipReason.ALREADY_REACHED
        ][-1]
        counted[lookup(last.error_code).code] += 1
    return counted


@SLOW
@given(
    first=st.lists(OUTCOMES, min_size=3, max_size=6),
    closed=st.integers(0, 3),
    steps=st.lists(STEP, max_size=4),
)
def test_every_person_who_stands_as_failed_counts_once(
    db: None, first: list[str], closed: int, steps: list[dict[str, Any]]
) -> None:
    ours = world("Ours", credits=0)
    root = finished(ours, *first)
    failed_of(root, CLOSED, closed)
    runs = [root]
    for step in steps:
        take(step, runs, ours)
        groups = found(ours)
        counted = {code: one.number for code, one in groups.items()}
        assert counted == dict(by_rows(ours))
        # What is resent is what was counted; a run that skipped somebody, or took
        # them back, took nobody over, so the rule of a resend is asked about them.
        for code, one in groups.items():
            rows = failed_rows(ours.organization, one.codes)
            asked = rows.filter(Exists(IN_CHAIN.filter(state__in=LEFT)))
            assert 0 <= rows.count() - counted[code] <= asked.count()


# Limits


def test_what_no_resend_reaches_any_more_is_told_apart(ours: World) -> None:
    single(ours, EXPIRED)
    single(ours, EXPIRED, attempts=6)
    old = single(ours, EXPIRED)
    long_ago = timezone.now() - timedelta(days=4)
    Message.objects.filter(pk=old.pk).update(created_at=long_ago, day=long_ago.date())

    group = found(ours)[EXPIRED]

    assert (group.number, group.spent, group.resendable) == (3, 2, 1)


def test_of_those_whom_a_retry_took_over_the_oldest_are_taken_off_first(
    ours: World,
) -> None:
    source = finished(ours, "failed", "failed", "failed")
    rows = [one.pk for one in rows_of(source)]
    long_ago = timezone.now() - timedelta(days=4)
    Message.objects.filter(pk__in=rows[:2]).update(day=long_ago.date())
    key = (source.pk, TIMED_OUT)

    first, second = kept_failures(ours.organization, {key: 1})
    [last] = kept_failures(ours.organization, {key: 2})

    assert (first.is_spent, first.number, second.is_spent) == (True, 1, False)
    assert (last.is_spent, last.held) == (False, {source.pk: 1})
    assert kept_failures(ours.organization, {key: 3}) == []


def test_passing_causes_need_somebody_only_while_there_is_a_step(ours: World) -> None:
    old = single(ours, TIMED_OUT)
    assert found(ours)[TIMED_OUT].needs_a_person

    long_ago = timezone.now() - timedelta(days=4)
    Message.objects.filter(pk=old.pk).update(created_at=long_ago, day=long_ago.date())
    assert not found(ours)[TIMED_OUT].needs_a_person

    finished(ours, "failed")
    assert found(ours)[TIMED_OUT].needs_a_person


def test_what_never_helps_needs_nobody(ours: World) -> None:
    single(ours, BLOCKED)

    [group] = causes.groups(ours.organization)

    assert (group.help, group.needs_a_person) == (Help.NEVER, False)


def test_a_pause_that_the_provider_demands_is_known(ours: World) -> None:
    message = single(ours, "whatsapp:131049")

    group = found(ours)["whatsapp:131049"]

    assert group.ready_at == message.state_at + timedelta(days=1)


# On record


def test_what_somebody_saw_to_is_settled(ours: World) -> None:
    single(ours, EXPIRED)
    seen(ours, EXPIRED)
    single(ours, CLOSED)

    groups = causes.groups(ours.organization)

    assert [one.entry.code for one in groups] == [CLOSED, EXPIRED]
    assert groups[1].is_settled
    assert not groups[1].needs_a_person


def test_what_fails_again_comes_back_with_what_failed_since(ours: World) -> None:
    single(ours, EXPIRED)
    single(ours, EXPIRED)
    mark = seen(ours, EXPIRED)
    single(ours, EXPIRED)

    group = found(ours)[EXPIRED]

    assert (group.fails_again, group.again, group.wanting) == (True, 1, 1)
    assert (group.number, group.seen) == (3, mark)
    assert group.needs_a_person


def test_only_the_latest_that_was_not_cancelled_counts(
    ours: World, theirs: World
) -> None:
    single(ours, EXPIRED)
    seen(theirs, EXPIRED)
    seen(ours, EXPIRED, state="cancelled")
    assert found(ours)[EXPIRED].seen is None

    seen(ours, EXPIRED)
    second = seen(ours, EXPIRED)
    assert found(ours)[EXPIRED].seen == second


# What it costs


def test_it_asks_as_often_for_many_as_for_few(ours: World) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            found(ours)
        return len(asked)

    retried(finished(ours, "failed", "failed"), ours)
    finished(ours, "failed", "unknown")
    few = queries()
    for code in (EXPIRED, CLOSED, TIMED_OUT):
        failed_of(finished(ours, "failed", "failed"), code)
        retried(finished(ours, "failed", "failed"), ours)
        single(ours, code)

    assert queries() == few <= 7
