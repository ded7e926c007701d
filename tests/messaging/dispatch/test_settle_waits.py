"""An answer that is settled while somebody else is writing to the same attempt."""

from __future__ import annotations

import threading

import psycopg
import pytest
from django.conf import settings

from messaging.dispatch import pace
from messaging.dispatch.claim import claim
from messaging.dispatch.settle import Result, settle
from messaging.models import Attempt
from tests.factories import World


@pytest.mark.django_db(transaction=True)
def test_it_waits_and_believes_what_was_written(ours: World) -> None:
    integration = ours.integration()
    pace.prepare(integration.pk)
    ours.message(integration=integration)
    (open_one,) = claim(integration, limit=1).attempts
    at = settings.DATABASES["default"]
    with psycopg.connect(
        host=at["HOST"],
        port=at["PORT"],
        user=at["USER"],
        password=at["PASSWORD"],
        dbname=at["NAME"],
    ) as receipt:
        receipt.execute(
            "UPDATE messaging_attempt SET state = 'delivered', closed_at = now(),"
            " delivered_at = now() WHERE id = %s",
            [open_one.attempt_id],
        )
        committing = threading.Timer(0.3, receipt.commit)
        committing.start()

        closed = settle(integration, [Result(open_one.attempt_id, "sent")])
        committing.join()

    assert closed == 0
    assert Attempt.objects.get().state == "delivered"
