"""The tick: late, finished, idle."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from broadcasts import run
from broadcasts.models import Broadcast, BroadcastState
from messaging.dispatch import pace
from messaging.dispatch.claim import claim
from messaging.dispatch.settle import Result, settle
from messaging.models import Integration, IntegrationState, Message, MessageState
from tests.broadcasts.factories import (
    finished,
    retried,
    rows_of,
    scheduled,
    stand,
    started,
    states_of,
)
from tests.factories import World


@pytest.mark.django_db
def test_what_was_due_while_nothing_ran_fails_and_says_so(ours: World) -> None:
    ours.contact()
    late, on_time = scheduled(ours), scheduled(ours)
    now = timezone.now()
    Broadcast.objects.filter(pk=late.pk).update(run_at=now - timedelta(seconds=301))
    Broadcast.objects.filter(pk=on_time.pk).update(run_at=now - timedelta(seconds=290))

    run.tick()

    late.refresh_from_db()
    on_time.refresh_from_db()
    assert late.state == BroadcastState.FAILED
    assert "It was due on" in late.state_reason
    assert "Clone it" in late.state_reason
    assert not rows_of(late).exists()
    assert on_time.state == BroadcastState.SENDING


@pytest.mark.django_db
def test_a_late_retry_fails_and_its_members_can_be_retried_again(
    ours: World,
) -> None:
    source = finished(ours, "failed")
    retry = retried(source, ours)
    Broadcast.objects.filter(pk=retry.pk).update(
        run_at=timezone.now() - timedelta(hours=8)
    )

    run.tick()

    retry.refresh_from_db()
    assert (retry.state, retry.is_settling) == ("failed", False)
    assert states_of(retry) == ["cancelled"]
    assert retried(source, ours)


@pytest.mark.django_db
def test_a_broadcast_is_complete_once_no_row_waits(ours: World) -> None:
    for _ in range(2):
        ours.contact()
    broadcast = started(scheduled(ours))
    first, second = rows_of(broadcast)
    for state in (MessageState.QUEUED, MessageState.SENDING, MessageState.FAILED):
        broadcast.refresh_from_db()
        assert broadcast.state == BroadcastState.SENDING
        stand(Message.objects.filter(pk=first.pk), state)
        run.tick()
    stand(Message.objects.filter(pk=second.pk), MessageState.UNKNOWN)

    run.tick()

    broadcast.refresh_from_db()
    assert broadcast.state == BroadcastState.COMPLETED
    assert broadcast.finished_at is not None


@pytest.mark.django_db
def test_a_tick_without_work_asks_little(
    ours: World, django_assert_max_num_queries: Callable[[int], object]
) -> None:
    finished(ours, "delivered", "failed")

    with django_assert_max_num_queries(8):  # type: ignore[attr-defined]
        run.tick()


@pytest.mark.django_db
def test_a_run_that_was_refused_with_its_credentials_is_not_over(ours: World) -> None:
    for _ in range(3):
        ours.contact()
    broadcast = started(scheduled(ours))
    integration = rows_of(broadcast)[0].integration
    assert integration is not None
    refuse_credentials(integration)
    assert set(states_of(broadcast)) == {MessageState.QUEUED}

    run.tick()

    broadcast.refresh_from_db()
    assert broadcast.state == BroadcastState.SENDING

    stand(rows_of(broadcast), MessageState.SENT)
    run.tick()
    broadcast.refresh_from_db()
    assert broadcast.state == BroadcastState.COMPLETED


def refuse_credentials(integration: Integration) -> None:
    """Let the engine try all that is due, and the provider take no credentials."""
    pace.take_lease(integration.pk, uuid.uuid4())
    answers = [
        Result(
            claimed.attempt_id,
            "failed",
            error_code="whatsapp:auth_failed",
            error_class="fix_first",
            again_in=0.0,
        )
        for claimed in claim(integration, limit=50).attempts
    ]
    assert answers
    settle(integration, answers)
    integration.refresh_from_db()
    assert integration.state == IntegrationState.PAUSED


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("error_code", "attempt_count", "given_back", "state"),
    [
        ("whatsapp:131000", 1, 0, BroadcastState.COMPLETED),
        ("resend_admin:not_sent", 1, 1, BroadcastState.SENDING),
        ("whatsapp:auth_failed", 3, 3, BroadcastState.SENDING),
        ("whatsapp:auth_failed", 2, 1, BroadcastState.COMPLETED),
    ],
)
def test_a_run_waits_for_a_first_try_and_not_for_automatic_retries(
    ours: World, error_code: str, attempt_count: int, given_back: int, state: str
) -> None:
    ours.contact(whatsapp_inbound_at=timezone.now())
    broadcast = started(scheduled(ours))
    rows_of(broadcast).update(
        state=MessageState.QUEUED,
        attempt_count=attempt_count,
        given_back=given_back,
        error_code=error_code,
        error_class="retry",
        due_at=timezone.now() + timedelta(hours=1),
    )

    run.tick()

    broadcast.refresh_from_db()
    assert broadcast.state == state
