"""Wake a courier. A lost ring costs at most the second until beat rings."""

from __future__ import annotations

from functools import partial

from django.db import transaction

from messaging.dispatch import doorbell

DELIVER = "messaging.tasks.deliver_webhooks"


def ring_on_commit() -> None:
    transaction.on_commit(partial(doorbell.call, DELIVER))
