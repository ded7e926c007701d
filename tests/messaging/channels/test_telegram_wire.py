"""The bytes that go to Telegram, and what its answers mean."""

from __future__ import annotations

import json
from typing import Any

import pytest

from messaging.channels.contract import (
    Accepted,
    Answer,
    InDoubt,
    RateLimited,
    Rejected,
)
from messaging.channels.telegram_bot import TelegramBot
from tests.messaging.channels.samples import BUTTONS, CONTENTS, MENU, account, outbound

BOT = TelegramBot()

WIRE: dict[str, tuple[str, dict[str, Any]]] = {
    "text": ("sendMessage", {"text": "Hello Ama, 5 < 7 & true"}),
    "image": (
        "sendPhoto",
        {"photo": "https://cdn.example.com/a.jpg", "caption": "For Ama Mensah"},
    ),
    "video": ("sendVideo", {"video": "https://cdn.example.com/a.mp4"}),
    "audio": ("sendAudio", {"audio": "https://cdn.example.com/a.ogg"}),
    "document": (
        "sendDocument",
        {
            "document": "https://cdn.example.com/a.pdf?x=1&y=2",
            "caption": "Your invoice",
        },
    ),
    "template": ("sendMessage", {"text": "Hi Ama, your order c-17 is ready."}),
}


@pytest.mark.parametrize("kind", list(CONTENTS))
def test_every_content_on_the_wire(kind: str) -> None:
    request = BOT.build(account("telegram_bot"), outbound("telegram_bot", kind))
    method, arguments = WIRE[kind]
    assert request.url == (
        f"https://api.telegram.org/bot123456:ABC-very-secret/{method}"
    )
    assert request.headers == {"Content-Type": "application/json"}
    assert json.loads(request.body) == {"chat_id": 987654321, **arguments}


@pytest.mark.parametrize(
    ("payload", "keyboard"),
    [
        (
            BUTTONS,
            [
                [{"text": "Yes", "callback_data": "yes"}],
                [{"text": "No", "callback_data": "no"}],
            ],
        ),
        (
            MENU,
            [
                [{"text": "Apple", "callback_data": "a"}],
                [{"text": "Banana", "callback_data": "b"}],
            ],
        ),
    ],
)
def test_choices_become_an_inline_keyboard(payload: Any, keyboard: Any) -> None:
    request = BOT.build(
        account("telegram_bot"), outbound("telegram_bot", "interactive", payload)
    )
    sent = json.loads(request.body)
    assert sent["reply_markup"] == {"inline_keyboard": keyboard}
    assert request.url.endswith("/sendMessage")


@pytest.mark.parametrize(
    ("recipient", "chat"), [("-100123", -100123), ("@shop_news", "@shop_news")]
)
def test_groups_are_numbers_and_channels_are_names(recipient: str, chat: Any) -> None:
    request = BOT.build(
        account("telegram_bot"), outbound("telegram_bot", recipient=recipient)
    )
    assert json.loads(request.body)["chat_id"] == chat


def refused(code: int, description: str, **parameters: Any) -> Answer:
    body = {"ok": False, "error_code": code, "description": description}
    if parameters:
        body["parameters"] = parameters
    return BOT.read(code, {}, json.dumps(body).encode())


def test_accepted_means_delivered() -> None:
    body = b'{"ok":true,"result":{"message_id":7}}'
    assert BOT.read(200, {}, body) == Accepted("7", delivered=True)
    assert not BOT.confirms_delivery


@pytest.mark.parametrize(
    ("code", "description", "expected"),
    [
        (403, "Forbidden: bot was blocked by the user", "403:blocked_by_user"),
        (403, "Forbidden: user is deactivated", "403:user_deactivated"),
        (
            403,
            "Forbidden: bot can't initiate conversation with a user",
            "403:cannot_initiate",
        ),
        (400, "Bad Request: chat not found", "400:chat_not_found"),
        (400, "Bad Request: message is too long", "400:message_too_long"),
        (400, "Bad Request: WEBPAGE_CURL_FAILED", "400:url_failed"),
        (400, "Bad Request: something new", "400"),
        (502, "Bad Gateway", "502"),
        (401, "Unauthorized", "auth_failed"),
        (404, "Not Found", "auth_failed"),
    ],
)
def test_errors(code: int, description: str, expected: str) -> None:
    assert refused(code, description) == Rejected(expected, description)


def test_a_wrong_token_may_be_answered_with_a_page() -> None:
    answer = BOT.read(404, {}, b"<html>Not Found</html>")
    assert isinstance(answer, Rejected)
    assert answer.code == "auth_failed"


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [(3, 3.0), (1.5, 1.5), ("3", 5.0), (-1, 5.0), (10**400, 5.0), (True, 5.0)],
)
def test_retry_after(asked: Any, seconds: float) -> None:
    answer = refused(429, "Too Many Requests", retry_after=asked)
    assert isinstance(answer, RateLimited)
    assert answer.retry_after == seconds


def test_telegrams_own_timeout_leaves_doubt() -> None:
    assert refused(504, "Gateway Timeout") == InDoubt("http_504", "Gateway Timeout")


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"ok":true}', b'{"ok":true,"result":1}']
)
def test_a_success_without_an_id_is_in_doubt(body: bytes) -> None:
    assert isinstance(BOT.read(200, {}, body), InDoubt)


def test_configuration_problems_are_sentences() -> None:
    assert BOT.problems(account("telegram_bot")) == []
    assert BOT.problems(account("telegram_bot", None, {"bot_token": " "})) == [
        "Bot token is missing."
    ]
