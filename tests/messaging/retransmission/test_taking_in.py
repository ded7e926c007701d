"""What a device tells becomes one row per message, in any order, however often."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import permutations

import pytest
from django.utils import timezone

from messaging import receipts
from messaging.channels.contract import (
    Accepted,
    Answer,
    Event,
    EventKind,
    InDoubt,
    Rejected,
)
from messaging.models import (
    Actor,
    InboundMessage,
    Integration,
    Receipt,
    WebhookEvent,
)
from messaging.retransmission import claiming, unreadable
from messaging.retransmission.claiming import Target
from messaging.trail import Doer
from tests.factories import World
from tests.messaging.retransmission.steps import (
    GROUP,
    PERSON,
    Phone,
    came_in,
    cannot_read,
    told,
    unread_message,
    until,
)
from tests.messaging.webhooks.steps import endpoint_of

pytestmark = pytest.mark.django_db


def known(message_id: str = "A") -> InboundMessage:
    return InboundMessage.objects.get(message_id=message_id)


@pytest.mark.django_db(transaction=True)
def test_what_the_phone_cannot_read_is_in_the_queue(phone: Phone) -> None:
    phone.cannot_read("3EB0AA", "+233241234567", text="Are you open?")

    row = known("3EB0AA")
    assert row.state == "waiting"
    assert row.phone == "+233241234567"
    assert row.chat_jid == row.sender_jid == "233241234567@s.whatsapp.net"
    assert row.text == ""
    assert Receipt.objects.get().raw["event"] == "message.undecryptable"


@pytest.mark.django_db(transaction=True)
def test_a_message_that_comes_in_after_all_is_recovered(
    phone: Phone, ours: World
) -> None:
    from messaging.channels.gateway_requests import request_retransmission

    phone.cannot_read("3EB0AB", "+233241230001", text="Are you open?")
    jid = "233241230001@s.whatsapp.net"
    request_retransmission(phone.integration.account, jid, jid, ["3EB0AB"])
    until(lambda: phone.understood("3EB0AB").state == "recovered")

    row = known("3EB0AB")
    assert row.text == "Are you open?"
    assert row.closed_at is not None


def test_the_same_event_twice_is_one_message(gateway: Integration) -> None:
    for _ in range(3):
        cannot_read(gateway, "A")
        receipts.apply()

    assert InboundMessage.objects.count() == 1
    assert set(Receipt.objects.values_list("result", flat=True)) == {"applied"}


EVENTS: list[Callable[[Integration], None]] = [
    lambda gateway: cannot_read(gateway, "A"),
    lambda gateway: came_in(gateway, "A"),
    lambda gateway: cannot_read(gateway, "A"),
]


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("together", [True, False])
def test_in_any_order_it_ends_readable(
    gateway: Integration, order: tuple[int, ...], together: bool
) -> None:
    for number in order:
        EVENTS[number](gateway)
        if not together:
            receipts.apply()
    receipts.apply()

    row = known()
    assert row.state in {"received", "recovered"}
    assert row.text == "Hello from WhatsApp!"


@pytest.mark.parametrize(
    "state",
    ["waiting", "claimed", "requested", "refused", "unclear", "in vain", "too old"],
)
def test_it_is_recovered_from_every_state_and_told_once(
    gateway: Integration, ours: World, state: str
) -> None:
    endpoint_of(ours)
    member = ours.contact(phone="+5511999999999")
    STANDINGS[state](gateway)

    for _ in range(2):
        came_in(gateway, "A")
        receipts.apply()

    row = known()
    assert (row.state, row.reason) == ("recovered", "")
    assert row.closed_at is not None
    assert row.text == "Hello from WhatsApp!"
    [event] = WebhookEvent.objects.filter(type="retransmission.recovered")
    assert event.data["messageId"] == "A"
    assert event.data["externalId"] == member.external_id
    assert event.data["attempt"] == row.requests


def _asked(gateway: Integration, answer: Answer | None) -> None:
    """Ask for the message and leave it there, as a gateway's answer leaves it."""
    cannot_read(gateway, "A")
    receipts.apply()
    wanted = Target(gateway, PERSON, PERSON, ("A",))
    claimed = claiming.claim(wanted, Doer(Actor.API, "Shop"))
    assert claimed.request is not None
    if answer is not None:
        claiming.settle([claimed.request], answer)


