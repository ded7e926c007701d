"""Two runs of a chain in the very same moment: nobody gets it twice.

A retry starts, and another run is resent or arrives; whoever comes second sees what the
first one did.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from broadcasts import fill, freezing
from broadcasts.models import Broadcast
from messaging import audit
from messaging.dispatch import again, pace
from messaging.dispatch.claim import claim
from messaging.dispatch.settle import Result, settle
from messaging.models import Attempt, AttemptState, Integration, Message, MessageState
from tests.at_once import begun_elsewhere
from tests.broadcasts.factories import (
    finished,
    outcomes,
    retried,
    rows_of,
    started,
    states_of,
)
from tests.factories import World
from tests.messaging.test_receipts import tell, told

pytestmark = pytest.mark.django_db(transaction=True)
QUEUED, CANCELLED = MessageState.QUEUED, MessageState.CANCELLED


@pytest.fixture
def made_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freezing, "AT_ONCE", 0)


def start_while(
    made: Broadcast,
    work: Callable[[], object],
    monkeypatch: pytest.MonkeyPatch,
    module: ModuleType,
    step: str,
) -> None:
    """Start a retry; the other thing happens after this step, before its commit."""
    threads: list[threading.Thread] = []
    real = getattr(module, step)

    def stepped(*arguments: Any) -> Any:
        done = real(*arguments)
        threads.append(begun_elsewhere(work))
        return done

    with monkeypatch.context() as patch:
        patch.setattr(module, step, stepped)
        started(made)
    assert threads
    for one in threads:
        one.join()


def in_doubt(message: Message) -> Attempt:
    """Give a message that is in doubt the attempt of which nobody can tell."""
    assert message.integration is not None
    assert message.content is not None
    attempt = Attempt.objects.create(
        organization=message.organization,
        message=message,
        integration=message.integration,
        content=message.content,
        broadcast_id=message.broadcast_id,
        day=message.day,
        number=message.attempt_count,
        price=0,
        state=AttemptState.OPEN,
        channel=message.channel,
        actor="broadcast",
    )
    Attempt.objects.filter(pk=attempt.pk).update(
        state=AttemptState.UNKNOWN,
        closed_at=timezone.now(),
        error_code=message.error_code,
        error_class=message.error_class,
    )
    return attempt


def deliver(attempt: Attempt) -> None:
    tell(attempt.integration, [told(attempt, "delivered")])


def coming_back(integration: Integration) -> list[Result]:
    """Claim what waits; return what a pump says that could not get it out."""
    pace.take_lease(integration.pk, uuid.uuid4())
    under_way = claim(integration, limit=2).attempts
    assert len(under_way) == 2
    came_back = Result(
        0,
        "failed",
        error_code="resend_admin:not_sent",
        error_class="retry",
        again_in=5.0,
    )
    return [replace(came_back, attempt_id=one.attempt_id) for one in under_way]


def resend(message: Message) -> set[int]:
    return again.queue_again([again.Again(message.pk, message.attempt_count)])


@pytest.mark.parametrize("when", ["before", "meanwhile", "after"])
def test_who_arrives_while_planned_rows_start_is_not_sent_to(
    ours: World, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    source = finished(ours, "unknown", "failed")
    attempt = in_doubt(rows_of(source)[0])
    made = retried(source, ours, include_unknown=True)
    assert states_of(made) == [MessageState.PLANNED] * 2

    if when == "before":
        deliver(attempt)
    if when == "meanwhile":
        start_while(made, lambda: deliver(attempt), monkeypatch, fill, "start_planned")
    else:
        started(made)
    if when == "after":
        deliver(attempt)

    assert states_of(made) == [CANCELLED, QUEUED]
    assert audit.tally_differences() == audit.figure_differences() == []


@pytest.mark.usefixtures("made_at_the_start")
def test_who_arrives_while_members_start_is_not_sent_to(
    ours: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = finished(ours, "unknown", "failed")
    attempt = in_doubt(rows_of(source)[0])
    first = started(retried(source, ours, include_unknown=True))
    outcomes(first, "failed", "failed")
    second = retried(first, ours)

    start_while(second, lambda: deliver(attempt), monkeypatch, freezing, "start_page")

    assert states_of(source) == [MessageState.DELIVERED, MessageState.FAILED]
    assert states_of(second) == [CANCELLED, QUEUED]
    assert audit.tally_differences() == audit.figure_differences() == []


@pytest.mark.usefixtures("made_at_the_start")
@pytest.mark.parametrize("aged_out", [False, True])
def test_who_is_resent_by_another_run_while_members_start_gets_it_once(
    ours: World, monkeypatch: pytest.MonkeyPatch, aged_out: bool
) -> None:
    source = finished(ours, "failed")
    if aged_out:
        root, source = source, started(retried(source, ours))
        outcomes(source, "failed")
        # As retention does it: what is left keeps the number of the first one.
        rows_of(root)._raw_delete("default")
    first = started(retried(source, ours))
    [sibling] = outcomes(first, "failed")
    second = retried(source, ours)

    start_while(second, lambda: resend(sibling), monkeypatch, freezing, "start_page")

    assert states_of(first) == [MessageState.FAILED]
    assert states_of(second) == [QUEUED]


def test_who_arrives_by_one_run_while_another_is_resent_is_not_sent_to(
    ours: World,
) -> None:
    source = finished(ours, "unknown", "failed")
    first = started(retried(source, ours, include_unknown=True))
    attempt = in_doubt(outcomes(first, "unknown", "failed")[0])
    second = started(retried(first, ours, include_unknown=True))
    failed, _ = outcomes(second, "failed", "failed")

    with transaction.atomic():
        assert resend(failed)
        receipt = begun_elsewhere(lambda: deliver(attempt))
    receipt.join()

    assert states_of(first) == [MessageState.DELIVERED, MessageState.FAILED]
    assert states_of(second) == [CANCELLED, MessageState.FAILED]


@pytest.mark.parametrize("when", ["before", "meanwhile", "after"])
def test_who_arrives_while_a_retry_comes_back_is_not_sent_to(
    ours: World, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    source = finished(ours, "unknown", "failed")
    attempt = in_doubt(rows_of(source)[0])
    made = started(retried(source, ours, include_unknown=True))
    back = coming_back(attempt.integration)
    if when == "before":
        deliver(attempt)

    with transaction.atomic():
        settle(attempt.integration, back, in_chain=True)
        receipt = (
            begun_elsewhere(lambda: deliver(attempt)) if when == "meanwhile" else None
        )
    if receipt:
        receipt.join()
    if when == "after":
        deliver(attempt)

    assert states_of(made) == [CANCELLED, QUEUED]
    assert audit.tally_differences() == audit.figure_differences() == []


def test_what_comes_back_while_somebody_arrives_is_not_sent(ours: World) -> None:
    source = finished(ours, "unknown", "failed")
    attempt = in_doubt(rows_of(source)[0])
    made = started(retried(source, ours, include_unknown=True))
    back = coming_back(attempt.integration)

    with transaction.atomic():
        deliver(attempt)
        pump = begun_elsewhere(lambda: settle(attempt.integration, back, in_chain=True))
    pump.join()

    assert states_of(made) == [CANCELLED, QUEUED]
