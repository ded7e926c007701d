"""The Celery application: it carries doorbells between processes."""

from __future__ import annotations

import os

from celery import Celery
from kombu.transport.redis import Channel

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resend_admin.settings")

app = Celery("resend_admin")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# A ring that was taken needs no receipt and is never put back: beat rings again within
# a second. Doing so while the broker is away ends the whole worker (kombu 5.7).
Channel.ack_emulation = False
Channel.do_restore = False
