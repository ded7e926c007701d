"""Rows from before the figures get what the engine would have written on them."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

import messaging.migrations
from messaging.audit import recovery_differences, tally_differences
from messaging.dispatch import pace
from messaging.models import Attempt, Message, Recovery, Tally
from tests.broadcasts.factories import finished
from tests.factories import World
from tests.messaging.figures.test_report import (
    again,
    hear,
    run_retry,
    try_all,
)

pytestmark = pytest.mark.django_db

FOLDER = Path(messaging.migrations.__path__[0]) / "sql"
OF_MESSAGES = (
    "earlier_tries",
    "earlier_error",
    "first_day",
    "first_failed_at",
    "recovered_by",
    "recovered_for",
)
OF_ATTEMPTS = ("chain_offset", "cause_code", "first_failed_at")


def told_by_rows() -> dict[str, list[tuple[Any, ...]]]:
    recoveries = Recovery.objects.exclude(count=0).values_list(
        "broadcast_id", "integration_id", "resend_number", "count", "credits"
    )
    return {
        "messages": list(Message.objects.order_by("pk").values_list(*OF_MESSAGES)),
        "attempts": list(Attempt.objects.order_by("pk").values_list(*OF_ATTEMPTS)),
        "recoveries": sorted(recoveries),
    }


def forget() -> None:
    """Leave the rows as they were before there were such columns."""
    Message.objects.update(
        earlier_tries=0,
        earlier_error="",
        first_day=None,
        first_failed_at=None,
        recovered_by=None,
        recovered_in=None,
        recovered_for=None,
    )
    Attempt.objects.update(chain_offset=0, first_failed_at=None)
    Attempt.objects.filter(number=1).update(cause_code="")


def brought_in_step() -> None:
    with connection.cursor() as cursor:
        cursor.execute((FOLDER / "figures_backfill.sql").read_text())


def clocks_go_on() -> None:
    """Put the attempts into their order; within a test the clock stands still."""
    start = timezone.now() - timedelta(hours=1)
    for place, attempt in enumerate(Attempt.objects.order_by("pk")):
        at = start + timedelta(minutes=place)
        delivered = {"delivered_at": at} if attempt.delivered_at else {}
        Attempt.objects.filter(pk=attempt.pk).update(
            opened_at=at, closed_at=at + timedelta(seconds=5), **delivered
        )
    first: dict[int, Any] = {}
    for attempt in Attempt.objects.select_related("message").order_by("pk"):
        message = attempt.message
        person = message.root_id or message.pk
        if person in first:
            Attempt.objects.filter(pk=attempt.pk).update(first_failed_at=first[person])
        if attempt.state in {"failed", "unknown"}:
            first.setdefault(person, attempt.closed_at)
        if person in first:
            Message.objects.filter(pk=message.pk).update(first_failed_at=first[person])


def test_a_chain_a_resend_and_mail_are_understood(ours: World) -> None:
    whatsapp, mail = ours.integration(), ours.integration("smtp")
    for one in (whatsapp, mail):
        pace.take_lease(one.pk, uuid.uuid4())
    ours.message(integration=whatsapp)
    ours.message(integration=whatsapp)
    ours.message(integration=mail, contact=ours.contact(email="ama@example.org"))
    try_all(whatsapp, "failed", "delivered")
    try_all(mail, "failed")
    again(ours)
    [second] = try_all(whatsapp, "sent")
    try_all(mail, "sent")
    hear(whatsapp, second, "read")
    Message.objects.filter(state="failed").update(state_at=timezone.now())
    clocks_go_on()
    known = told_by_rows()
    assert [row[3] for row in known["recoveries"]] == [1, 1]

    forget()
    assert told_by_rows() != known
    brought_in_step()

    assert told_by_rows() == known
    assert tally_differences() == []
    assert recovery_differences() == []


def test_a_retry_of_a_retry_counts_on(ours: World) -> None:
    source = finished(ours, "failed", "failed")
    first = run_retry(source, ours, "delivered", "failed")
    run_retry(first, ours, "delivered")
    known = told_by_rows()

    forget()
    brought_in_step()

    found = told_by_rows()
    # What failed without an attempt on record failed when its state changed.
    assert [row[:3] for row in found["messages"]] == [
        row[:3] for row in known["messages"]
    ]
    assert [row[:2] for row in found["attempts"]] == [
        row[:2] for row in known["attempts"]
    ]
    assert tally_differences() == []
    assert recovery_differences() == []


def test_what_was_pruned_stays_counted(ours: World) -> None:
    whatsapp = ours.integration()
    pace.take_lease(whatsapp.pk, uuid.uuid4())
    ours.message(integration=whatsapp)
    ours.message(integration=whatsapp)
    try_all(whatsapp, "failed", "delivered")
    gone = Message.objects.filter(state="failed")
    Attempt.objects.filter(message__in=gone).delete()
    gone.delete()
    before = sum(Tally.objects.values_list("count", flat=True))

    brought_in_step()

    assert sum(Tally.objects.values_list("count", flat=True)) == before
    assert sum(Tally.objects.values_list("pruned", flat=True)) == 2
    assert tally_differences() == []
