"""The bytes that go to Meta, and what Meta's answers mean."""

from __future__ import annotations

import json
from typing import Any

import pytest

from messaging.channels import provider
from messaging.channels.contract import (
    Accepted,
    Answer,
    InDoubt,
    RateLimited,
    Rejected,
)
from messaging.channels.whatsapp_cloud import WhatsAppCloud
from tests.messaging.channels.samples import BUTTONS, CONTENTS, MENU, account, outbound

CLOUD = WhatsAppCloud()

WIRE: dict[str, Any] = {
    "text": {"preview_url": False, "body": "Hello Ama, 5 < 7 & true"},
    "image": {"link": "https://cdn.example.com/a.jpg", "caption": "For Ama Mensah"},
    "video": {"link": "https://cdn.example.com/a.mp4"},
    "audio": {"link": "https://cdn.example.com/a.ogg"},
    "document": {
        "link": "https://cdn.example.com/a.pdf?x=1&y=2",
        "caption": "Your invoice",
        "filename": "Invoice.pdf",
    },
    "template": {
        "name": "order_update",
        "language": {"code": "en_US"},
        "components": [
            {
                "type": "body",
                "parameters": [
                    {"type": "text", "text": "Ama"},
                    {"type": "text", "text": "c-17"},
                ],
            }
        ],
    },
}


def sent(kind: str, payload: Any) -> dict[str, Any]:
    request = CLOUD.build(
        account("whatsapp_cloud"), outbound("whatsapp_cloud", kind, payload)
    )
    value: dict[str, Any] = json.loads(request.body)
    return value


@pytest.mark.parametrize("kind", list(CONTENTS))
def test_every_content_on_the_wire(kind: str) -> None:
    request = CLOUD.build(account("whatsapp_cloud"), outbound("whatsapp_cloud", kind))
    assert request.url == ("https://graph.facebook.com/v23.0/106540352242922/messages")
    assert request.headers == {
        "Content-Type": "application/json",
        "Authorization": "Bearer EAAG-very-secret-token",
    }
    assert json.loads(request.body) == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "233241234567",
        "biz_opaque_callback_data": "4711:0",
        "type": kind,
        kind: WIRE[kind],
    }


def test_a_text_byte_by_byte() -> None:
    request = CLOUD.build(
        account("whatsapp_cloud"), outbound("whatsapp_cloud", "text", {"text": "Hé"})
    )
    assert request.body == (
        b'{"messaging_product":"whatsapp","recipient_type":"individual",'
        b'"to":"233241234567","biz_opaque_callback_data":"4711:0","type":"text",'
        b'"text":{"preview_url":false,"body":"H\xc3\xa9"}}'
    )


def test_buttons_on_the_wire() -> None:
    assert sent("interactive", BUTTONS)["interactive"] == {
        "type": "button",
        "body": {"text": "Shall we, Ama?"},
        "action": {
            "buttons": [
                {"type": "reply", "reply": {"id": "yes", "title": "Yes"}},
                {"type": "reply", "reply": {"id": "no", "title": "No"}},
            ]
        },
    }


def test_a_list_on_the_wire() -> None:
    assert sent("interactive", MENU)["interactive"] == {
        "type": "list",
        "body": {"text": "Pick one"},
        "action": {
            "button": "Choose",
            "sections": [
                {
                    "rows": [
                        {"id": "a", "title": "Apple", "description": "Red"},
                        {"id": "b", "title": "Banana"},
                    ]
                }
            ],
        },
    }


def test_a_template_without_parameters_has_no_components() -> None:
    payload = {"name": "hello", "language": "de", "body": "Hallo"}
    assert sent("template", payload)["template"] == {
        "name": "hello",
        "language": {"code": "de"},
    }


def test_a_template_parameter_has_no_line_breaks() -> None:
    payload = {**CONTENTS["template"], "parameters": ["two\n\tlines    here"]}
    (component,) = sent("template", payload)["template"]["components"]
    assert component["parameters"][0]["text"] == "two lines here"


def refused(code: int, status: int = 400, **more: Any) -> Answer:
    error = {"code": code, "message": f"(#{code}) No", **more}
    return CLOUD.read(status, {}, json.dumps({"error": error}).encode())


def test_an_acceptance() -> None:
    body = b'{"messages":[{"id":"wamid.A"}]}'
    assert CLOUD.read(200, {}, body) == Accepted("wamid.A")


def test_the_details_say_more_than_the_message() -> None:
    details = {"details": "Recipient is not a WhatsApp user"}
    assert refused(131026, error_data=details) == Rejected(
        "131026", "Recipient is not a WhatsApp user"
    )
    assert refused(131026) == Rejected("131026", "(#131026) No")


@pytest.mark.parametrize(
    ("code", "seconds", "whole_account"),
    [(130429, 5, True), (131056, 6, False), (80007, 60, True), (4, 60, True)],
)
def test_rate_errors(code: int, seconds: float, *, whole_account: bool) -> None:
    answer = refused(code)
    assert isinstance(answer, RateLimited)
    assert answer.retry_after == seconds
    assert answer.whole_account is whole_account


def test_retry_after_comes_before_the_default() -> None:
    body = b'{"error":{"code":80007}}'
    answer = CLOUD.read(400, {"retry-after": "120"}, body)
    assert isinstance(answer, RateLimited)
    assert answer.retry_after == 120


@pytest.mark.parametrize(
    "answer",
    [
        refused(190, 400),
        refused(10, 403, type="OAuthException"),
        refused(0, 401),
        CLOUD.read(401, {}, b"<html>"),
    ],
)
def test_broken_credentials(answer: Answer) -> None:
    assert isinstance(answer, Rejected)
    assert answer.code == "auth_failed"


def test_an_error_with_status_200_is_still_an_error() -> None:
    assert refused(131000, 200) == Rejected("131000", "(#131000) No")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"messages":[]}', b'{"messages":[{"id":null}]}']
)
def test_a_success_without_an_id_is_in_doubt(body: bytes) -> None:
    assert isinstance(CLOUD.read(200, {}, body), InDoubt)


def test_configuration_problems_are_sentences() -> None:
    good = account("whatsapp_cloud")
    assert CLOUD.problems(good) == []
    bad = account(
        "whatsapp_cloud",
        {"phone_number_id": "+49 30", "base_url": "graph.facebook.com"},
        {"access_token": "", "app_secret": "two\nlines"},
    )
    assert CLOUD.problems(bad) == [
        "Access token is missing.",
        "App secret contains a line break or a control character.",
        "The provider's address must start with http:// or https://.",
        "The phone number ID consists of digits only.",
    ]


def test_it_is_registered() -> None:
    assert isinstance(provider("whatsapp_cloud"), WhatsAppCloud)
