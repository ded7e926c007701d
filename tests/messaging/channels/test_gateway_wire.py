"""The bytes that go to a device gateway, and what its answers mean."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.channels import jids
from messaging.channels.contract import Accepted, Answer, InDoubt, Rejected
from messaging.channels.device_gateway import DeviceGateway
from tests.messaging.channels.samples import BUTTONS, CONTENTS, MENU, account, outbound

GATEWAY = DeviceGateway()
NUMBER = "233241234567"

WIRE: dict[str, tuple[str, dict[str, Any]]] = {
    "text": ("text", {"text": "Hello Ama, 5 < 7 & true"}),
    "image": (
        "image",
        {"image_url": "https://cdn.example.com/a.jpg", "caption": "For Ama Mensah"},
    ),
    "video": ("video", {"video_url": "https://cdn.example.com/a.mp4"}),
    "audio": ("audio", {"audio_url": "https://cdn.example.com/a.ogg"}),
    "document": (
        "document",
        {
            "document_url": "https://cdn.example.com/a.pdf?x=1&y=2",
            "caption": "Your invoice",
            "file_name": "Invoice.pdf",
        },
    ),
    "template": ("text", {"text": "Hi Ama, your order c-17 is ready."}),
}


@pytest.mark.parametrize("kind", list(CONTENTS))
def test_every_content_on_the_wire(kind: str) -> None:
    request = GATEWAY.build(account("device_gateway"), outbound("device_gateway", kind))

    path, body = WIRE[kind]
    assert request.method == "POST"
    assert request.url == (f"https://api.wuts.com.br/send/{path}?device_id=device-7f3a")
    assert request.headers == {
        "Authorization": "Bearer 9b1c7e2a-44d3-4a55-8f10-2b3c4d5e6f70",
        "Content-Type": "application/json",
    }
    assert json.loads(request.body) == {"number": NUMBER, **body}


def test_a_token_with_one_device_names_none() -> None:
    one = account("device_gateway", {"device_id": ""})

    assert GATEWAY.build(one, outbound("device_gateway")).url == (
        "https://api.wuts.com.br/send/text"
    )


def test_buttons_travel_and_lists_are_refused_in_words() -> None:
    sent = outbound("device_gateway", "interactive", BUTTONS)
    request = GATEWAY.build(account("device_gateway"), sent)

    assert request.url.startswith("https://api.wuts.com.br/send/buttons")
    assert json.loads(request.body) == {
        "to": NUMBER,
        "message": "Shall we, Ama?",
        "buttons": [
            {"id": "yes", "display_text": "Yes"},
            {"id": "no", "display_text": "No"},
        ],
    }
    assert GATEWAY.refusals("interactive", BUTTONS) == []
    assert GATEWAY.refusals("interactive", MENU) == [
        "WhatsApp device gateway cannot carry lists; use up to three buttons."
    ]


def test_a_voice_note_keeps_its_options() -> None:
    options = {
        "ptt": True,
        "view_once": True,
        "mentions": ["5511999999999@s.whatsapp.net"],
        "quoted": {"key": {"id": "3EB0", "fromMe": False}},
        "delay": 2,
    }
    payload = {"url": "https://x.example/a.ogg", **options, "secret": "not for them"}
    sent = outbound("device_gateway", "audio", payload)

    body = json.loads(GATEWAY.build(account("device_gateway"), sent).body)

    assert body == {"number": NUMBER, "audio_url": "https://x.example/a.ogg", **options}


def test_a_document_without_a_name_gets_that_of_its_address() -> None:
    payload = {"url": "https://x.example/files/terms.pdf?v=2"}
    sent = outbound("device_gateway", "document", payload)

    body = json.loads(GATEWAY.build(account("device_gateway"), sent).body)

    assert body["file_name"] == "terms.pdf"


@pytest.mark.parametrize(
    ("status", "body", "answer"),
    [
        (200, {"success": True, "message_id": "3EB0"}, Accepted("3EB0")),
        (
            503,
            {"success": False, "error": "Off", "error_code": "DEVICE_NOT_READY"},
            Rejected("DEVICE_NOT_READY", "Off"),
        ),
        (
            500,
            {"error": "WhatsApp not connected"},
            Rejected("DEVICE_NOT_READY", "WhatsApp not connected"),
        ),
        (
            400,
            {
                "success": False,
                "error": "validation failed",
                "error_code": "VALIDATION_ERROR",
                "validation": [{"field": "body", "message": "body cannot be empty"}],
            },
            Rejected("VALIDATION_ERROR", "validation failed; body cannot be empty"),
        ),
        (
            401,
            {"success": False, "error": "unauthorized"},
            Rejected("auth_failed", "unauthorized"),
        ),
        (
            200,
            {"success": False, "error": "no", "error_code": "FORBIDDEN"},
            Rejected("FORBIDDEN", "no"),
        ),
        (404, {"error": "gone"}, Rejected("http_404", "gone")),
        (504, {"error": "late"}, InDoubt("http_504", "late")),
        (
            504,
            {"error": "late", "error_code": "SEND_TIMEOUT"},
            InDoubt("http_504", "late"),
        ),
        (
            200,
            {"success": True},
            InDoubt("unreadable_answer", "The answer names no message."),
        ),
    ],
)
def test_what_an_answer_means(
    status: int, body: dict[str, Any], answer: Answer
) -> None:
    assert GATEWAY.read(status, {}, json.dumps(body).encode()) == answer


def test_a_token_that_is_no_uuid_is_a_problem_in_words() -> None:
    wrong = account("device_gateway", credentials={"api_token": "wuts_tok_123"})

    assert GATEWAY.problems(wrong) == [
        "The API token is a UUID, as 6f1c2a54-9b1e-4c0e-8d53-…."
    ]
    assert GATEWAY.problems(account("device_gateway")) == []


@given(digits=st.from_regex(r"[1-9][0-9]{6,14}", fullmatch=True))
def test_a_number_and_its_jid_are_the_same(digits: str) -> None:
    jid = jids.of_phone(f"+{digits}")

    assert jids.is_person(jid)
    assert jids.is_chat(jid)
    assert not jids.is_group(jid)
    assert jids.phone_of(jid) == f"+{digits}"
    assert jids.phone_of(jid.replace("@", ":17@")) == f"+{digits}"


@given(digits=st.from_regex(r"[0-9]{15,25}", fullmatch=True))
def test_a_group_is_a_chat_and_no_person(digits: str) -> None:
    jid = f"{digits}@g.us"

    assert jids.is_group(jid)
    assert jids.is_chat(jid)
    assert not jids.is_person(jid)
    assert jids.phone_of(jid) == ""


@given(text=st.text(max_size=40))
def test_hardly_any_text_is_a_jid(text: str) -> None:
    for made in (text, f"{text}@s.whatsapp.net", f"{text}@g.us", f"{text}@newsletter"):
        plain = text.isascii() and text.isdigit()
        assert not jids.is_chat(made) or plain
        assert not jids.is_chat(f"{made}\n")


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "@s.whatsapp.net",
        "0551199999999@s.whatsapp.net",
        "٥٥١١٩٩٩٩٩٩٩٩@s.whatsapp.net",
        "5511999999999",
        "5511999999999@g.us",
        "12036303900000000012036303@g.us",
        "5511999999999@s.whatsapp.net.evil.example",
        "5511999999999@S.WHATSAPP.NET",
        " 5511999999999@s.whatsapp.net",
    ],
)
def test_what_is_no_chat(wrong: str) -> None:
    assert not jids.is_chat(wrong)
