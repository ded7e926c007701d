from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest

from resend_admin.sandbox.thread import Sandbox
from tests.sandbox.conftest import APP_SECRET
from tests.sandbox.receiver import Receiver, call
from tests.sandbox.senders import NUMBER_ID, sms, whatsapp

TEMPLATE = {
    "type": "template",
    "template": {"name": "offer", "language": {"code": "en"}},
}


def test_an_accepted_message_is_answered_as_meta_does(sandbox: Sandbox) -> None:
    answer = whatsapp(sandbox, "+49 151 5550 1234")
    assert answer.status == 200
    assert answer.json["messaging_product"] == "whatsapp"
    assert answer.json["contacts"] == [
        {"input": "+49 151 5550 1234", "wa_id": "4915155501234"}
    ]
    (message,) = answer.json["messages"]
    assert message["id"].startswith("wamid.")
    (entry,) = sandbox.accepted()
    assert entry.provider_id == message["id"]
    assert entry.reference == "7:0"
    assert entry.account == NUMBER_ID


@pytest.mark.parametrize(
    ("number", "status", "code"),
    [("0002", 400, 131026), ("0005", 400, 131047)],
)
def test_magic_numbers_are_refused_in_metas_words(
    sandbox: Sandbox, number: str, status: int, code: int
) -> None:
    answer = whatsapp(sandbox, f"+4915155{number}")
    assert answer.status == status
    error = answer.json["error"]
    assert error["code"] == code
    assert error["message"].startswith(f"(#{code})")
    assert error["type"] == "OAuthException"
    assert error["error_data"]["details"]
    assert error["fbtrace_id"]
    (entry,) = sandbox.entries()
    assert (entry.outcome, entry.code) == ("refused", str(code))


def test_0004_fails_once_with_a_server_error(sandbox: Sandbox) -> None:
    first = whatsapp(sandbox, "+49151550004")
    assert first.status in (500, 503)
    assert first.json["error"]["code"] in (131000, 131016)
    assert whatsapp(sandbox, "+49151550004").status == 200
    assert whatsapp(sandbox, "+49151650004").status in (500, 503)


def test_0005_takes_a_template(sandbox: Sandbox) -> None:
    assert whatsapp(sandbox, "+49151550005", more=TEMPLATE).status == 200


def test_0006_is_accepted_and_then_failed_by_a_receipt(
    hooked: Sandbox, receiver: Receiver
) -> None:
    assert whatsapp(hooked, "+49151550006").status == 200
    assert receiver.statuses(1) == [("7:0", "failed")]
    (error,) = receiver.posts[0].statuses[0]["errors"]
    assert error["code"] == 131050
    assert error["error_data"]["details"]
    (entry,) = hooked.accepted()
    assert (entry.fate, entry.code) == ("failed", "131050")


def test_0007_is_accepted_but_never_answered(
    hooked: Sandbox, receiver: Receiver
) -> None:
    with pytest.raises(TimeoutError):
        whatsapp(hooked, "+49151550007", timeout=0.2)
    (entry,) = hooked.accepted()
    assert entry.fate == "silent"
    whatsapp(hooked, "+49151550001", reference="8:0")
    receiver.statuses(2)
    assert {reference for reference, _ in receiver.statuses(2)} == {"8:0"}


def test_receipts_are_signed_and_come_in_order(
    hooked: Sandbox, receiver: Receiver
) -> None:
    whatsapp(hooked, "+49151550001")
    statuses = receiver.statuses(2)
    assert statuses[:2] == [("7:0", "sent"), ("7:0", "delivered")]
    for post in receiver.posts:
        digest = hmac.new(APP_SECRET.encode(), post.body, hashlib.sha256).hexdigest()
        assert post.headers["x-hub-signature-256"] == f"sha256={digest}"
        assert post.json["object"] == "whatsapp_business_account"
        assert post.path == "/hooks/a"


def test_0003_is_delivered_after_everybody_else(
    hooked: Sandbox, receiver: Receiver
) -> None:
    whatsapp(hooked, "+49151550003", reference="slow:0")
    whatsapp(hooked, "+49151550001", reference="quick:0")
    statuses = receiver.wait_until(
        lambda posts: any(
            (status["biz_opaque_callback_data"], status["status"])
            == ("slow:0", "delivered")
            for post in posts
            for status in post.statuses
        )
    )
    assert ("quick:0", "delivered") in receiver.statuses(4)
    assert len(statuses) > 2


def test_some_are_read(hooked: Sandbox, receiver: Receiver) -> None:
    for number in range(20):
        whatsapp(hooked, f"+4915155{1000 + number}", reference=f"{number}:0")
    posts = receiver.wait_until(
        lambda posts: any(
            status["status"] == "read" for post in posts for status in post.statuses
        )
    )
    assert posts


def test_receipts_are_posted_in_batches(hooked: Sandbox, receiver: Receiver) -> None:
    hooked.behave(receipts="hold")
    for number in range(60):
        whatsapp(hooked, f"+4915155{1000 + number}", reference=f"{number}:0")
    # By the time that the slowest of all is delivered the others are held.
    callback = f"{receiver.url}/sms"
    hooked.behave(receipts="release", channel="sms")
    sms(hooked, "+49151550003", callback=callback)
    receiver.wait_until(lambda posts: len(posts) == 2)
    receiver.posts.clear()
    hooked.reset()
    statuses = receiver.statuses(120)
    assert len({reference for reference, _ in statuses}) == 60
    assert all(len(post.statuses) <= 100 for post in receiver.posts)
    assert len(receiver.posts) < 60


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"messaging_product": "sms"}, 100),
        ({"to": ""}, 100),
        ({"to": "nobody"}, 131009),
        ({"text": "not an object"}, 100),
        ({"text": {"body": ""}}, 131008),
        ({"text": {"body": "x" * 4097}}, 100),
        ({"type": "image", "image": {}}, 131008),
        ({"type": "template", "template": {"name": "offer"}}, 131008),
    ],
)
def test_a_malformed_message_is_refused_and_recorded(
    sandbox: Sandbox, fields: dict[str, Any], code: int
) -> None:
    answer = whatsapp(sandbox, "+4915155501234", more=fields)
    assert answer.status == 400
    assert answer.json["error"]["code"] == code
    (entry,) = sandbox.entries()
    assert (entry.outcome, entry.decided_by) == ("refused", "request")


@pytest.mark.parametrize("token", ["", "revoked-token"])
def test_without_a_working_token_nothing_is_taken(sandbox: Sandbox, token: str) -> None:
    answer = whatsapp(sandbox, "+49151550001", token=token)
    assert answer.status == 401
    assert answer.json["error"]["code"] == 190
    assert sandbox.accepted() == []


def test_the_sending_number_tells_whether_the_token_works(sandbox: Sandbox) -> None:
    url = f"{sandbox.base_url('whatsapp_cloud')}/{NUMBER_ID}"
    known = call("GET", url, headers={"Authorization": "Bearer token"})
    assert known.json["id"] == NUMBER_ID
    assert call("GET", url).status == 401
