"""What Telegram posts: who may post it, and what it says."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from messaging.channels.contract import Event, EventKind
from messaging.channels.telegram_bot import TelegramBot
from tests.messaging.channels.samples import account, post

BOT = TelegramBot()
ACCOUNT = account("telegram_bot")
HEADER = "x-telegram-bot-api-secret-token"


def test_only_the_right_token_is_authentic() -> None:
    assert BOT.is_authentic(ACCOUNT, post(b"{}", {HEADER: "hook-secret-77aa"}))
    assert not BOT.is_authentic(ACCOUNT, post(b"{}", {HEADER: "hook-secret-77ab"}))
    assert not BOT.is_authentic(ACCOUNT, post(b"{}", {HEADER: "é"}))
    assert not BOT.is_authentic(ACCOUNT, post(b"{}", {HEADER: ""}))
    assert not BOT.is_authentic(ACCOUNT, post(b"{}"))


def test_without_a_secret_token_nothing_is_authentic() -> None:
    nobody = account("telegram_bot", None, {"secret_token": ""})
    assert not BOT.is_authentic(nobody, post(b"{}", {HEADER: ""}))


def test_there_is_no_handshake() -> None:
    assert BOT.handshake(ACCOUNT, post(b"")) is None


def events(**update: Any) -> list[Event]:
    return BOT.events(ACCOUNT, post(json.dumps(update).encode()))


def test_a_message() -> None:
    message = {"message_id": 5, "date": 1700000000, "chat": {"id": 42}, "text": "Hi"}
    assert events(update_id=9, message=message) == [
        Event(
            key="9",
            kind=EventKind.INBOUND,
            raw={"update_id": 9, "message": message},
            provider_id="5",
            address="42",
            occurred_at=datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC),
        )
    ]


@pytest.mark.parametrize(
    ("text", "kind"), [("/stop", EventKind.OPT_OUT), ("/start", EventKind.OPT_IN)]
)
def test_a_command_decides(text: str, kind: EventKind) -> None:
    message = {"message_id": 5, "chat": {"id": 42}, "text": text}
    inbound, wish = events(update_id=9, message=message)
    assert inbound.kind == EventKind.INBOUND
    assert (wish.kind, wish.key, wish.address) == (kind, f"9:{kind}", "42")


@pytest.mark.parametrize(
    ("status", "kind"),
    [("kicked", EventKind.OPT_OUT), ("member", EventKind.OPT_IN)],
)
def test_stopping_and_starting_the_bot(status: str, kind: EventKind) -> None:
    change = {
        "chat": {"id": 42, "type": "private"},
        "date": 1700000000,
        "new_chat_member": {"status": status},
    }
    (event,) = events(update_id=9, my_chat_member=change)
    assert (event.kind, event.key, event.address) == (kind, "9", "42")


def test_a_pressed_button() -> None:
    pressed = {"id": "1", "data": "yes", "message": {"chat": {"id": 42}, "date": 1}}
    (event,) = events(update_id=9, callback_query=pressed)
    assert (event.kind, event.address) == (EventKind.INBOUND, "42")
    assert event.occurred_at is None


@pytest.mark.parametrize(
    "update",
    [
        {"update_id": 9, "poll": {}},
        {"update_id": 9, "my_chat_member": {"new_chat_member": {"status": "left"}}},
        {"update_id": 9, "message": {}},
        {"message": {"chat": {"id": 1}}},
    ],
)
def test_other_updates_are_kept_whole(update: dict[str, Any]) -> None:
    (event,) = events(**update)
    assert (event.kind, event.raw) == (EventKind.UNKNOWN, update)
