"""The Celery application: it carries doorbells between processes."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resend_admin.settings")

app = Celery("resend_admin")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
