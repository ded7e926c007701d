"""Holds that nobody settles are given back, and a late delivery still charges."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from messaging import credits, receipts
from messaging.audit import ledger_differences
from messaging.channels.contract import Event, EventKind
from messaging.dispatch import pace
from messaging.models import Attempt, CreditEntry, Integration
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


@pytest.mark.parametrize("state", ["sent", "unknown"])
def test_a_hold_of_which_nothing_is_heard_is_released_once(
    ours: World, theirs: World, whatsapp: Integration, state: str
) -> None:
    code = "" if state == "sent" else "whatsapp:timeout"
    failed(ours, whatsapp, state=state, code=code, error_class=code and "unknown")
    assert credits.release_old_holds(ours.organization) == 0
    make_old(31)

    assert credits.release_old_holds(theirs.organization) == 0
    assert credits.release_old_holds(ours.organization) == 1
    assert credits.release_old_holds(ours.organization) == 0
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

    assert credits.release_old_holds(ours.organization) == 1


@pytest.mark.parametrize("amount", [0, -5])
def test_a_top_up_adds_something(ours: World, amount: int) -> None:
    with pytest.raises(ValueError, match="above 0"):
        credits.top_up(organization=ours.organization, amount=amount)
