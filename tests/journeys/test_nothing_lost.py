"""Kill whatever runs, empty the broker: everybody is accounted for, nobody twice."""

from __future__ import annotations

from collections import Counter

import pytest

from broadcasts.models import Broadcast
from messaging.audit import ledger_differences, tally_differences
from messaging.models import Attempt, Message
from resend_admin.sandbox.log import accepted_twice
from resend_admin.sandbox.thread import Sandbox
from tests.journeys.conftest import Club
from tests.journeys.engine import Engine, empty_broker, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

MEMBERS = 400


def sent_so_far() -> int:
    return Attempt.objects.exclude(state="open").count()


def is_finished(broadcast: Broadcast) -> bool:
    broadcast.refresh_from_db()
    return broadcast.state == "completed"


def check_the_books(sandbox: Sandbox) -> None:
    """Hold the database against the witness's own log."""
    accepted = Counter(entry.reference for entry in sandbox.accepted())
    assert accepted_twice(sandbox.entries()) == []
    assert Message.objects.count() == MEMBERS
    for attempt in Attempt.objects.select_related("message"):
        took_it = accepted[f"{attempt.pk}:0"] == 1
        if attempt.state in {"sent", "delivered", "read"}:
            assert took_it
        elif attempt.state == "failed" and attempt.http_status != 200:
            assert not took_it
        else:
            assert attempt.state in {"failed", "unknown"}
    assert tally_differences() == []
    assert ledger_differences() == []


def test_a_broadcast_survives_kills_and_an_empty_broker(
    club: Club, engine: Engine, sandbox: Sandbox
) -> None:
    club.members(MEMBERS)
    broadcast = club.due_broadcast("Stormy")

    wait_until(lambda: sent_so_far() > 60, "the first messages were sent")
    engine.kill_worker()
    empty_broker()
    engine.start_worker()
    wait_until(lambda: sent_so_far() > 160, "the new worker goes on")
    engine.kill_beat()
    engine.kill_worker()
    empty_broker()
    engine.start_beat()
    engine.start_worker()

    wait_until(lambda: is_finished(broadcast), "the broadcast is finished")
    states = Counter(Message.objects.values_list("state", flat=True))
    assert set(states) <= {"sent", "delivered", "read", "unknown"}
    assert states["unknown"] < MEMBERS / 2
    check_the_books(sandbox)


def test_a_worker_that_is_asked_to_stop_leaves_nothing_unknown(
    club: Club, engine: Engine, sandbox: Sandbox
) -> None:
    club.members(MEMBERS)
    broadcast = club.due_broadcast("Deployed in the middle")

    wait_until(lambda: sent_so_far() > 60, "the first messages were sent")
    engine.stop_worker()
    assert not Attempt.objects.filter(state="open").exists()
    engine.start_worker()

    wait_until(lambda: is_finished(broadcast), "the broadcast is finished")
    assert not Message.objects.filter(state="unknown").exists()
    check_the_books(sandbox)
