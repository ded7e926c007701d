"""What a device gateway posts, and that it is believed only with its proof."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from messaging.channels.contract import Event, EventKind, HookRequest
from messaging.channels.device_gateway import DeviceGateway
from tests.messaging.channels.samples import SECRETS, account, post

GATEWAY = DeviceGateway()
SECRET = SECRETS["device_gateway"]["webhook_secret"]
GROUP, PERSON = "120363039000000000@g.us", "5511999999999@s.whatsapp.net"


def envelope(event: str, data: Any, **more: Any) -> dict[str, Any]:
    return {
        "id": "event-1",
        "event": event,
        "timestamp": 1_781_000_000,
        "device_id": "device-7f3a",
        "user_id": "user",
        "data": data,
        **more,
    }


def signed(value: Any, secret: str = SECRET) -> bytes:
    body = json.dumps(value, separators=(",", ":")).encode()
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return body[:-1] + f',"signature":"sha256={digest}"}}'.encode()


def authentic(body: bytes, headers: dict[str, str] | None = None) -> bool:
    return GATEWAY.is_authentic(account("device_gateway"), post(body, headers))


def events(event: str, data: Any, **more: Any) -> list[Event]:
    body = json.dumps(envelope(event, data, **more)).encode()
    return GATEWAY.events(account("device_gateway"), post(body))


MESSAGE = {
    "message_id": "3EB0F8A1B2C3D4E5F6",
    "from": PERSON,
    "to": "5511888888888@s.whatsapp.net",
    "content": "Hello from WhatsApp!",
    "message_type": "text",
    "timestamp": "2026-06-15T12:00:00Z",
    "is_from_me": False,
    "push_name": "Jane Doe",
}


def test_the_signature_in_the_body_is_believed() -> None:
    body = signed(envelope("message.received", MESSAGE))

    assert authentic(body)
    assert not authentic(body.replace(b"Hello", b"Hullo"))
    assert not authentic(signed(envelope("message.received", MESSAGE), "another"))


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body[:-2] + b'0"}',
        lambda body: body.replace(b"sha256=", b"sha1=256"),
        lambda body: body + b"{}",
        lambda body: body.replace(b',"signature"', b',"x":1,"signature"'),
    ],
)
def test_a_signature_that_was_touched_is_not(change: Any) -> None:
    assert not authentic(change(signed(envelope("message.received", MESSAGE))))


def test_white_space_around_the_signature_is_no_matter() -> None:
    body = signed(envelope("message.received", MESSAGE))

    assert authentic(body.replace(b',"signature":', b',\n  "signature": ') + b"\n")


def test_a_header_of_our_own_is_believed_too() -> None:
    body = json.dumps(envelope("message.received", MESSAGE)).encode()

    assert authentic(body, {"x-webhook-token": SECRET})
    assert not authentic(body, {"x-webhook-token": "guess"})
    assert not authentic(body)


def test_without_a_secret_nothing_is_believed() -> None:
    none = account("device_gateway", credentials={"webhook_secret": ""})
    body = signed(envelope("message.received", MESSAGE), "")

    request = HookRequest("POST", "http://x", {"x-webhook-token": ""}, {}, body)
    assert not GATEWAY.is_authentic(none, request)


def test_a_message_that_came_in() -> None:
    [event] = events("message.received", MESSAGE)

    assert event.kind is EventKind.INBOUND
    assert event.provider_id == "3EB0F8A1B2C3D4E5F6"
    assert event.address == "+5511999999999"
    assert event.occurred_at == datetime(2026, 6, 15, 12, tzinfo=UTC)
    assert event.raw["data"]["content"] == "Hello from WhatsApp!"


@pytest.mark.parametrize(
    "stamp",
    [
        "9999-12-31T23:59:59-14:00",
        "0001-01-01T00:00:00+14:00",
        "0001-01-01T00:00:00Z",
        "1999-12-31T23:59:59Z",
        "2100-12-31T23:59:59-01:00",
        1_781_000_000_000,
        0,
    ],
)
def test_a_moment_that_nobody_can_mean_is_none(stamp: object) -> None:
    data = {**MESSAGE, "timestamp": stamp}
    [event] = events("message.received", data, timestamp=stamp)

    assert event.occurred_at is None


def test_a_moment_of_another_zone_is_kept_in_utc() -> None:
    stamp = "2026-06-15T12:00:00+14:00"
    [event] = events("message.received", {**MESSAGE, "timestamp": stamp})

    assert event.occurred_at == datetime(2026, 6, 14, 22, tzinfo=UTC)
    assert event.occurred_at.tzinfo is UTC


def test_stop_is_a_wish() -> None:
    found = events("message.received", {**MESSAGE, "content": " Stop. "})

    assert [one.kind for one in found] == [EventKind.INBOUND, EventKind.OPT_OUT]


def test_what_was_written_on_the_phone_itself_is_nobodys_word() -> None:
    [event] = events("message.received", {**MESSAGE, "is_from_me": True})

    assert event.kind is EventKind.UNKNOWN


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("message.undecryptable", EventKind.UNREADABLE),
        ("media.retry", EventKind.MEDIA),
    ],
)
def test_what_speaks_of_one_message(name: str, kind: EventKind) -> None:
    data = {"message_id": "3EB0", "chat_jid": GROUP, "sender_jid": PERSON}
    [event] = events(name, data)

    assert (event.kind, event.provider_id) == (kind, "3EB0")
    assert event.address == "+5511999999999"
    assert event.occurred_at == datetime.fromtimestamp(1_781_000_000, UTC)


def test_the_same_event_again_has_the_same_key_and_another_one_another() -> None:
    data = {"message_id": "3EB0", "chat_jid": PERSON}
    [first] = events("message.undecryptable", data)
    [again] = events("message.undecryptable", data)
    [later] = events("message.undecryptable", data, id="event-2")

    assert first.key == again.key != later.key


@pytest.mark.parametrize("state", ["sent", "delivered", "read"])
def test_receipts(state: str) -> None:
    data = {"message_ids": ["3EB0A", "3EB0B", "3EB0A"], "chat_jid": PERSON}
    found = events(f"message.{state}", data)

    assert [(one.provider_id, one.state) for one in found] == [
        ("3EB0A", state),
        ("3EB0B", state),
    ]
    assert {one.kind for one in found} == {EventKind.STATUS}


@pytest.mark.parametrize(
    "name", ["device.connected", "device.disconnected", "device.logged_out"]
)
def test_what_a_phone_tells_of_itself(name: str) -> None:
    [event] = events(name, {})
    [later] = events(name, {"timestamp": "2026-06-15T12:00:00Z"}, id="event-2")

    assert event.kind is later.kind is EventKind.DEVICE
    assert event.raw["event"] == name
    assert event.occurred_at == datetime.fromtimestamp(1_781_000_000, UTC)
    assert later.occurred_at == datetime(2026, 6, 15, 12, tzinfo=UTC)
    assert event.key != later.key


def test_a_phone_that_names_no_moment_is_not_understood() -> None:
    [event] = events("device.connected", {}, timestamp=None)

    assert event.kind is EventKind.UNKNOWN


def test_history_is_one_event_with_all_its_messages() -> None:
    data = {"chat_jid": PERSON, "messages": [MESSAGE, MESSAGE]}
    [event] = events("history.sync", data)

    assert event.kind is EventKind.HISTORY
    assert len(event.raw["data"]["messages"]) == 2


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("group.info", {"chat_jid": GROUP}),
        ("message.received", {}),
        ("message.received", None),
        ("message.undecryptable", {"message_id": "3EB0"}),
        ("media.retry", {"chat_jid": PERSON}),
        ("history.sync", {"messages": "many"}),
        ("message.read", {"message_ids": [None, {}]}),
        (None, MESSAGE),
    ],
)
def test_what_is_not_understood_is_kept(name: Any, data: Any) -> None:
    [event] = events(name, data)

    assert event.kind is EventKind.UNKNOWN
    assert event.raw["event"] == name
