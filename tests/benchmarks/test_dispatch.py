"""A small run of the dispatch benchmark: whatever its speed, all of it is recorded."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.utils import timezone

from benchmarks.contenders.ours import check_records
from broadcasts.models import Broadcast, BroadcastKind, BroadcastState
from messaging.dispatch import pace
from messaging.dispatch.claim import claim
from messaging.dispatch.settle import Result, settle
from resend_admin.local.problem import StartError
from tests.factories import World

SMALL_RUN = """
from benchmarks.contenders import peers
from benchmarks.contenders.arena import arena
from benchmarks.stage import open_stage

with open_stage() as stage:
    at = arena(stage)
    from benchmarks.contenders.ours import Ours

    assert peers.bare(at, "bare", 200, at.provider()).messages == 200
    assert Ours(at, 200).measure("ours", 200, at.provider()).messages == 200
    assert at.counts() == {"accepted": 400, "references": 400}
"""


def test_two_hundred_messages_leave_once_and_every_record_agrees() -> None:
    run = subprocess.run(
        [sys.executable, "-c", SMALL_RUN], capture_output=True, text=True, check=False
    )

    assert run.returncode == 0, run.stdout + run.stderr
    assert "ours: " in run.stdout


@pytest.mark.django_db
def test_a_record_that_is_missing_is_noticed(ours: World) -> None:
    integration = ours.integration(credit_price=0)
    broadcast = Broadcast.objects.create(
        organization=ours.organization,
        name="Small",
        kind=BroadcastKind.TEMPLATE,
        state=BroadcastState.SENDING,
        run_at=timezone.now(),
    )
    ours.message(integration=integration, broadcast_id=broadcast.pk)
    pace.prepare(integration.pk)
    [claimed] = claim(integration, limit=1).attempts
    settle(integration, [Result(claimed.attempt_id, "sent", provider_id="a")])

    with pytest.raises(StartError, match="0 attempts; 0 credits held"):
        check_records(broadcast, 1)
