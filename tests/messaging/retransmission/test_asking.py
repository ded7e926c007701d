"""One receipt at a time, five at most, and everybody is told the same."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from messaging.models import (
    Actor,
    InboundMessage,
    Integration,
    RequestOutcome,
    RetransmissionRequest,
)
from messaging.retransmission import asking, claiming, tending
from messaging.retransmission.asking import Asked
from messaging.retransmission.asking_many import MOST_MESSAGES, ask_many
from messaging.retransmission.claiming import Target
from messaging.retransmission.words import Refusal, Refused
from messaging.trail import Doer
from resend_admin.sandbox.thread import Sandbox
from tests.messaging.retransmission.conftest import Unread
from tests.messaging.retransmission.steps import GROUP, PERSON

pytestmark = pytest.mark.django_db(transaction=True)

SHOP = Doer(Actor.API, "Shop")


def target(integration: Integration, *ids: str, chat: str = PERSON) -> Target:
    return Target(integration, chat, PERSON, ids or ("A",))


def rest(*ids: str) -> None:
    """Let the quiet seconds pass."""
    InboundMessage.objects.update(quiet_until=timezone.now() - timedelta(seconds=1))


def at_once(number: int, work: Callable[[int], Any]) -> list[Any]:
    """Run the same work in threads that start together; each has its connection."""
    start = threading.Barrier(number)

    def run(index: int) -> Any:
        try:
            start.wait()
            return work(index)
        finally:
            connection.close()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))


def test_a_receipt_leaves_and_is_on_record(
    gateway: Integration, sandbox: Sandbox, unread: Unread
) -> None:
    unread("A")

    asked = asking.ask(target(gateway), SHOP)

    assert isinstance(asked, Asked)
    row = InboundMessage.objects.select_related("request").get()
    assert (row.state, row.requests) == ("requested", 1)
    assert row.requested_at == asked.at
    assert row.request is not None
    assert (row.request.asked_by_name, row.request.outcome) == ("Shop", "accepted")
    assert [ask.message_ids for ask in sandbox.asks()] == [["A"]]


def test_a_repeat_gets_the_same_answer_and_the_gateway_is_left_alone(
    gateway: Integration, sandbox: Sandbox
) -> None:
    answers = [asking.ask(target(gateway), SHOP) for _ in range(3)]

    assert len(set(map(repr, answers))) == 1
    assert len(sandbox.asks()) == 1
    assert InboundMessage.objects.get().requests == 1
    assert RetransmissionRequest.objects.count() == 1


def test_two_at_the_same_time_are_one_receipt(
    gateway: Integration, sandbox: Sandbox
) -> None:
    sandbox.behave("slow", channel="gateway", seconds=0.5)

    answers = at_once(6, lambda _: asking.ask(target(gateway), SHOP))

    assert len(sandbox.asks()) == 1
    assert {type(one) for one in answers} == {Asked}
    assert len({one.at for one in answers}) == 1


def test_overlapping_lists_ask_for_each_message_once(
    gateway: Integration, sandbox: Sandbox
) -> None:
    lists = [("A", "B"), ("B", "C"), ("C", "A"), ("C", "B", "A")]

    answers = at_once(4, lambda n: asking.ask(target(gateway, *lists[n]), SHOP))

    assert {type(one) for one in answers} == {Asked}
    asked = [one for ask in sandbox.asks() for one in ask.message_ids]
    assert sorted(asked) == ["A", "B", "C"]


def test_after_five_requests_it_is_enough(
    gateway: Integration, sandbox: Sandbox
) -> None:
    for _ in range(5):
        assert isinstance(asking.ask(target(gateway), SHOP), Asked)
        rest()

    refused = asking.ask(target(gateway, "B", "A"), SHOP)

    assert isinstance(refused, Refused)
    assert refused.code is Refusal.TOO_OFTEN
    assert "A" in refused.sentence
    assert len(sandbox.asks()) == 5
    # All or nothing: the other one of the list was not touched.
    assert not InboundMessage.objects.filter(message_id="B").exists()
    assert RetransmissionRequest.objects.count() == 5


def test_the_fifth_of_many_at_once_is_the_last(
    gateway: Integration, sandbox: Sandbox, unread: Unread
) -> None:
    unread("A", requests=4, state="requested")

    answers = at_once(5, lambda _: asking.ask(target(gateway), SHOP))

    assert {type(one) for one in answers} == {Asked}
    assert len(sandbox.asks()) == 1
    assert InboundMessage.objects.get().requests == 5


def test_the_database_knows_no_sixth(unread: Unread) -> None:
    from django.db import IntegrityError

    with pytest.raises(IntegrityError, match="inbound_requests_few"):
        unread("A", requests=6, state="requested")


def test_a_phone_that_is_off_costs_no_request(
    gateway: Integration, sandbox: Sandbox, unread: Unread
) -> None:
    unread("KNOWN")
    sandbox.phone(account="device", connected=False)

    refused = asking.ask(target(gateway, "KNOWN", "NEW"), SHOP)

    assert isinstance(refused, Refused)
    assert refused.code is Refusal.NOT_READY
    row = InboundMessage.objects.get()
    assert (row.message_id, row.state, row.requests) == ("KNOWN", "waiting", 0)
    sandbox.phone(account="device", connected=True)
    assert isinstance(asking.ask(target(gateway, "KNOWN", "NEW"), SHOP), Asked)


def test_a_lost_answer_counts_and_is_told_as_doubt(
    gateway: Integration, sandbox: Sandbox
) -> None:
    sandbox.behave("close", channel="gateway", times=1)

    answers = [asking.ask(target(gateway), SHOP) for _ in range(2)]

    assert [one.code for one in answers if isinstance(one, Refused)] == [
        Refusal.UNCLEAR,
        Refusal.UNCLEAR,
    ]
    row = InboundMessage.objects.get()
    assert (row.state, row.requests) == ("requested", 1)
    assert len(sandbox.asks()) == 1


@pytest.mark.parametrize(
    ("fault", "code"),
    [("server_error", Refusal.GATEWAY), ("auth", Refusal.GATEWAY)],
)
def test_a_refusal_is_told_and_costs_nothing(
    gateway: Integration, sandbox: Sandbox, fault: str, code: Refusal
) -> None:
    sandbox.behave(fault, channel="gateway")

    refused = asking.ask(target(gateway), SHOP)

    assert isinstance(refused, Refused)
    assert refused.code is code
    assert refused.sentence.endswith(".")
    assert not InboundMessage.objects.exists()


def test_whoever_waited_for_a_refusal_tries_on_their_own(
    gateway: Integration, sandbox: Sandbox
) -> None:
    sandbox.behave("server_error", channel="gateway", times=1)

    answers = at_once(3, lambda _: asking.ask(target(gateway), SHOP))

    kinds = sorted(type(one).__name__ for one in answers)
    assert kinds == ["Asked", "Asked", "Refused"]
    assert len([ask for ask in sandbox.asks() if ask.outcome == "accepted"]) == 1


def test_a_request_whose_process_died_is_called_unclear(gateway: Integration) -> None:
    claimed = claiming.claim(target(gateway), SHOP)
    assert claimed.request is not None
    RetransmissionRequest.objects.update(
        created_at=timezone.now() - timedelta(minutes=2)
    )

    assert tending.settle_lapsed() == 1

    request = RetransmissionRequest.objects.get()
    assert request.outcome == RequestOutcome.UNCLEAR
    assert InboundMessage.objects.get().state == "requested"


def test_what_came_in_meanwhile_stays_recovered(
    gateway: Integration, unread: Unread
) -> None:
    unread("A", state="recovered", text="Here I am")

    assert isinstance(asking.ask(target(gateway), SHOP), Asked)

    row = InboundMessage.objects.get()
    assert (row.state, row.text, row.requests) == ("recovered", "Here I am", 1)


def test_what_was_given_up_may_be_asked_for_again(
    gateway: Integration, unread: Unread
) -> None:
    unread("A", state="expired")

    assert isinstance(asking.ask(target(gateway), SHOP), Asked)

    row = InboundMessage.objects.get()
    assert (row.state, row.closed_at, row.reason) == ("requested", None, "")


def test_many_are_asked_for_chat_by_chat(
    gateway: Integration, sandbox: Sandbox, unread: Unread
) -> None:
    rows = [
        unread("A"),
        unread("B"),
        unread("C", chat_jid=GROUP),
        unread("D", state="recovered"),
        unread("E", requests=5, state="requested"),
    ]

    result = ask_many(rows, SHOP)

    assert (result.asked, result.closed, result.too_often) == (3, 1, 1)
    asks = sorted((ask.chat, sorted(ask.message_ids)) for ask in sandbox.asks())
    assert asks == [(GROUP, ["C"]), (PERSON, ["A", "B"])]


def test_a_phone_that_is_off_is_not_asked_fifty_times(
    gateway: Integration, sandbox: Sandbox, unread: Unread
) -> None:
    sandbox.phone(account="device", connected=False)
    rows = [
        unread(f"M{number}", chat_jid=f"55119999{number:05d}@s.whatsapp.net")
        for number in range(20)
    ]

    result = ask_many(rows, SHOP)

    assert result.asked == 0
    [(sentence, number)] = result.problems.items()
    assert "not connected" in sentence
    assert number == 20
    assert len(sandbox.asks()) == 5
    assert set(InboundMessage.objects.values_list("requests", flat=True)) == {0}


def test_two_presses_at_once_ask_once(
    gateway: Integration, sandbox: Sandbox, unread: Unread
) -> None:
    rows = [
        unread(f"M{number}", chat_jid=f"55119999{number:05d}@s.whatsapp.net")
        for number in range(8)
    ]

    results = at_once(3, lambda _: ask_many(rows, SHOP))

    assert sum(one.asked for one in results) == 8
    assert sum(one.recent for one in results) == 16
    assert len(sandbox.asks()) == 8
    assert MOST_MESSAGES >= 8


def test_hope_ends_with_a_reason(gateway: Integration, unread: Unread) -> None:
    old = timezone.now() - timedelta(days=8)
    unread("OLD", created_at=old)
    unread("OLD AND DONE", created_at=old, state="recovered")
    asked = timezone.now() - timedelta(hours=25)
    unread("IN VAIN", requests=5, state="requested", requested_at=asked)
    unread("STILL", requests=5, state="requested")
    unread("NEW")

    assert tending.expire() == 2
    assert tending.expire() == 0

    states = dict(InboundMessage.objects.values_list("message_id", "state"))
    assert states == {
        "OLD": "expired",
        "OLD AND DONE": "recovered",
        "IN VAIN": "expired",
        "STILL": "requested",
        "NEW": "waiting",
    }
    reasons = InboundMessage.objects.filter(state="expired").order_by("message_id")
    assert list(reasons.values_list("reason", flat=True)) == ["in_vain", "too_old"]


def test_old_rows_go_after_as_many_days_as_the_organization_keeps_them(
    gateway: Integration, unread: Unread
) -> None:
    days = gateway.organization.retention_days
    long_ago = timezone.now() - timedelta(days=days + 1)
    unread("OLD", created_at=long_ago, state="recovered", requests=1)
    RetransmissionRequest.objects.update(created_at=long_ago)
    unread("NEW")

    assert tending.prune() == 2

    assert list(InboundMessage.objects.values_list("message_id", flat=True)) == ["NEW"]
    assert not RetransmissionRequest.objects.exists()
