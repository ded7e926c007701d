"""Messages to one person at a time."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class MessagingConfig(AppConfig):
    name = "messaging"
    verbose_name = "Messaging"

    def ready(self) -> None:
        """Have groups made where Django has permissions made: after migrations."""
        from messaging.models.rights import prepare_groups

        post_migrate.connect(prepare_groups, sender=self)