STANDINGS: dict[str, Callable[[Integration], object]] = {
    "waiting": lambda gateway: unread_message(gateway, "A"),
    "claimed": lambda gateway: _asked(gateway, None),
    "requested": lambda gateway: _asked(gateway, Accepted("")),
    "refused": lambda gateway: _asked(gateway, Rejected("FORBIDDEN", "No.")),
    "unclear": lambda gateway: _asked(gateway, InDoubt("timeout")),
    "in vain": lambda gateway: unread_message(
        gateway, "A", state="expired", reason="in_vain", requests=5
    ),
    "too old": lambda gateway: unread_message(gateway, "A", state="expired"),
}


@pytest.mark.parametrize(
    "answer", [Accepted(""), InDoubt("timeout"), Rejected("FORBIDDEN", "No.")]
)
def test_an_answer_that_comes_after_the_message_changes_it_no_more(
    gateway: Integration, answer: Answer
) -> None:
    cannot_read(gateway, "A")
    receipts.apply()
    wanted = Target(gateway, PERSON, PERSON, ("A",))
    claimed = claiming.claim(wanted, Doer(Actor.API, "Shop"))
    assert claimed.request is not None
    came_in(gateway, "A")
    receipts.apply()

    claiming.settle([claimed.request], answer)

    assert known().state == "recovered"


def test_what_came_in_readable_is_on_record_and_no_recovery(
    gateway: Integration, ours: World
) -> None:
    endpoint_of(ours)
    came_in(gateway, "A", content="x" * 30_000)
    receipts.apply()

    row = known()
    assert row.state == "received"
    assert len(row.text) == 20_000
    assert not WebhookEvent.objects.filter(type="retransmission.recovered").exists()


def test_a_message_to_a_device_opens_no_window_of_another_number(
    gateway: Integration, ours: World
) -> None:
    member = ours.contact(phone="+5511999999999")
    came_in(gateway, "A")
    receipts.apply()

    member.refresh_from_db()
    assert member.whatsapp_inbound_at is None


def test_in_a_group_the_member_is_who_wrote(gateway: Integration) -> None:
    cannot_read(
        gateway, "A", chat_jid=GROUP, sender_jid="233241234567:3@s.whatsapp.net"
    )
    receipts.apply()

    assert known().phone == "+233241234567"
    assert known().chat_jid == GROUP


def test_history_brings_messages_of_both_sides(gateway: Integration) -> None:
    unread_message(gateway, "OLD")
    messages = [
        {"message_id": "OLD", "from": PERSON, "content": "From before"},
        {"message_id": "OURS", "from": "1@x", "is_from_me": True, "content": "Ours"},
        {"content": "without an id"},
        "nonsense",
    ]
    data = {"chat_jid": PERSON, "messages": messages}
    told(gateway, "history.sync", data, EventKind.HISTORY)
    receipts.apply()

    assert known("OLD").state == "recovered"
    assert known("OLD").text == "From before"
    assert known("OURS").is_from_us
    assert known("OURS").phone == "+5511999999999"
    assert InboundMessage.objects.count() == 2


def test_a_file_that_was_sent_once_more_has_its_new_address(
    gateway: Integration,
) -> None:
    came_in(gateway, "A", content="", media={"url": "https://old.example/1"})
    data = {
        "message_id": "A",
        "chat_jid": PERSON,
        "media": {"url": "https://new.example/1"},
    }
    told(gateway, "media.retry", data, EventKind.MEDIA)
    receipts.apply()

    assert known().media_url == "https://new.example/1"
    assert known().media_again_at is not None


NEW_FILE = "https://new.example/1"


def _file_again(gateway: Integration, url: str = NEW_FILE) -> None:
    data = {"message_id": "A", "chat_jid": PERSON, "media": {"url": url}}
    told(gateway, "media.retry", data, EventKind.MEDIA)


FILE_EVENTS: dict[str, Callable[[Integration], None]] = {
    "file": _file_again,
    "unreadable": lambda gateway: cannot_read(gateway, "A"),
    "came in": lambda gateway: came_in(
        gateway, "A", content="", media={"url": "https://old.example/1"}
    ),
}


@pytest.mark.parametrize("order", list(permutations(FILE_EVENTS)))
@pytest.mark.parametrize("together", [True, False])
def test_a_file_finds_its_message_in_any_order(
    gateway: Integration, order: tuple[str, ...], together: bool
) -> None:
    for name in order:
        FILE_EVENTS[name](gateway)
        if not together:
            receipts.apply()
    receipts.apply()

    row = known()
    assert row.state in {"received", "recovered"}
    assert row.media_url == NEW_FILE
    assert row.media_again_at is not None
    assert row.phone == "+5511999999999"
    assert set(Receipt.objects.values_list("result", flat=True)) == {"applied"}


