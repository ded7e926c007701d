"""Tallies as the database would have written them, for the pages that read them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from messaging.models import Integration, Recovery, Tally, TallyUnit
from tests.factories import World

CODE = "whatsapp:131000"
"""Sending again helps: WhatsApp had a fault."""


def today() -> date:
    return timezone.now().date()


def tally(
    world: World,
    integration: Integration,
    unit: str,
    number: int,
    outcome: str,
    count: int,
    **values: Any,
) -> None:
    if not count:
        return
    Tally.objects.create(
        organization=world.organization,
        unit=unit,
        channel=integration.channel,
        integration_id=integration.pk,
        day=values.pop("day", None) or today(),
        attempt_number=number,
        outcome=outcome,
        count=count,
        **values,
    )


def tries(
    world: World,
    integration: Integration,
    number: int,
    *,
    arrived: int = 0,
    failed: int = 0,
    undecided: int = 0,
    **values: Any,
) -> None:
    """Closed attempts: number 1 is the first send, 2 the first resend."""
    values.setdefault("cause_code", CODE if number > 1 else "")
    code = values.pop("code", CODE)
    for outcome, count in (("delivered", arrived), ("unknown", undecided)):
        tally(world, integration, TallyUnit.ATTEMPT, number, outcome, count, **values)
    tally(
        world,
        integration,
        TallyUnit.ATTEMPT,
        number,
        "failed",
        failed,
        error_code=code,
        error_class="retry",
        **values,
    )


def standing(world: World, integration: Integration, **values: Any) -> None:
    """Messages by where they stand now: ``first``, ``later``, ``failed``, …"""
    places = {
        "first": (1, "delivered"),
        "later": (2, "delivered"),
        "unconfirmed": (1, "sent"),
        "waiting": (1, "queued"),
        "unknown": (1, "unknown"),
        "failed": (2, "failed"),
        "skipped": (0, "skipped"),
        "cancelled": (0, "cancelled"),
    }
    counts = {name: values.pop(name, 0) for name in places}
    for name, (number, outcome) in places.items():
        tally(
            world,
            integration,
            TallyUnit.MESSAGE,
            number,
            outcome,
            counts[name],
            **values,
        )


def recovered(
    world: World,
    integration: Integration,
    count: int,
    *,
    credits: int = 0,
    bucket: int = 75,
    **values: Any,
) -> None:
    """Messages that came back; bucket 75 is some two minutes."""
    Recovery.objects.create(
        organization=world.organization,
        channel=integration.channel,
        integration_id=integration.pk,
        day=values.pop("day", None) or today(),
        resend_number=values.pop("resend_number", 1),
        bucket=bucket,
        count=count,
        credits=credits,
        **values,
    )


def month(world: World, days: int = 30) -> Integration:
    """A month as it is: WhatsApp with retries, SMS without."""
    number = world.integration("whatsapp_cloud", name="Main number")
    sms = world.integration("twilio", name="Texts")
    for ago in range(days):
        day = today() - timedelta(days=ago)
        standing(
            world,
            number,
            first=820,
            later=110,
            failed=60,
            unknown=6,
            waiting=4,
            day=day,
        )
        tries(world, number, 1, arrived=820, failed=174, undecided=6, day=day)
        tries(world, number, 2, arrived=90, failed=60, day=day)
        tries(world, number, 3, arrived=20, failed=30, day=day)
        tries(world, number, 4, arrived=1, failed=29, day=day)
        recovered(world, number, 90, credits=90, day=day)
        recovered(world, number, 20, credits=20, bucket=92, resend_number=2, day=day)
        standing(world, sms, first=95, failed=5, day=day)
        tries(world, sms, 1, arrived=95, failed=5, code="sms:30003", day=day)
    return number
