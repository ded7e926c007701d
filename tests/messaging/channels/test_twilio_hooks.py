"""What Twilio posts: who may post it, and what it says."""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import urlencode

import pytest

from messaging.channels.contract import Event, EventKind, HookRequest
from messaging.channels.twilio import Twilio
from tests.messaging.channels.samples import HOOK_URL, SECRETS, account, post

TWILIO = Twilio()
ACCOUNT = account("twilio")
SIGNED = f"{HOOK_URL}?reference=4711%3A0"
SEEN = "http://10.0.0.7:8000/hooks/5f0c?reference=4711%3A0"
FORM = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": "+233241234567"}


def signature(
    url: str, form: dict[str, str], token: str = SECRETS["twilio"]["auth_token"]
) -> str:
    text = url + "".join(name + form[name] for name in sorted(form))
    digest = hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def request(
    form: dict[str, str], signed: str | None, url: str = SEEN, method: str = "POST"
) -> HookRequest:
    headers = {} if signed is None else {"x-twilio-signature": signed}
    query = {"reference": "4711:0"} if "reference" in url else {}
    return HookRequest(method, url, headers, query, urlencode(form).encode())


def test_twilios_own_example() -> None:
    """The example of twilio.com/docs/usage/security, with its own values."""
    example = account(
        "twilio",
        credentials={"auth_token": "12345"},
        hook_url="https://mycompany.com/myapp.php",
    )
    form = {
        "Digits": "1234",
        "To": "+18005551212",
        "From": "+14158675310",
        "Caller": "+14158675310",
        "CallSid": "CA1234567890ABCDE",
    }
    signed = "GvWf1cFY/Q7PnoempGyD5oXAezc="
    seen = "http://127.0.0.1/myapp.php?foo=1&bar=2"
    asked = HookRequest(
        "POST", seen, {"x-twilio-signature": signed}, {}, urlencode(form).encode()
    )
    assert TWILIO.is_authentic(example, asked)


def test_the_public_address_is_what_counts() -> None:
    assert TWILIO.is_authentic(ACCOUNT, request(FORM, signature(SIGNED, FORM)))
    assert not TWILIO.is_authentic(ACCOUNT, request(FORM, signature(SEEN, FORM)))


def test_the_query_is_part_of_what_is_signed() -> None:
    altered = SEEN.replace("4711", "4712")
    signed = signature(SIGNED, FORM)
    assert not TWILIO.is_authentic(ACCOUNT, request(FORM, signed, altered))


@pytest.mark.parametrize(
    ("hook_url", "signed"),
    [
        ("https://a.example/h", "https://a.example:443/h"),
        ("https://a.example:8443/h", "https://a.example/h"),
        ("http://a.example/h", "http://a.example:80/h"),
        ("http://[::1]:8000/h", "http://[::1]:8000/h"),
    ],
)
def test_the_port_may_be_written_or_not(hook_url: str, signed: str) -> None:
    there = account("twilio", hook_url=hook_url)
    asked = request(FORM, signature(signed, FORM), "http://x/h")
    assert TWILIO.is_authentic(there, asked)


@pytest.mark.parametrize(
    "asked",
    [
        request(FORM, None),
        request(FORM, ""),
        request(FORM, "é"),
        request(FORM, signature(SIGNED, FORM, "another token")),
        request({**FORM, "MessageStatus": "failed"}, signature(SIGNED, FORM)),
        request({**FORM, "Extra": ""}, signature(SIGNED, FORM)),
        request({}, signature(SIGNED, FORM)),
        request(FORM, signature(SIGNED, FORM), method="GET"),
    ],
)
def test_a_wrong_or_missing_signature(asked: HookRequest) -> None:
    assert not TWILIO.is_authentic(ACCOUNT, asked)


def test_too_many_fields_cannot_hide_behind_a_signed_address() -> None:
    form = {f"f{number}": "" for number in range(600)}
    assert not TWILIO.is_authentic(ACCOUNT, request(form, signature(SIGNED, {})))


def test_without_an_auth_token_nothing_is_authentic() -> None:
    nobody = account("twilio", None, {"auth_token": ""})
    asked = request(FORM, signature(SIGNED, FORM, ""))
    assert not TWILIO.is_authentic(nobody, asked)


def test_a_delivery() -> None:
    assert TWILIO.events(ACCOUNT, request(FORM, None)) == [
        Event(
            key="status:SM1:delivered",
            kind=EventKind.STATUS,
            raw=FORM,
            reference="4711:0",
            provider_id="SM1",
            state="delivered",
            address="+233241234567",
        )
    ]


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("accepted", ""),
        ("queued", ""),
        ("sending", ""),
        ("sent", "sent"),
        ("read", "read"),
        ("undelivered", "failed"),
        ("failed", "failed"),
        ("canceled", ""),
        ("new word", ""),
    ],
)
def test_states(name: str, state: str) -> None:
    form = {**FORM, "MessageStatus": name, "ErrorCode": "30003"}
    (event,) = TWILIO.events(ACCOUNT, request(form, None))
    assert (event.kind, event.state) == (EventKind.STATUS, state)
    assert event.error_code == "30003"


def test_the_reference_is_found_in_the_address_alone() -> None:
    asked = HookRequest("POST", SEEN, {}, {}, urlencode(FORM).encode())
    (event,) = TWILIO.events(ACCOUNT, asked)
    assert event.reference == "4711:0"


def inbound(**form: str) -> list[Event]:
    fields = {"MessageSid": "SM2", "SmsStatus": "received", "From": "+49151", **form}
    return TWILIO.events(ACCOUNT, post(urlencode(fields).encode()))


def test_a_message_from_a_person() -> None:
    (event,) = inbound(Body="Thanks!")
    assert (event.kind, event.address) == (EventKind.INBOUND, "+49151")
    assert event.key == "message:SM2"


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        ({"Body": "STOP"}, EventKind.OPT_OUT),
        ({"Body": " quit "}, EventKind.OPT_OUT),
        ({"Body": "whatever", "OptOutType": "STOP"}, EventKind.OPT_OUT),
        ({"Body": "START"}, EventKind.OPT_IN),
        ({"Body": "ja", "OptOutType": "START"}, EventKind.OPT_IN),
    ],
)
def test_wishes(form: dict[str, str], kind: EventKind) -> None:
    message, wish = inbound(**form)
    assert message.kind == EventKind.INBOUND
    assert (wish.kind, wish.key) == (kind, f"{kind}:SM2")


def test_help_is_no_wish() -> None:
    (event,) = inbound(Body="stop", OptOutType="HELP")
    assert event.kind == EventKind.INBOUND


def test_what_is_not_understood_is_kept_whole() -> None:
    (event,) = TWILIO.events(ACCOUNT, post(b"Level=ERROR&Sid=NO1"))
    assert (event.kind, event.raw) == (
        EventKind.UNKNOWN,
        {"Level": "ERROR", "Sid": "NO1"},
    )
