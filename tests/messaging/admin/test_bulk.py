"""Bulk resends in the admin, also when a message is no longer kept."""

from __future__ import annotations

import pytest
from django.test import Client

from messaging.models import BulkResend, BulkResendItem, BulkResendRefusal
from tests.factories import World
from tests.messaging.admin.rows import text_of, url

pytestmark = pytest.mark.django_db


def test_items_can_be_looked_at_after_their_message_is_gone(
    ours: World, manager: Client
) -> None:
    bulk = BulkResend.objects.create(
        organization=ours.organization, chosen="1 ticked message", total=1
    )
    item = BulkResendItem.objects.create(bulk=bulk, message_id=987)
    BulkResendRefusal.objects.create(
        bulk=bulk, code="too_old", sentence="It is too old.", count=1
    )

    assert ">987<" in text_of(manager, url(BulkResendItem, "changelist"))
    assert "Waiting" in text_of(manager, url(BulkResendItem, "change", item.pk))
    assert "too_old" in text_of(manager, url(BulkResendRefusal, "changelist"))


def test_items_of_others_are_not_found(theirs: World, manager: Client) -> None:
    bulk = BulkResend.objects.create(
        organization=theirs.organization, chosen="1 ticked message", total=1
    )
    item = BulkResendItem.objects.create(bulk=bulk, message_id=987)

    assert ">987<" not in text_of(manager, url(BulkResendItem, "changelist"))
    assert manager.get(url(BulkResendItem, "change", item.pk)).status_code == 404
