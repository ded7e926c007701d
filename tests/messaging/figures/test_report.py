"""The report says what the rows say, chains counted through, tenants apart."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from broadcasts import chain, run
from broadcasts.models import Broadcast
from messaging import receipts
from messaging.audit import (
    figure_differences,
    recovery_differences,
    tally_differences,
)
from messaging.channels.contract import Event, EventKind
from messaging.dispatch import pace
from messaging.dispatch.claim import claim
from messaging.dispatch.settle import Result, settle
from messaging.figures import Rate, Report, Scope, report
from messaging.models import (
    Attempt,
    DailyFigure,
    Integration,
    Message,
    Recovery,
)
from tests.broadcasts.factories import (
    finished,
    only,
    retried,
    rows_of,
    stand,
    started,
)
from tests.factories import World

pytestmark = pytest.mark.django_db

TIMED_OUT = "whatsapp:131016"
BLOCKED = "whatsapp:131026"


@pytest.fixture
def integration(ours: World) -> Integration:
    made = ours.integration()
    pace.take_lease(made.pk, uuid.uuid4())
    return made


def figures(world: World, **narrowed: object) -> Report:
    today = timezone.now().date()
    # A retry may run on the next day, when a test runs late in the evening.
    return report(
        Scope(
            world.organization,
            today - timedelta(days=1),
            today + timedelta(days=1),
            **narrowed,  # type: ignore[arg-type]
        )
    )


def result(attempt_id: int, outcome: str, code: str = TIMED_OUT) -> Result:
    if outcome in {"sent", "delivered"}:
        return Result(attempt_id, outcome)
    return Result(attempt_id, outcome, error_code=code, error_class="retry")


def try_all(
    integration: Integration, *outcomes: str, code: str = TIMED_OUT
) -> list[int]:
    """Let what is due leave, and end so; return the attempts."""
    made = claim(integration, limit=100).attempts
    assert len(made) == len(outcomes)
    settle(
        integration,
        [
            result(one.attempt_id, outcome, code)
            for one, outcome in zip(made, outcomes, strict=True)
        ],
        in_chain=True,
    )
    return [one.attempt_id for one in made]


def give_back(integration: Integration, code: str) -> None:
    """Let what is due be claimed, and come back without having been tried."""
    settle(
        integration,
        [
            Result(
                one.attempt_id,
                "failed",
                error_code=code,
                error_class="retry",
                again_in=0.0,
            )
            for one in claim(integration, limit=100).attempts
        ],
    )
    # Somebody resumes it.
    Integration.objects.update(state="active")


def again(world: World, *states: str) -> None:
    # Later, as far as the pause between two messages to one person goes.
    world.rest()
    Message.objects.filter(state__in=states or ["failed"]).update(
        state="queued", due_at=timezone.now() - timedelta(minutes=1)
    )


def hear(integration: Integration, attempt_id: int, state: str) -> None:
    event = Event(
        key=str(uuid.uuid4()),
        kind=EventKind.STATUS,
        raw={},
        reference=f"{attempt_id}:0",
        state=state,
    )
    receipts.store(integration, [event])
    receipts.apply()


def rates(found: Report) -> list[Rate]:
    rates = [one.rate for one in found.by_number]
    while rates and not rates[-1].tries:
        rates.pop()
    return rates


def agree() -> None:
    assert tally_differences() == []
    assert recovery_differences() == []
    assert figure_differences() == []


def test_success_by_resend_number(ours: World, integration: Integration) -> None:
    for _ in range(4):
        ours.message(integration=integration)
    try_all(integration, "delivered", "failed", "failed", "failed")
    again(ours)
    try_all(integration, "delivered", "delivered", "failed")
    again(ours)
    try_all(integration, "sent")

    found = figures(ours)

    assert rates(found) == [Rate(1, 3), Rate(2, 1), Rate(0, 0, 1)]
    assert found.first_retry.share == pytest.approx(2 / 3)
    assert found.first_retry.percent == "67\u202f%"
    agree()


def run_retry(source: Broadcast, world: World, *outcomes: str) -> Broadcast:
    made = started(retried(source, world))
    rows = list(rows_of(made))
    sender = rows[0].integration
    assert sender is not None
    pace.prepare(sender.pk)
    # Within one transaction now() stands still, and what begins later is not due.
    queued = rows_of(made).filter(state="queued")
    queued.update(due_at=timezone.now() - timedelta(minutes=1))
    try_all(sender, *outcomes)
    run.tick()
    made.refresh_from_db()
    return made


def test_the_tries_of_a_retried_retry_count_on(ours: World) -> None:
    source = finished(ours, "failed", "failed", "failed")
    first = run_retry(source, ours, "delivered", "failed", "failed")
    run_retry(first, ours, "delivered", "failed")

    found = figures(ours)

    assert [one.rate for one in found.by_number[1:3]] == [Rate(1, 2), Rate(1, 1)]
    numbers = list(Attempt.objects.order_by("pk").values_list("chain_offset", "number"))
    assert numbers == [(1, 1)] * 3 + [(2, 1)] * 2
    assert set(Attempt.objects.values_list("cause_code", flat=True)) == {TIMED_OUT}
    agree()


def test_a_second_retry_of_the_source_counts_the_tries_of_the_first(
    ours: World,
) -> None:
    source = finished(ours, "failed", "failed")
    run_retry(source, ours, "delivered", "failed")
    run_retry(source, ours, "failed")

    latest = Message.objects.order_by("-pk")[0]

    assert (latest.earlier_tries, latest.earlier_error) == (2, TIMED_OUT)
    assert figures(ours).by_number[2].rate == Rate(0, 1)


def test_days_count_each_person_once_on_the_first_day(ours: World) -> None:
    source = finished(ours, "delivered", "failed", "failed", "failed", "skipped")
    # The first run was yesterday; its retry is today's.
    yesterday = timezone.now().date() - timedelta(days=1)
    rows_of(source).update(day=yesterday)
    run_retry(source, ours, "delivered", "sent", "failed")

    [day, *others] = figures(ours).days

    assert day.day == yesterday
    assert (day.total, day.delivered_first, day.delivered_later) == (5, 1, 1)
    assert (day.unconfirmed, day.failed, day.skipped) == (1, 1, 1)
    assert [one.total for one in others] == [0, 0]


@pytest.mark.parametrize(
    ("states", "later"),
    [
        (["delivered", "failed", "failed"], ["failed", "failed"]),
        (["failed", "failed", "unknown"], ["delivered", "unknown"]),
        (["failed", "cancelled", "read", "queued"], ["sent"]),
    ],
)
def test_days_agree_with_the_chain(
    ours: World, states: Sequence[str], later: Sequence[str]
) -> None:
    source = finished(ours, *states)
    if source.state != "completed":
        Broadcast.objects.filter(pk=source.pk).update(
            state="completed", finished_at=timezone.now()
        )
        source.refresh_from_db()
    run_retry(source, ours, *later)

    whole = chain.summary(source)
    days = figures(ours).days
    together = {
        name: sum(getattr(one, name) for one in days)
        for name in ("total", "waiting", "unknown", "failed", "skipped", "cancelled")
    }

    assert together.pop("total") == whole.aimed
    assert together == {name: getattr(whole, name) for name in together}


@pytest.mark.parametrize("code", ["whatsapp:987654", "sms:30410", "email:5xx"])
def test_whoever_is_unknown_stays_so_when_another_is_retried(
    ours: World, code: str
) -> None:
    """Nobody can say what the code means; that its row has failed is certain."""
    source = finished(ours, "unknown", "failed")
    stand(only(rows_of(source), 1), "failed", code)
    retry = started(retried(source, ours))
    stand(rows_of(retry), "delivered")
    run.tick()

    [day] = [one for one in figures(ours).days if one.total]

    assert (day.delivered_later, day.unknown, day.failed) == (1, 1, 0)


@pytest.mark.parametrize("code", ["whatsapp:timeout", "resend_admin:worker_lost"])
def test_whoever_was_unknown_stands_where_the_retry_left_them(
    ours: World, code: str
) -> None:
    source = finished(ours, "failed", "unknown", "unknown")
    doubtful = rows_of(source).filter(state="unknown")
    doubtful.update(error_code=code, error_class="unknown")
    retry = started(retried(source, ours, include_unknown=True))
    stand(rows_of(retry), "delivered")
    stand(only(rows_of(retry), 2), "failed")
    run.tick()

    [day] = [one for one in figures(ours).days if one.total]

    assert (day.delivered_later, day.unknown, day.failed) == (2, 0, 1)


def test_one_retry_alone_is_about_its_own_members(ours: World) -> None:
    source = finished(ours, "delivered", "failed", "failed")
    made = run_retry(source, ours, "delivered", "failed")

    found = figures(ours, broadcast_ids=(made.pk,))

    assert sum(one.total for one in found.days) == 2
    assert sum(one.delivered_later for one in found.days) == 1
    assert rates(found) == [Rate(), Rate(1, 1)]


def test_a_cause_and_what_retrying_it_brought(
    ours: World, integration: Integration
) -> None:
    for _ in range(3):
        ours.message(integration=integration)
    try_all(integration, "failed", "failed", "failed")
    again(ours)
    try_all(integration, "delivered", "failed", "failed", code=BLOCKED)
    again(ours)
    try_all(integration, "failed", "unknown", code=BLOCKED)

    timed_out, blocked = sorted(figures(ours).causes, key=lambda one: one.code)

    assert (timed_out.code, timed_out.failures) == (TIMED_OUT, 3)
    assert timed_out.retried == Rate(1, 2)
    assert (blocked.code, blocked.failures) == (BLOCKED, 3)
    assert blocked.retried == Rate(0, 1, 1)


def test_where_nothing_confirms_sent_has_arrived(ours: World) -> None:
    mail = ours.integration("smtp")
    pace.take_lease(mail.pk, uuid.uuid4())
    for _ in range(2):
        contact = ours.contact(email=f"ama{uuid.uuid4()}@example.org")
        ours.message(integration=mail, contact=contact)
    try_all(mail, "sent", "failed")
    again(ours)
    try_all(mail, "sent")

    found = figures(ours)

    assert rates(found) == [Rate(1, 1), Rate(1, 0)]
    assert (found.recovered.count, found.recovered.credits) == (1, 1)
    assert sum(one.unconfirmed for one in found.days) == 0
    assert sum(one.delivered_first for one in found.days) == 1


def test_a_recovery_counts_once_when_its_try_arrives(
    ours: World, integration: Integration
) -> None:
    message = ours.message(integration=integration)
    [first] = try_all(integration, "unknown")
    Message.objects.update(first_failed_at=timezone.now() - timedelta(minutes=10))
    again(ours, "unknown")
    [second] = try_all(integration, "sent")
    assert figures(ours).recovered.count == 0

    hear(integration, second, "delivered")
    hear(integration, second, "read")
    hear(integration, first, "delivered")

    found = figures(ours).recovered
    assert (found.count, found.credits, found.cost_of_one) == (1, 1, 1.0)
    assert found.median == pytest.approx(600, rel=0.06)
    message.refresh_from_db()
    assert message.recovered_by == 1
    agree()


def test_who_arrives_by_the_first_try_after_all_is_no_recovery(
    ours: World, integration: Integration
) -> None:
    ours.message(integration=integration)
    [first] = try_all(integration, "unknown")

    hear(integration, first, "delivered")

    assert figures(ours).recovered.count == 0
    agree()


def test_a_retry_recovers_from_the_first_failure_of_the_chain(ours: World) -> None:
    source = finished(ours, "failed")
    an_hour_ago = timezone.now() - timedelta(hours=1)
    rows_of(source).update(first_failed_at=an_hour_ago)
    run_retry(source, ours, "delivered")

    message = Message.objects.order_by("-pk")[0]

    assert message.first_failed_at == an_hour_ago
    assert message.recovered_by == 1
    assert message.recovered_in == pytest.approx(3600, rel=0.05)
    assert figures(ours).recovered.median == pytest.approx(3600, rel=0.06)


def test_by_channel_and_integration(ours: World, integration: Integration) -> None:
    other = ours.integration()
    pace.take_lease(other.pk, uuid.uuid4())
    ours.message(integration=integration)
    ours.message(integration=other)
    try_all(integration, "failed")
    try_all(other, "delivered")
    again(ours)
    try_all(integration, "delivered")

    found = figures(ours)

    busy, calm = found.parts
    assert (busy.integration_id, busy.first, busy.resends) == (
        integration.pk,
        Rate(0, 1),
        Rate(1, 0),
    )
    assert (busy.recovered.count, calm.recovered.count) == (1, 0)
    [whatsapp] = found.channels
    assert (whatsapp.channel, whatsapp.first) == ("whatsapp", Rate(1, 1))
    narrowed = figures(ours, integration_id=other.pk)
    assert rates(narrowed) == [Rate(1, 0)]
    assert figures(ours, channel="sms").is_empty


def test_nothing_of_another_organization(
    ours: World, theirs: World, integration: Integration
) -> None:
    ours.message(integration=integration)
    try_all(integration, "failed")
    again(ours)
    try_all(integration, "delivered")

    assert figures(theirs).is_empty
    assert figures(theirs, integration_id=integration.pk).is_empty
    assert figures(theirs).recovered.count == 0
    assert figures(theirs).causes == ()


def test_no_rows_are_needed(
    ours: World,
    integration: Integration,
    django_assert_num_queries: object,
) -> None:
    ours.message(integration=integration)
    try_all(integration, "failed")
    again(ours)
    try_all(integration, "delivered")
    Attempt.objects.all().delete()
    Message.objects.all().delete()

    with django_assert_num_queries(3):  # type: ignore[operator]
        found = figures(ours)

    assert rates(found) == [Rate(0, 1), Rate(1, 0)]
    assert found.recovered.count == 1
    agree()


def test_the_last_bar_collects_what_comes_later(
    ours: World, integration: Integration
) -> None:
    ours.message(integration=integration)
    for _ in range(7):
        try_all(integration, "failed")
        again(ours)
    try_all(integration, "delivered")

    found = figures(ours)

    assert found.by_number[5].rate == Rate(1, 2)
    assert found.by_number[5].label == "Resend 5 or later"


@pytest.mark.parametrize("code", ["resend_admin:not_sent", "whatsapp:auth_failed"])
def test_what_was_given_back_is_no_try(
    ours: World, integration: Integration, code: str
) -> None:
    ours.message(integration=integration)
    give_back(integration, code)

    assert rates(figures(ours)) == []
    assert figures(ours).causes == ()
    assert not DailyFigure.objects.filter(kind__in=["try", "failure"], count__gt=0)
    agree()


@pytest.mark.parametrize("code", ["resend_admin:not_sent", "whatsapp:auth_failed"])
def test_whoever_was_given_back_is_tried_for_the_same_cause_as_before(
    ours: World, integration: Integration, code: str
) -> None:
    ours.message(integration=integration)
    ours.message(integration=integration)
    try_all(integration, "failed", "delivered", code="whatsapp:131026")
    again(ours)
    give_back(integration, code)
    ours.rest()
    give_back(integration, code)
    ours.rest()

    try_all(integration, "delivered")

    found = figures(ours)
    assert [(one.code, one.retried) for one in found.causes] == [
        ("whatsapp:131026", Rate(1, 0))
    ]
    assert rates(found) == [Rate(1, 1), Rate(1, 0)]
    agree()


@pytest.mark.parametrize("code", ["resend_admin:not_sent", "whatsapp:auth_failed"])
def test_whoever_is_first_tried_after_a_pause_got_it_at_once(
    ours: World, integration: Integration, code: str
) -> None:
    ours.message(integration=integration)
    give_back(integration, code)
    ours.rest()

    try_all(integration, "delivered")

    stand = DailyFigure.objects.filter(kind="standing", count__gt=0)
    assert [one.outcome for one in stand] == ["delivered"]
    assert figures(ours).causes == ()
    agree()


def test_a_period_ends_where_it_says(ours: World, integration: Integration) -> None:
    ours.message(integration=integration, day=date(2026, 1, 1))
    try_all(integration, "delivered")

    new_year = date(2026, 1, 1)
    found = report(Scope(ours.organization, new_year, new_year))
    after = report(Scope(ours.organization, date(2026, 1, 2), date(2026, 1, 3)))

    assert rates(found) == [Rate(1, 0)]
    assert [one.total for one in found.days] == [1]
    assert [one.total for one in after.days] == [0, 0]
    assert after.is_empty


def test_planted_differences_are_found(ours: World, integration: Integration) -> None:
    ours.message(integration=integration)
    try_all(integration, "failed")
    again(ours)
    try_all(integration, "delivered")
    agree()

    Recovery.objects.update(credits=5)
    [credits] = recovery_differences()
    assert (credits["tallied_credits"], credits["counted_credits"]) == (5, 1)
    # Daily figures follow their counters, right or wrong.
    assert figure_differences() == []

    DailyFigure.objects.filter(kind="try", outcome="failed").update(count=9)
    [figure] = figure_differences()
    assert (figure["kind"], figure["tallied"], figure["counted"]) == ("try", 9, 1)

    with pytest.raises(CommandError, match="2 counters differ"):
        call_command("check_tallies")
