"""The project: settings, addresses, and what is shared by every part."""

from __future__ import annotations

from resend_admin.celery import app as celery_app

__all__ = ["celery_app"]
