"""The bytes that go to Twilio, and what its answers mean."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest

from messaging.channels.contract import (
    Accepted,
    Answer,
    InDoubt,
    RateLimited,
    Rejected,
)
from messaging.channels.twilio import Twilio
from tests.messaging.channels.samples import CONTENTS, account, outbound

TWILIO = Twilio()

CALLBACK = (
    "StatusCallback",
    "https://resend.example.com/hooks/5f0c?reference=4711%3A0",
)

WIRE: dict[str, list[tuple[str, str]]] = {
    "text": [("Body", "Hello Ama, 5 < 7 & true")],
    "image": [
        ("Body", "For Ama Mensah"),
        ("MediaUrl", "https://cdn.example.com/a.jpg"),
    ],
    "video": [("MediaUrl", "https://cdn.example.com/a.mp4")],
    "audio": [("MediaUrl", "https://cdn.example.com/a.ogg")],
    "document": [
        ("Body", "Your invoice"),
        ("MediaUrl", "https://cdn.example.com/a.pdf?x=1&y=2"),
    ],
    "template": [("Body", "Hi Ama, your order c-17 is ready.")],
}


@pytest.mark.parametrize("kind", list(CONTENTS))
def test_every_content_on_the_wire(kind: str) -> None:
    request = TWILIO.build(account("twilio"), outbound("twilio", kind))
    assert request.url == (
        "https://api.twilio.com/2010-04-01/Accounts/AC0123456789/Messages.json"
    )
    assert request.headers == {
        "Authorization": "Basic QUMwMTIzNDU2Nzg5OmF1dGgtdG9rZW4tYzBmZmVl",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    assert parse_qsl(request.body.decode()) == [
        ("To", "+233241234567"),
        ("From", "+15005550006"),
        *WIRE[kind],
        CALLBACK,
    ]


def test_a_text_byte_by_byte() -> None:
    request = TWILIO.build(
        account("twilio", hook_url=""), outbound("twilio", "text", {"text": "Hé & ho"})
    )
    assert request.body == (
        b"To=%2B233241234567&From=%2B15005550006&Body=H%C3%A9+%26+ho"
    )


def test_a_messaging_service_stands_for_the_number() -> None:
    service = account("twilio", {"messaging_service_sid": "MG77"})
    fields = dict(parse_qsl(TWILIO.build(service, outbound("twilio")).body.decode()))
    assert fields["MessagingServiceSid"] == "MG77"
    assert "From" not in fields


def test_a_hook_address_may_have_a_query_already() -> None:
    hooked = account("twilio", hook_url="https://x.example/h?a=1")
    fields = dict(parse_qsl(TWILIO.build(hooked, outbound("twilio")).body.decode()))
    assert fields["StatusCallback"] == "https://x.example/h?a=1&reference=4711%3A0"


def read(http_status: int, /, **value: Any) -> Answer:
    headers = {"retry-after": "9"}
    return TWILIO.read(http_status, headers, json.dumps(value).encode())


def test_an_acceptance() -> None:
    assert read(201, sid="SM1", status="queued") == Accepted("SM1")


def test_a_message_that_failed_at_once_is_refused() -> None:
    answer = read(201, sid="SM1", status="failed", error_code=30007)
    assert answer == Rejected("30007")


def test_errors() -> None:
    assert read(400, code=21211, message="Invalid 'To'") == Rejected(
        "21211", "Invalid 'To'"
    )
    assert read(401, code=20003, message="Authenticate") == Rejected(
        "auth_failed", "Authenticate"
    )
    assert read(500, code=20500, message="Oh") == Rejected("20500", "Oh")
    assert read(500, status=500) == Rejected("http_500", '{"status": 500}')


@pytest.mark.parametrize(("status", "code"), [(429, 20429), (400, 20429), (429, 14107)])
def test_rate_errors(status: int, code: int) -> None:
    answer = read(status, code=code)
    assert isinstance(answer, RateLimited)
    assert (answer.code, answer.retry_after) == (str(code), 9.0)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"sid":null}'])
def test_a_success_without_an_id_is_in_doubt(body: bytes) -> None:
    assert isinstance(TWILIO.read(201, {}, body), InDoubt)


def test_configuration_problems_are_sentences() -> None:
    assert TWILIO.problems(account("twilio")) == []
    bad = account("twilio", {"from_number": "", "account_sid": ""})
    assert TWILIO.problems(bad) == [
        "Account SID is missing.",
        "Enter a number to send from, or a messaging service.",
    ]