def test_of_two_addresses_of_a_file_the_later_one_stays(gateway: Integration) -> None:
    """Events overtake each other: what counts is when they happened."""
    now = timezone.now()
    for url, minutes in ((NEW_FILE, 1), ("https://older.example/1", 5)):
        media = {"message_id": "A", "chat_jid": PERSON, "media": {"url": url}}
        event = Event(
            key=url,
            kind=EventKind.MEDIA,
            raw={"event": "media.retry", "data": media},
            occurred_at=now - timedelta(minutes=minutes),
        )
        receipts.store(gateway, [event])
        receipts.apply()

    assert known().media_url == NEW_FILE


def test_a_file_of_a_message_that_nobody_knows_is_kept_out_of_sight(
    gateway: Integration, ours: World
) -> None:
    _file_again(gateway)
    receipts.apply()

    assert Receipt.objects.get().result == "applied"
    assert known().media_url == NEW_FILE
    assert not unreadable.queue(ours.organization).exists()
    assert not unreadable.waiting(ours.organization)
    assert known().phone == ""


def test_of_what_only_a_file_is_known_the_message_may_be_unreadable(
    gateway: Integration, ours: World
) -> None:
    _file_again(gateway)
    receipts.apply()
    cannot_read(gateway, "A")
    receipts.apply()

    assert known().state == "waiting"
    assert unreadable.waiting(ours.organization)


def test_of_what_only_a_file_is_known_the_message_can_be_asked_for(
    gateway: Integration, ours: World
) -> None:
    _file_again(gateway)
    receipts.apply()
    wanted = Target(gateway, PERSON, PERSON, ("A",))

    refused = claiming.claim(wanted, Doer(Actor.API, "Shop")).request
    assert refused is not None
    claiming.settle([refused], Rejected("FORBIDDEN", "No."))
    row = known()
    assert (row.state, row.requests, row.media_url) == ("received", 0, NEW_FILE)

    request = claiming.claim(wanted, Doer(Actor.API, "Shop")).request
    assert request is not None
    claiming.settle([request], Accepted(""))
    assert known().state == "requested"
    came_in(gateway, "A")
    receipts.apply()
    assert (known().state, known().media_url) == ("recovered", NEW_FILE)


@pytest.mark.parametrize("why", [{"success": False}, {"error": "not found"}])
def test_a_file_that_could_not_be_sent_again_changes_nothing(
    gateway: Integration, why: dict[str, object]
) -> None:
    came_in(gateway, "A", content="", media={"url": "https://old.example/1"})
    data = {"message_id": "A", "chat_jid": PERSON, "media_url": NEW_FILE, **why}
    told(gateway, "media.retry", data, EventKind.MEDIA)
    receipts.apply()

    assert known().media_url == "https://old.example/1"
    assert known().media_again_at is None
    assert set(Receipt.objects.values_list("result", flat=True)) == {
        "applied",
        "ignored",
    }


def test_a_file_without_a_message_is_not_understood(gateway: Integration) -> None:
    told(gateway, "media.retry", {"chat_jid": PERSON}, EventKind.MEDIA)
    receipts.apply()

    assert Receipt.objects.get().result == "not_understood"
    assert not InboundMessage.objects.exists()


def test_an_old_message_of_which_the_phone_has_nothing_changes_nothing(
    gateway: Integration,
) -> None:
    unread_message(gateway, "OLD")
    messages = [{"message_id": "OLD", "from": PERSON}, {"id": "X", "from": PERSON}]
    data = {"chat_jid": PERSON, "messages": messages}
    told(gateway, "history.sync", data, EventKind.HISTORY)
    receipts.apply()

    assert known("OLD").state == "waiting"
    assert InboundMessage.objects.count() == 1


def test_two_devices_may_have_a_message_of_the_same_id(
    gateway: Integration, ours: World, theirs: World
) -> None:
    for one in (
        gateway,
        ours.integration("device_gateway"),
        theirs.integration("device_gateway"),
    ):
        cannot_read(one, "A")
    receipts.apply()

    assert InboundMessage.objects.filter(message_id="A").count() == 3
    assert InboundMessage.objects.filter(organization=theirs.organization).count() == 1


def test_nonsense_is_kept_and_stops_nothing(gateway: Integration) -> None:
    told(gateway, "message.undecryptable", {}, EventKind.UNREADABLE)
    told(gateway, "history.sync", {"messages": 7}, EventKind.HISTORY)
    cannot_read(gateway, "A")
    receipts.apply()

    results = Receipt.objects.order_by("pk").values_list("result", flat=True)
    assert list(results) == ["not_understood", "not_understood", "applied"]
