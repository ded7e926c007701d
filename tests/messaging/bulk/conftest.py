"""Messages that failed an hour ago."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from messaging.models import Integration, Message
from tests.factories import World
from tests.messaging.bulk.steps import Fail


@pytest.fixture
def whatsapp(ours: World) -> Integration:
    return ours.integration()


@pytest.fixture
def fail(ours: World, whatsapp: Integration) -> Fail:
    """Make a message that failed an hour ago."""
    content = ours.text()

    def make(
        code: str = "whatsapp:131000", state: str = "failed", **values: Any
    ) -> Message:
        past = timezone.now() - timedelta(hours=1)
        values.setdefault("attempt_count", 1)
        values.setdefault("integration", whatsapp)
        if state == "delivered":
            values.setdefault("delivered_at", past)
        message = ours.message(
            state, content=content, error_code=code, error_class="retry", **values
        )
        Message.objects.filter(pk=message.pk).update(
            created_at=values.get("created_at", past), state_at=past
        )
        return message

    return make
