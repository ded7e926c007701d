"""A try that waits does not leave once a provider turned out to have the message."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from messaging import receipts
from messaging.dispatch import again, statements
from messaging.models import AutomaticRetry, Integration, Message
from tests.at_once import begun_elsewhere
from tests.factories import World
from tests.messaging.dispatch.flows import (
    THROTTLED,
    TIMED_OUT,
    answered,
    asked_again,
    first,
    flow,
    given_back,
    given_up,
    opened,
    standing,
    tell,
    told,
)

pytestmark = pytest.mark.django_db


def in_doubt_and_asked_again(ours: World, whatsapp: Integration, parts: int) -> Message:
    """Return a message whose last part nobody knows of, and that waits again."""
    content = flow(ours, parts) if parts > 1 else ours.text()
    message = ours.message(integration=whatsapp, content=content)
    sent = (1 << parts - 1) - 1
    answered(opened(message).attempt_id, "unknown", sent, TIMED_OUT)
    asked_again(ours, message)
    return message


@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize("told_when", ["before", "after"])
def test_what_comes_back_is_not_queued_when_an_earlier_attempt_is_there(
    ours: World, whatsapp: Integration, parts: int, told_when: str
) -> None:
    """Whether the receipt comes before the refusal of the credentials or after it."""
    message = in_doubt_and_asked_again(ours, whatsapp, parts)
    second = opened(message)
    sent = (1 << parts - 1) - 1

    if told_when == "before":
        tell(first(message), (parts - 1, "sent"))
    given_back(second.attempt_id, sent)
    if told_when == "after":
        tell(first(message), (parts - 1, "sent"))

    state, _, attempts = standing(message)
    assert (state, attempts) == ("sent", ["sent", "failed"])
    assert (message.due_at, message.error_code, message.given_back) == (None, "", 1)


@pytest.mark.parametrize("parts", [1, 2])
def test_what_comes_back_is_queued_while_nobody_knows_of_the_earlier_attempt(
    ours: World, whatsapp: Integration, parts: int
) -> None:
    message = in_doubt_and_asked_again(ours, whatsapp, parts)

    given_back(opened(message).attempt_id, (1 << parts - 1) - 1)

    assert standing(message)[0] == "queued"
    assert message.due_at is not None


@pytest.mark.parametrize("told_when", ["before", "after"])
def test_other_words_still_go_out_when_they_come_back(
    ours: World, whatsapp: Integration, told_when: str
) -> None:
    """Somebody has corrected them; that the earlier ones are there replaces none."""
    message = ours.message(integration=whatsapp)
    answered(opened(message).attempt_id, "unknown", 0, TIMED_OUT)
    corrected = ours.text("Corrected")
    asked_again(ours, message, corrected)
    second = opened(message)

    if told_when == "before":
        tell(first(message), (0, "sent"))
    given_back(second.attempt_id)
    if told_when == "after":
        tell(first(message), (0, "sent"))

    assert standing(message) == ("queued", 0, ["sent", "failed"])
    assert message.amended_content == corrected


@pytest.mark.parametrize("parts", [1, 2])
def test_it_does_not_matter_which_of_several_attempts_is_there(
    ours: World, whatsapp: Integration, parts: int
) -> None:
    message = in_doubt_and_asked_again(ours, whatsapp, parts)
    sent = (1 << parts - 1) - 1
    answered(opened(message).attempt_id, "unknown", sent, TIMED_OUT)
    asked_again(ours, message)

    tell(first(message), (parts - 1, "sent"))

    assert standing(message)[0] == "sent"


def test_a_flow_that_several_attempts_got_through_is_not_retried_by_itself(
    ours: World, whatsapp: Integration
) -> None:
    AutomaticRetry.objects.create(
        organization=ours.organization, channel="whatsapp", is_on=True
    )
    message = ours.message(integration=whatsapp, content=flow(ours, 2))
    lost = given_up(message)
    asked_again(ours, message)
    answered(opened(message).attempt_id, "failed", 0b01, THROTTLED)

    tell(lost, (1, "sent"), (0, "failed"))

    # The second one sent part 0, the first one part 1.
    assert standing(message) == ("failed", 0b11, ["failed", "failed"])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("parts", "said"), [(1, "sent"), (2, "sent"), (2, "failed")])
def test_who_cancels_while_a_receipt_is_written_down_sees_what_it_says(
    ours: World,
    whatsapp: Integration,
    monkeypatch: pytest.MonkeyPatch,
    parts: int,
    said: str,
) -> None:
    message = in_doubt_and_asked_again(ours, whatsapp, parts)
    receipts.store(whatsapp, [told(first(message), parts - 1, said)])
    rows = statements.rows
    others: list[threading.Thread] = []

    def slow(verb: str, *arguments: Any, **comments: Any) -> list[dict[str, Any]]:
        found = rows(verb, *arguments, **comments)
        if verb == "apply_states" and not others:
            others.append(begun_elsewhere(lambda: again.take_back(message.pk)))
        return found

    monkeypatch.setattr(statements, "rows", slow)
    receipts.apply()
    others[0].join()

    assert standing(message)[0] == said
