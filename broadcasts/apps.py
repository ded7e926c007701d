"""Many messages, one decision."""

from __future__ import annotations

from django.apps import AppConfig


class BroadcastsConfig(AppConfig):
    name = "broadcasts"
    verbose_name = "Broadcasts"
