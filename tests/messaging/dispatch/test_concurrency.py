"""Many workers, one message each: nothing twice, nothing below zero."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from messaging.audit import ledger_differences, tally_differences
from messaging.dispatch import pace, pulse, pump
from messaging.dispatch.claim import claim
from messaging.dispatch.settle import Result, settle
from messaging.models import Attempt, Integration, IntegrationPace, Message
from resend_admin.sandbox.log import accepted_twice, read
from resend_admin.sandbox.thread import Sandbox
from tests.factories import World

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(number: int, work: Callable[[int], Any]) -> list[Any]:
    """Run the same work in threads that start together; each has its connection."""
    start = threading.Barrier(number)

    def run(index: int) -> Any:
        try:
            start.wait()
            return work(index)
        finally:
            connection.close()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))


@pytest.fixture
def integration(ours: World) -> Integration:
    made = ours.integration()
    pace.take_lease(made.pk, uuid.uuid4())
    return made


def test_eight_claimers_open_one_attempt_per_message(
    ours: World, integration: Integration
) -> None:
    content = ours.text()
    for _ in range(200):
        ours.message(integration=integration, content=content)

    def work(index: int) -> list[int]:
        mine: list[int] = []
        while attempts := claim(integration, limit=7).attempts:
            mine += [one.message_id for one in attempts]
        return mine

    claimed = [pk for mine in at_once(8, work) for pk in mine]

    assert len(claimed) == len(set(claimed)) == 200
    assert Attempt.objects.count() == 200
    assert tally_differences() == []


def test_the_balance_never_falls_below_zero(
    ours: World, integration: Integration
) -> None:
    Integration.objects.update(credit_price=20_000)
    content = ours.text()
    for _ in range(80):
        ours.message(integration=integration, content=content)

    def work(index: int) -> int:
        number = 0
        while (claimed := claim(integration, limit=5)).taken:
            number += len(claimed.attempts)
        return number

    assert sum(at_once(6, work)) == 50
    assert (ours.account.available, ours.account.held) == (0, 1_000_000)
    assert Message.objects.filter(state="failed").count() == 30
    assert ledger_differences() == []


def test_claims_and_settles_that_cross_do_not_deadlock(
    ours: World, integration: Integration
) -> None:
    content = ours.text()
    for _ in range(400):
        ours.message(integration=integration, content=content)

    def work(index: int) -> int:
        number = 0
        while attempts := claim(integration, limit=20).attempts:
            results = [
                Result(one.attempt_id, "delivered")
                if one.attempt_id % 3
                else Result(
                    one.attempt_id,
                    "failed",
                    error_code="whatsapp:131026",
                    error_class="never",
                )
                for one in reversed(attempts)
            ]
            number += settle(integration, results)
        return number

    assert sum(at_once(6, work)) == 400
    assert tally_differences() == []
    assert ledger_differences() == []


def test_the_slots_of_the_rate_are_shared_by_all_workers(
    ours: World, integration: Integration
) -> None:
    Integration.objects.update(rate_per_second=100)
    content = ours.text()
    for _ in range(100):
        ours.message(integration=integration, content=content)
    begun = timezone.now()

    taken = at_once(5, lambda index: len(claim(integration, limit=8).attempts))

    # Forty slots of a hundredth of a second, one after the other, whoever took them.
    paid = IntegrationPace.objects.get().paid_until
    assert taken == [8] * 5
    assert paid is not None
    assert paid - begun >= timedelta(seconds=0.4)
    assert paid - timezone.now() <= timedelta(seconds=0.4)


def test_pumps_side_by_side_send_each_message_once(
    ours: World, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulse.beat()
    integration = ours.integration(
        settings={"base_url": sandbox.base_url("whatsapp_cloud")}
    )
    content = ours.text()
    for _ in range(300):
        ours.message(integration=integration, content=content)

    pace.take_lease(integration.pk, uuid.uuid4())
    # Every pump holds the lease: it saves work and must guard nothing.
    monkeypatch.setattr(pace, "take_lease", lambda *arguments: True)

    settled = at_once(4, lambda index: pump.run(integration.pk))

    assert sum(settled) == 300
    entries = read(sandbox.log)
    assert len([entry for entry in entries if entry.accepted]) == 300
    assert accepted_twice(entries) == []
    assert Counter(Message.objects.values_list("state", flat=True)) == {"sent": 300}


def test_a_second_pump_leaves_the_first_alone(ours: World) -> None:
    integration = ours.integration()
    ours.message(integration=integration)
    assert pace.take_lease(integration.pk, uuid.uuid4())

    assert pump.run(integration.pk) == 0
    assert Message.objects.get().state == "queued"
