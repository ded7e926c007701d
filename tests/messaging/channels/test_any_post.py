"""Whatever is posted to us, nothing raises, and all of it can be stored."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.channels import PROVIDERS
from messaging.channels.contract import Event, EventKind, HookRequest
from tests.messaging.channels.samples import account, post

POSTED = ["whatsapp_cloud", "device_gateway", "telegram_bot", "twilio"]

every_posting_provider = pytest.mark.parametrize("kind", POSTED)

WORDS = st.sampled_from(
    [
        "entry changes value statuses messages user_preferences id status timestamp",
        "errors error_data details recipient_id biz_opaque_callback_data from text",
        "update_id message chat my_chat_member new_chat_member callback_query date",
        "event data message_id message_ids chat_jid sender_jid content is_from_me to",
    ]
).flatmap(lambda names: st.sampled_from(names.split()))

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["sent", "failed", "stop", "kicked", "1700000000"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=6)
    ),
    max_leaves=20,
)


@st.composite
def meta_posts(draw: st.DrawFn) -> Any:
    """Return a post with Meta's skeleton and anything in its bones."""
    names = ("statuses", "messages", "user_preferences")
    value = {name: draw(st.lists(VALUES, max_size=3) | VALUES) for name in names}
    return {"entry": [{"changes": [{"value": value}]}]}


@st.composite
def gateway_posts(draw: st.DrawFn) -> Any:
    """Return a post with the gateway's envelope and anything in it."""
    names = ["message.received", "message.undecryptable", "media.retry"]
    names += ["history.sync", "message.read", "group.info"]
    return {
        "id": draw(st.text(max_size=200) | VALUES),
        "event": draw(st.sampled_from(names) | VALUES),
        "timestamp": draw(VALUES),
        "data": draw(st.dictionaries(WORDS, VALUES, max_size=8) | VALUES),
    }


def check(events: list[Event]) -> None:
    """Check that each event can be stored as it is."""
    assert events
    for event in events:
        assert 0 < len(event.key) <= 120
        assert len(event.provider_id) <= 255
        assert event.state in {"", "sent", "delivered", "read", "failed"}
        text = json.dumps(event.raw, allow_nan=False)
        assert "\\u0000" not in text.replace(r"\\", "")
        for value in (event.key, event.reference, event.address, event.error_detail):
            assert "\x00" not in value
            value.encode()


@every_posting_provider
@given(body=st.binary(max_size=400))
def test_any_bytes(kind: str, body: bytes) -> None:
    check(PROVIDERS[kind].events(account(kind), post(body)))


@every_posting_provider
@given(value=VALUES | meta_posts() | gateway_posts())
def test_any_json(kind: str, value: Any) -> None:
    check(PROVIDERS[kind].events(account(kind), post(json.dumps(value).encode())))


@given(
    form=st.dictionaries(
        st.sampled_from(
            ["MessageSid", "MessageStatus", "From", "To", "Body", "OptOutType", "\0"]
        ),
        st.text(max_size=300),
    ),
    query=st.text(max_size=20),
)
def test_any_form(form: dict[str, str], query: str) -> None:
    body = urlencode(form, errors="replace").encode()
    request = HookRequest("POST", f"http://x/?{query}", {}, {}, body)
    check(PROVIDERS["twilio"].events(account("twilio"), request))


@pytest.mark.parametrize("kind", list(PROVIDERS))
@given(
    body=st.binary(max_size=50),
    url=st.text(max_size=30),
    given_value=st.text(max_size=80),
    method=st.sampled_from(["GET", "POST", "PUT"]),
)
def test_no_forger_gets_in(
    kind: str, body: bytes, url: str, given_value: str, method: str
) -> None:
    names = (
        "x-hub-signature-256",
        "x-twilio-signature",
        "x-telegram-bot-api-secret-token",
        "x-webhook-token",
    )
    request = HookRequest(
        method,
        url,
        dict.fromkeys(names, given_value),
        {"hub.mode": "subscribe", "hub.verify_token": given_value},
        body,
    )
    for origin in ("", "http://[", "https://x.example/h"):
        asked = account(kind, hook_url=origin)
        assert not PROVIDERS[kind].is_authentic(asked, request)
        assert PROVIDERS[kind].handshake(asked, request) is None


@every_posting_provider
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"entry":' * 5_000,
        b"9" * 10_000,
        b'{"update_id": ' + b"9" * 4_000 + b', "message": {"chat": {"id": 1e999}}}',
        b'{"a": "\\u0000\\ud800", "b": NaN, "c": -Infinity, "d": 1e999}',
        b"&".join([b"a=b"] * 10_000),
    ],
)
def test_nasty_posts(kind: str, body: bytes) -> None:
    check(PROVIDERS[kind].events(account(kind), post(body)))


@every_posting_provider
def test_the_same_post_twice_has_the_same_keys(kind: str) -> None:
    request = post(b'{"what": "ever"}')
    first, second = (PROVIDERS[kind].events(account(kind), request) for _ in "12")
    assert first == second
    assert first[0].kind == EventKind.UNKNOWN


def test_a_mail_server_posts_nothing() -> None:
    smtp = PROVIDERS["smtp"]
    assert smtp.events(account("smtp"), post(b"{}")) == []
