"""What the dialog says before anybody confirms."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from messaging.bulk import verdict as verdicts
from messaging.models import (
    CreditAccount,
    Integration,
)
from tests.factories import World
from tests.messaging.bulk.steps import (
    Fail,
    chosen,
    shown,
)

pytestmark = pytest.mark.django_db


def test_the_verdict_counts_per_cause(ours: World, fail: Fail) -> None:
    for _ in range(3):
        fail("whatsapp:131000")
    fail("whatsapp:131047")
    fail("whatsapp:131026")
    fail("whatsapp:131049")
    fail("whatsapp:timeout", "unknown")
    fail("", "delivered")

    seen = shown(ours)

    found = {
        (line.code, line.error.code if line.error else ""): line.count
        for line in seen.lines
    }
    assert found == {
        ("queued", "whatsapp:131000"): 3,
        ("queued", "whatsapp:131049"): 1,
        ("may_have_arrived", ""): 1,
        ("fix_first", "whatsapp:131047"): 1,
        ("will_not_help", "whatsapp:131026"): 1,
        ("already_delivered", ""): 1,
    }
    assert (seen.total, seen.candidates, seen.queued, seen.risky) == (8, 7, 4, 1)
    [waits] = [line for line in seen.lines if line.wait]
    assert timedelta(hours=22) < timedelta(seconds=waits.wait) <= timedelta(hours=24)


def test_the_verdict_says_what_it_costs(
    ours: World, fail: Fail, whatsapp: Integration
) -> None:
    Integration.objects.update(credit_price=30_000)
    CreditAccount.objects.update(available=50_000)
    for _ in range(2):
        fail()

    seen = shown(ours)

    assert (seen.queued, seen.cost, seen.credits) == (2, 60_000, 50_000)
    assert seen.lacks_credits


def test_the_verdict_at_a_later_time_is_another(ours: World, fail: Fail) -> None:
    fail()
    at = timezone.now() + timedelta(hours=48)

    seen = verdicts.verdict(chosen(ours), ours.organization, at)

    assert [line.code for line in seen.lines] == ["too_old"]
