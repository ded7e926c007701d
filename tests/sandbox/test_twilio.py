from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from resend_admin.sandbox.thread import Sandbox
from tests.sandbox.receiver import Posted, Receiver
from tests.sandbox.senders import ACCOUNT_SID, AUTH_TOKEN, sms


def is_signed(post: Posted, url: str) -> bool:
    text = url + "".join(name + text for name, text in sorted(post.form.items()))
    digest = hmac.new(AUTH_TOKEN.encode(), text.encode(), hashlib.sha1).digest()
    return post.headers["x-twilio-signature"] == base64.b64encode(digest).decode()


def test_an_accepted_message_is_answered_as_twilio_does(sandbox: Sandbox) -> None:
    callback = "http://127.0.0.1:1/hooks/b?reference=12%3A0"
    answer = sms(sandbox, "+4915155501234", callback=callback)
    assert answer.status == 201
    message = answer.json
    assert message["sid"].startswith("SM")
    assert len(message["sid"]) == 34
    assert message["status"] == "queued"
    assert message["error_code"] is None
    assert message["account_sid"] == ACCOUNT_SID
    (entry,) = sandbox.accepted()
    assert (entry.provider_id, entry.reference) == (message["sid"], "12:0")


@pytest.mark.parametrize(("number", "code"), [("0002", 21211), ("0006", 21610)])
def test_magic_numbers_are_refused_in_twilios_words(
    sandbox: Sandbox, number: str, code: int
) -> None:
    answer = sms(sandbox, f"+4915155{number}")
    assert answer.status == 400
    assert set(answer.json) == {"code", "message", "more_info", "status"}
    assert (answer.json["code"], answer.json["status"]) == (code, 400)


def test_0004_fails_once_with_a_server_error(sandbox: Sandbox) -> None:
    assert sms(sandbox, "+49151550004").status in (500, 503)
    assert sms(sandbox, "+49151550004").status == 201


def test_0005_is_delivered(sandbox: Sandbox) -> None:
    assert sms(sandbox, "+49151550005").status == 201


def test_0007_is_accepted_but_never_answered(sandbox: Sandbox) -> None:
    with pytest.raises(TimeoutError):
        sms(sandbox, "+49151550007", timeout=0.2)
    (entry,) = sandbox.accepted()
    assert entry.fate == "silent"


def test_callbacks_are_signed_for_the_very_address_given(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    callback = f"{receiver.url}/hooks/b?reference=12%3A0"
    sid = sms(sandbox, "+49151550001", callback=callback).json["sid"]
    sent, delivered = receiver.wait_until(lambda posts: len(posts) == 2)
    assert [sent.form["MessageStatus"], delivered.form["MessageStatus"]] == [
        "sent",
        "delivered",
    ]
    for post in (sent, delivered):
        assert post.path == "/hooks/b?reference=12%3A0"
        assert post.form["MessageSid"] == sid
        assert post.form["To"] == "+49151550001"
        assert is_signed(post, callback)


def test_a_lost_message_is_reported_as_undelivered(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    callback = f"{receiver.url}/hooks/b?reference=12%3A0"
    sid = sms(sandbox, "+4915155501234", callback=callback).json["sid"]
    receiver.wait_until(lambda posts: len(posts) == 2)
    assert sandbox.post_receipt(sid, "failed", "30003") == 200
    post = receiver.posts[-1]
    assert post.form["MessageStatus"] == "undelivered"
    assert post.form["ErrorCode"] == "30003"
    assert is_signed(post, callback)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"To": ""}, 21604),
        ({"To": "015155501234"}, 21211),
        ({"From": ""}, 21603),
        ({"Body": ""}, 21602),
        ({"Body": "x" * 1601}, 21617),
    ],
)
def test_a_malformed_message_is_refused(
    sandbox: Sandbox, fields: dict[str, str], code: int
) -> None:
    answer = sms(sandbox, "+4915155501234", more=fields)
    assert answer.status == 400
    assert answer.json["code"] == code


def test_broken_credentials_are_refused(sandbox: Sandbox) -> None:
    answer = sms(sandbox, "+49151550001", token="revoked")
    assert (answer.status, answer.json["code"]) == (401, 20003)
    assert sandbox.accepted() == []
