"""Holds that nobody settles are given back, and a late delivery still charges."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from messaging import credits, receipts
from messaging.audit import ledger_differences
from messaging.channels.contract import Event, EventKind
from messaging.dispatch import pace
from messaging.dispatch.claim import claim
from messaging.dispatch.settle import Result, settle
from messaging.models import Attempt, CreditAccount, CreditEntry, Integration
from tests.factories import World
from tests.messaging.test_resend import failed

pytestmark = pytest.mark.django_db


@pytest.fixture
def whatsapp(ours: World) -> Integration:
    made = ours.integration()
    pace.prepare(made.pk)
    return made


def make_old(days: int) -> None:
    Attempt.objects.update(opened_at=timezone.now() - timedelta(days=days))


def released(world: World, *, limit: int = 1_000) -> int:
    return credits.release_old_holds(world.organization, limit=limit).number


def held_by(world: World, integration: Integration, number: int) -> list[Attempt]:
    """Send so many messages, of which nothing is heard; return their attempts."""
    for _ in range(number):
        failed(world, integration, state="sent", code="", error_class="")
    return list(Attempt.objects.order_by("pk"))


@pytest.mark.parametrize("state", ["sent", "unknown"])
def test_a_hold_of_which_nothing_is_heard_is_released_once(
    ours: World, theirs: World, whatsapp: Integration, state: str
) -> None:
    code = "" if state == "sent" else "whatsapp:timeout"
    failed(ours, whatsapp, state=state, code=code, error_class=code and "unknown")
    assert released(ours) == 0
    make_old(31)

    assert released(theirs) == 0
    assert released(ours) == 1
    assert released(ours) == 0
    assert (ours.account.available, ours.account.held) == (1_000_000, 0)
    assert ledger_differences() == []


def test_a_delivery_that_is_reported_later_still_charges(
    ours: World, whatsapp: Integration
) -> None:
    message = failed(ours, whatsapp, state="sent", code="", error_class="")
    make_old(31)
    credits.release_old_holds(ours.organization)

    attempt = message.attempts.get()
    event = Event(
        key="late",
        kind=EventKind.STATUS,
        raw={},
        reference=f"{attempt.pk}:0",
        state="delivered",
    )
    receipts.store(whatsapp, [event])
    receipts.apply()

    assert CreditEntry.objects.filter(step="charge").count() == 1
    assert (ours.account.available, ours.account.held) == (999_999, 0)
    assert ledger_differences() == []


def test_rows_that_are_kept_shorter_release_earlier(
    ours: World, whatsapp: Integration
) -> None:
    failed(ours, whatsapp, state="sent", code="", error_class="")
    make_old(8)
    ours.organization.retention_days = 7

    assert released(ours) == 1


def test_what_is_too_young_is_looked_at_again(
    ours: World, whatsapp: Integration
) -> None:
    _, second, _ = held_by(ours, whatsapp, 3)
    young = timezone.now() - timedelta(days=29)
    make_old(31)
    Attempt.objects.filter(pk=second.pk).update(opened_at=young)

    assert released(ours) == 2
    assert released(ours) == 0
    make_old(31)
    assert released(ours) == 1
    assert ours.account.held == 0
    assert ledger_differences() == []


def test_an_attempt_that_is_still_open_is_looked_at_again(
    ours: World, whatsapp: Integration
) -> None:
    ours.message(integration=whatsapp)
    [claimed] = claim(whatsapp, limit=1).attempts
    held_by(ours, whatsapp, 1)
    make_old(31)

    assert released(ours) == 1
    settle(whatsapp, [Result(claimed.attempt_id, "sent")])
    assert released(ours) == 1
    assert ours.account.held == 0


def test_each_line_is_walked_once(ours: World, whatsapp: Integration) -> None:
    held_by(ours, whatsapp, 5)
    make_old(31)

    walks = [credits.release_old_holds(ours.organization, limit=2) for _ in range(7)]

    # A top-up and five holds, and then the five lines that released them.
    in_twos = [(1, True), (2, True), (2, True), (0, True), (0, True)]
    assert walks == [*in_twos, (0, False), (0, False)]
    assert ours.account.settled_to == CreditEntry.objects.latest("pk").pk
    assert ledger_differences() == []


@pytest.mark.django_db(transaction=True)
def test_what_somebody_else_holds_is_looked_at_again(
    ours: World, whatsapp: Integration
) -> None:
    first, _ = held_by(ours, whatsapp, 2)
    make_old(31)

    def elsewhere() -> int:
        try:
            return released(ours)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        Attempt.objects.select_for_update().get(pk=first.pk)
        assert pool.submit(elsewhere).result() == 1
    assert released(ours) == 1
    assert ours.account.held == 0


def test_a_hold_that_nobody_would_look_for_is_a_difference(
    ours: World, whatsapp: Integration
) -> None:
    [attempt] = held_by(ours, whatsapp, 1)
    assert ledger_differences() == []
    hold = CreditEntry.objects.get(step="hold")

    CreditAccount.objects.update(settled_to=hold.pk)

    [difference] = ledger_differences()
    assert difference["attempt_id"] == attempt.pk
    assert f"still held by line {hold.pk}" in difference["difference"]


@pytest.mark.parametrize("amount", [0, -5])
def test_a_top_up_adds_something(ours: World, amount: int) -> None:
    with pytest.raises(ValueError, match="above 0"):
        credits.top_up(organization=ours.organization, amount=amount)
