"""Doors for Celery: each fetches and calls, and none of them is the truth."""

from __future__ import annotations

import os
import signal
from typing import Any

from celery import shared_task
from celery.signals import worker_process_init, worker_shutting_down

from messaging import api_clients, idempotency, receipts, sessions, sign_in_pace
from messaging.audio import jobs as audio_jobs
from messaging.bulk import running as bulk_running
from messaging.devices import checking as device_checking
from messaging.devices import noting as device_noting
from messaging.dispatch import doorbell, pace, pulse
from messaging.dispatch import rescue as rescuing
from messaging.dispatch.pumps import pumps
from messaging.dispatch.stopping import stopping
from messaging.retransmission import tending as retransmission_tending
from messaging.webhooks import courier, tending
from messaging.webhooks import doorbell as webhook_doorbell

_LOADED_IN = os.getpid()
"""The worker itself; the children of its pool are forked from it later."""


@shared_task(name="messaging.tasks.ring")
def ring() -> None:
    """Beat's safety net: whatever is due is found within a second."""
    pulse.beat()
    doorbell.ring()


@shared_task(name=doorbell.DISPATCH)
def dispatch(integration_id: int) -> None:
    pulse.beat()
    pumps.keep(integration_id)


@shared_task(name="messaging.tasks.rescue")
def rescue() -> None:
    rescuing.rescue()


@shared_task(name=doorbell.APPLY_RECEIPTS)
def apply_receipts() -> None:
    receipts.apply()


@shared_task(name=bulk_running.TASK)
def run_bulk_resends() -> None:
    bulk_running.run()


@shared_task(name="messaging.tasks.prune_bulk_resends")
def prune_bulk_resends() -> None:
    bulk_running.prune()


@shared_task(name="messaging.tasks.prune_pairs")
def prune_pairs() -> None:
    """Forget to whom messages went longer ago than their provider counts."""
    pace.prune_pairs()


@shared_task(name="messaging.tasks.prune_api")
def prune_api() -> None:
    """Forget answers that nobody may ask for again, and what has expired."""
    idempotency.prune()
    api_clients.prune_tokens()
    sessions.prune()
    sign_in_pace.prune()


@shared_task(name="messaging.tasks.tend_retransmissions")
def tend_retransmissions() -> None:
    retransmission_tending.tend()


@shared_task(name="messaging.tasks.prune_retransmissions")
def prune_retransmissions() -> None:
    retransmission_tending.prune()
    audio_jobs.prune()


@shared_task(name="messaging.tasks.check_devices")
def check_devices() -> None:
    device_checking.check_all()


@shared_task(name=device_noting.CHECK_ONE)
def check_device(integration_id: int) -> None:
    """Ask one gateway, because something was heard of its phone."""
    device_checking.check_one(integration_id)


@shared_task(name=audio_jobs.TASK, time_limit=300)
def make_audio() -> None:
    audio_jobs.run()


@shared_task(name=webhook_doorbell.DELIVER)
def deliver_webhooks() -> None:
    courier.run()


@shared_task(name="messaging.tasks.tend_webhooks")
def tend_webhooks() -> None:
    tending.tend()


@shared_task(name="messaging.tasks.prune_webhooks")
def prune_webhooks() -> None:
    tending.prune()


@worker_shutting_down.connect
def finish_open_chunks(**kwargs: Any) -> None:
    """Let pumps end after the chunk that is on its way, in every process."""
    stopping.set()


@worker_process_init.connect
def leave_when_the_parent_says(**kwargs: Any) -> None:
    """Let no child of a pool die of a signal that is meant for the whole worker.

    systemd, for one, sends SIGTERM to every process of a service: a child would
    be gone with its chunk open, while the parent waits for it to be finished.
    """
    if os.getpid() != _LOADED_IN:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
