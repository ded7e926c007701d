"""What an attempt names stays, although its message may name something else by now."""

from __future__ import annotations

import re

import pytest
from django.db import IntegrityError, connection, transaction

from messaging.dispatch.claim import claim
from messaging.models import Attempt, Integration, Message
from tests.factories import World

pytestmark = pytest.mark.django_db


def delete(table: str, number: int) -> None:
    """Delete a row as somebody with a prompt of PostgreSQL would."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM messaging_integrationpace")
        cursor.execute(f"DELETE FROM {table} WHERE id = %s", [number])  # noqa: S608
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.fixture
def attempt(ours: World, whatsapp: Integration) -> Attempt:
    """Return one whose message has another integration and content meanwhile."""
    content = ours.text("As it was")
    message = ours.message(integration=whatsapp, content=content)
    claim(whatsapp, limit=1)
    Message.objects.filter(pk=message.pk).update(
        integration=ours.integration("twilio"), content=ours.text("As it is")
    )
    return Attempt.objects.get(content=content, integration=whatsapp)


@pytest.mark.parametrize("kind", ["integration", "content", "message"])
def test_it_cannot_be_deleted(attempt: Attempt, kind: str) -> None:
    number = getattr(attempt, f"{kind}_id")

    with pytest.raises(IntegrityError, match=f"{kind} {number}"):
        delete(f"messaging_{kind}", number)


@pytest.mark.parametrize("kind", ["integration", "content", "message"])
def test_without_the_attempt_it_can(attempt: Attempt, kind: str) -> None:
    number = getattr(attempt, f"{kind}_id")
    attempt.delete()

    delete(f"messaging_{kind}", number)


def test_the_ends_of_ids_are_nine_digits_and_differ(
    ours: World, whatsapp: Integration
) -> None:
    for _ in range(50):
        ours.message(integration=whatsapp)
    claim(whatsapp, limit=50)

    ends = [
        *Message.objects.values_list("suffix", flat=True),
        *Attempt.objects.values_list("suffix", flat=True),
    ]

    assert len(set(ends)) == 100
    assert all(re.fullmatch("[0-9a-f]{9}", end) for end in ends)
