"""What became of a message, in one sentence that fits into a ticket."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from messaging.models import Message
from messaging.views.ticket_words import facts_of, ordinal, ticket_sentence
from tests.factories import World
from tests.messaging.views.rows import tried

pytestmark = pytest.mark.django_db

THEN = datetime(2024, 11, 21, 10, 35, tzinfo=UTC)


def sentence(message: Message) -> str:
    with timezone.override(UTC):
        return ticket_sentence(message, facts_of([message])[message.pk])


@pytest.mark.parametrize(
    ("state", "values", "words"),
    [
        (
            "delivered",
            {"attempts": 3, "delivered_at": THEN},
            "Reached on the third try, 21 Nov 2024 10:35, 1 credit.",
        ),
        (
            "read",
            {"attempts": 1, "delivered_at": THEN},
            "Reached on the first try, 21 Nov 2024 10:35, 1 credit.",
        ),
        (
            "sent",
            {"attempts": 2, "sent_at": THEN},
            "Sent on the second try, 21 Nov 2024 10:35. No receipt came yet.",
        ),
        (
            "failed",
            {
                "attempts": 2,
                "error_code": "whatsapp:131047",
                "error_class": "fix_first",
            },
            "Not reached: 24-hour window is closed (2 tries).",
        ),
        (
            "failed",
            {"error_code": "whatsapp:131000"},
            "Not reached: WhatsApp had a fault (1 try).",
        ),
        (
            "failed",
            {"error_code": "whatsapp:131026", "error_class": "never"},
            "Not reached: person cannot be reached on WhatsApp (1 try).",
        ),
        (
            "unknown",
            {"error_code": "whatsapp:timeout"},
            "Nobody can tell whether it arrived (1 try).",
        ),
        ("sending", {"attempts": 2}, "The second try is under way."),
        (
            "queued",
            {
                "attempts": 1,
                "due_at": THEN,
                "error_code": "whatsapp:131000",
                "error_class": "retry",
            },
            "Waiting for the second try, 21 Nov 2024 10:35."
            " Not reached so far: WhatsApp had a fault.",
        ),
        (
            "queued",
            {"attempts": 0, "due_at": THEN},
            "Waiting to be sent, 21 Nov 2024 10:35.",
        ),
        (
            "skipped",
            {"attempts": 0, "reason_of_skip": "opted_out"},
            "Left out on purpose: the member opted out.",
        ),
        (
            "cancelled",
            {"attempts": 0, "reason_of_skip": "cancelled"},
            "Cancelled: a person cancelled it.",
        ),
        ("planned", {"attempts": 0}, "Not sent yet: it leaves with its broadcast."),
    ],
)
def test_every_state_has_its_sentence(
    ours: World, state: str, values: dict[str, Any], words: str
) -> None:
    assert sentence(tried(ours, state, **values)) == words


def test_this_year_needs_no_number(ours: World) -> None:
    now = timezone.now()
    message = tried(ours, "delivered", delivered_at=now)

    assert f"{now.day} {now:%b %H:%M}, 1 credit." in sentence(message)


def test_the_try_that_arrived_is_named_though_another_followed(ours: World) -> None:
    message = tried(ours, "delivered", attempts=3, delivered_at=THEN)
    message.attempts.filter(number=3).update(
        state="failed", error_code="whatsapp:131000", error_class="retry"
    )
    message.attempts.filter(number=2).update(
        state="delivered", error_code="", error_class=""
    )

    assert "Reached on the second try" in sentence(message)


def test_a_channel_that_tells_nothing_is_excused(ours: World) -> None:
    member = ours.contact(email="a@example.org")
    mail = ours.integration("smtp")

    assert "This channel does not tell whether it arrived." in sentence(
        tried(ours, "sent", contact=member, integration=mail)
    )


def test_a_page_of_messages_costs_two_queries(
    ours: World, django_assert_num_queries: Any
) -> None:
    messages = [tried(ours, "delivered", attempts=2) for _ in range(5)]

    with django_assert_num_queries(2):
        facts = facts_of(messages)

    assert all(facts[one.pk].arrived == 2 for one in messages)
    assert all(facts[one.pk].credits == 1 for one in messages)


@pytest.mark.parametrize(
    ("number", "word"),
    [(1, "first"), (10, "tenth"), (11, "11th"), (21, "21st"), (112, "112th")],
)
def test_tries_are_numbered_in_words(number: int, word: str) -> None:
    assert ordinal(number) == word
