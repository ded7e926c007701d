"""What Meta posts: who may post it, and what it says."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from messaging.channels.contract import Event, EventKind, HookRequest
from messaging.channels.whatsapp_cloud import WhatsAppCloud
from tests.messaging.channels.samples import SECRETS, account, post

CLOUD = WhatsAppCloud()
ACCOUNT = account("whatsapp_cloud")
BODY = b'{"object":"whatsapp_business_account","entry":[]}'


def signature(
    body: bytes, secret: str = SECRETS["whatsapp_cloud"]["app_secret"]
) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def test_a_known_signature() -> None:
    # printf '%s' '{}' | openssl dgst -sha256 -hmac app-secret-5d1f
    known = "64508556d248e5693d85443fea11d7ac3edaaef194f9d3ef5e8bd8c6c8966e84"
    request = post(b"{}", {"x-hub-signature-256": f"sha256={known}"})
    assert CLOUD.is_authentic(ACCOUNT, request)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-hub-signature-256": ""},
        {"x-hub-signature-256": signature(BODY, "another secret")},
        {"x-hub-signature-256": signature(BODY).removeprefix("sha256=")},
        {"x-hub-signature-256": signature(BODY + b" ")},
        {"x-hub-signature-256": "sha256=ünïcode"},
        {"x-hub-signature": signature(BODY)},
    ],
)
def test_a_wrong_or_missing_signature(headers: dict[str, str]) -> None:
    assert not CLOUD.is_authentic(ACCOUNT, post(BODY, headers))


def test_an_altered_body() -> None:
    request = post(
        BODY.replace(b"[]", b"[1]"), {"x-hub-signature-256": signature(BODY)}
    )
    assert not CLOUD.is_authentic(ACCOUNT, request)


def test_without_an_app_secret_nothing_is_authentic() -> None:
    nobody = account("whatsapp_cloud", None, {"app_secret": ""})
    request = post(BODY, {"x-hub-signature-256": signature(BODY, "")})
    assert not CLOUD.is_authentic(nobody, request)


def handshake(method: str = "GET", **query: str) -> str | None:
    asked = {
        "hub.mode": "subscribe",
        "hub.verify_token": "verify/me please",
        "hub.challenge": "1158201444",
        **{f"hub.{name}": value for name, value in query.items()},
    }
    request = HookRequest(method, ACCOUNT.hook_url, {}, asked, b"")
    return CLOUD.handshake(ACCOUNT, request)


def test_the_handshake_repeats_the_challenge() -> None:
    assert handshake() == "1158201444"
    assert handshake(verify_token="wrong") is None
    assert handshake(verify_token="") is None
    assert handshake(mode="unsubscribe") is None
    assert handshake("POST") is None


def test_without_a_verify_token_no_handshake_succeeds() -> None:
    nobody = account("whatsapp_cloud", None, {"verify_token": ""})
    query = {"hub.mode": "subscribe", "hub.verify_token": "", "hub.challenge": "1"}
    assert CLOUD.handshake(nobody, HookRequest("GET", "", {}, query, b"")) is None


def events(**value: Any) -> list[Event]:
    change = {"field": "messages", "value": {"messaging_product": "whatsapp", **value}}
    body = {"object": "whatsapp_business_account", "entry": [{"changes": [change]}]}
    return CLOUD.events(ACCOUNT, post(json.dumps(body).encode()))


def status(name: str, **more: Any) -> dict[str, Any]:
    return {
        "id": "wamid.A",
        "status": name,
        "timestamp": "1700000000",
        "recipient_id": "233241234567",
        "biz_opaque_callback_data": "4711:0",
        **more,
    }


@pytest.mark.parametrize("name", ["sent", "delivered", "read"])
def test_a_status(name: str) -> None:
    raw = status(name)
    assert events(statuses=[raw]) == [
        Event(
            key=f"status:wamid.A:{name}",
            kind=EventKind.STATUS,
            raw=raw,
            reference="4711:0",
            provider_id="wamid.A",
            state=name,
            address="+233241234567",
            occurred_at=datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC),
        )
    ]


def test_a_failure_has_code_and_detail() -> None:
    error = {
        "code": 131047,
        "title": "Re-engagement message",
        "message": "Re-engagement message",
        "error_data": {"details": "More than 24 hours have passed"},
    }
    (event,) = events(statuses=[status("failed", errors=[error])])
    assert (event.state, event.error_code) == ("failed", "131047")
    assert event.error_detail == "More than 24 hours have passed"


@pytest.mark.parametrize("name", ["warning", "deleted", "played"])
def test_a_word_we_do_not_know_is_kept_without_a_state(name: str) -> None:
    (event,) = events(statuses=[status(name)])
    assert (event.kind, event.state) == (EventKind.STATUS, "")
    assert event.raw["status"] == name


def test_many_updates_in_one_post() -> None:
    found = events(
        statuses=[status("sent"), status("delivered"), "odd"],
        messages=[{"id": "wamid.B", "from": "49151", "text": {"body": "Hi"}}],
    )
    kinds = [event.kind for event in found]
    assert kinds == [
        EventKind.STATUS,
        EventKind.STATUS,
        EventKind.UNKNOWN,
        EventKind.INBOUND,
    ]
    assert found[2].raw == "odd"
    assert len({event.key for event in found}) == 4


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"text": {"body": " Stop. "}}, EventKind.OPT_OUT),
        ({"text": {"body": "UNSUBSCRIBE"}}, EventKind.OPT_OUT),
        ({"button": {"text": "Stop promotions"}}, EventKind.OPT_OUT),
        ({"interactive": {"button_reply": {"title": "STOP"}}}, EventKind.OPT_OUT),
        ({"text": {"body": "start"}}, EventKind.OPT_IN),
    ],
)
def test_one_word_decides(said: dict[str, Any], kind: EventKind) -> None:
    message = {"id": "wamid.B", "from": "233241234567", "timestamp": "1", **said}
    inbound, wish = events(messages=[message])
    assert inbound.kind == EventKind.INBOUND
    assert (wish.kind, wish.address) == (kind, "+233241234567")
    assert wish.key == f"{kind}:wamid.B"


@pytest.mark.parametrize(
    "said", ["stop it please", "please stop the delivery", "", "don't stop"]
)
def test_a_sentence_decides_nothing(said: str) -> None:
    message = {"id": "wamid.B", "from": "49151", "text": {"body": said}}
    (event,) = events(messages=[message])
    assert event.kind == EventKind.INBOUND


def test_the_marketing_switch() -> None:
    preference = {"wa_id": "49151", "category": "marketing_messages", "value": "stop"}
    (event,) = events(user_preferences=[{**preference, "timestamp": 1700000000}])
    assert (event.kind, event.address) == (EventKind.OPT_OUT, "+49151")


def test_other_news_is_kept_whole() -> None:
    change = {"field": "account_update", "value": {"event": "VERIFIED"}}
    body = {"entry": [{"changes": [change]}]}
    (event,) = CLOUD.events(ACCOUNT, post(json.dumps(body).encode()))
    assert (event.kind, event.raw) == (EventKind.UNKNOWN, body)
