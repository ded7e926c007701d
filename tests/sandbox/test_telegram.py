from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from resend_admin.sandbox.thread import Sandbox
from tests.sandbox.receiver import Receiver, call
from tests.sandbox.senders import BOT, telegram


def test_an_accepted_message_is_answered_as_telegram_does(sandbox: Sandbox) -> None:
    answer = telegram(sandbox, 90001234)
    assert answer.status == 200
    assert answer.json["ok"] is True
    result = answer.json["result"]
    assert result["chat"]["id"] == 90001234
    assert result["text"] == "Hello"
    (entry,) = sandbox.accepted()
    assert entry.provider_id == str(result["message_id"])
    assert (entry.account, entry.recipient) == (BOT, "90001234")
    assert entry.reference == "7:0"


def test_a_form_will_do_as_well(sandbox: Sandbox) -> None:
    answer = call(
        "POST",
        f"{sandbox.base_url('telegram_bot')}/bot{BOT}:secret/sendMessage",
        body=urlencode({"chat_id": "90001234", "text": "Hello"}).encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.json["result"]["text"] == "Hello"


@pytest.mark.parametrize(
    ("method", "field"),
    [
        ("sendPhoto", "photo"),
        ("sendVideo", "video"),
        ("sendAudio", "audio"),
        ("sendDocument", "document"),
    ],
)
def test_media_methods_need_their_file(
    sandbox: Sandbox, method: str, field: str
) -> None:
    fields: dict[str, Any] = {field: "https://example.org/file", "caption": "See"}
    answer = telegram(sandbox, 90001234, method=method, **fields)
    assert answer.json["result"]["caption"] == "See"
    missing = telegram(sandbox, 90001234, method=method, caption="See")
    assert (missing.status, missing.json["ok"]) == (400, False)


@pytest.mark.parametrize(
    ("chat", "status", "description"),
    [
        (9000002, 400, "Bad Request: chat not found"),
        (9000006, 403, "Forbidden: bot was blocked by the user"),
    ],
)
def test_magic_numbers_are_refused_in_telegrams_words(
    sandbox: Sandbox, chat: int, status: int, description: str
) -> None:
    answer = telegram(sandbox, chat)
    assert answer.status == status
    assert answer.json == {
        "ok": False,
        "error_code": status,
        "description": description,
    }


def test_0004_fails_once_with_a_server_error(sandbox: Sandbox) -> None:
    assert telegram(sandbox, 9000004).status in (500, 502)
    assert telegram(sandbox, 9000004).status == 200


def test_0003_and_0005_are_delivered(sandbox: Sandbox) -> None:
    assert telegram(sandbox, 9000003).json["ok"] is True
    assert telegram(sandbox, 9000005).json["ok"] is True


def test_0007_is_accepted_but_never_answered(sandbox: Sandbox) -> None:
    with pytest.raises(TimeoutError):
        telegram(sandbox, 9000007, timeout=0.2)
    (entry,) = sandbox.accepted()
    assert entry.fate == "silent"


@pytest.mark.parametrize("token", ["no-number", f"{BOT}:revoked"])
def test_a_bad_token_is_unauthorized(sandbox: Sandbox, token: str) -> None:
    answer = telegram(sandbox, 9000001, token=token)
    assert answer.json == {
        "ok": False,
        "error_code": 401,
        "description": "Unauthorized",
    }


def test_an_unknown_method_is_not_found(sandbox: Sandbox) -> None:
    assert telegram(sandbox, 9000001, method="sendDice").status == 404


def test_a_hook_set_by_the_bot_gets_what_members_write(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    url = f"{receiver.url}/hooks/c"
    answer = telegram(
        sandbox, 0, method="setWebhook", url=url, secret_token="telegram-secret"
    )
    assert answer.json == {"ok": True, "result": True}
    assert sandbox.inbound("telegram", "90001234", "STOP") == 200
    (post,) = receiver.posts
    assert post.headers["x-telegram-bot-api-secret-token"] == "telegram-secret"
    message = post.json["message"]
    assert (message["from"]["id"], message["text"]) == (90001234, "STOP")
    assert post.json["update_id"] > 0
