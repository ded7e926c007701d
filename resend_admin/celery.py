"""The Celery application: it carries doorbells between processes."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init, worker_ready
from kombu.transport.redis import Channel

from resend_admin import garbage

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resend_admin.settings")

app = Celery("resend_admin")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# A ring that was taken needs no receipt and is never put back: beat rings again within
# a second. Doing so while the broker is away ends the whole worker (kombu 5.7).
Channel.ack_emulation = False
Channel.do_restore = False


@worker_init.connect
@worker_ready.connect
def expect_little_garbage(**kwargs: Any) -> None:
    """Before a pool forks its children, and once everything is loaded."""
    garbage.expect_little()
