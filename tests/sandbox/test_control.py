from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from resend_admin.sandbox.thread import Sandbox
from tests.sandbox.conftest import APP_SECRET
from tests.sandbox.receiver import Receiver, call
from tests.sandbox.senders import ACCOUNT_SID, BOT, NUMBER_ID, sms, telegram, whatsapp


def control(sandbox: Sandbox, name: str, **fields: Any) -> tuple[int, Any]:
    body = json.dumps(fields).encode()
    answer = call("POST", f"{sandbox.url}/control/{name}", body=body)
    return answer.status, answer.json


def get(sandbox: Sandbox, path: str) -> Any:
    return call("GET", sandbox.url + path).json


def test_healthz_answers(sandbox: Sandbox) -> None:
    assert get(sandbox, "/healthz")["status"] == "ok"


def test_a_receipt_can_be_posted_by_hand(hooked: Sandbox, receiver: Receiver) -> None:
    with pytest.raises(TimeoutError):
        whatsapp(hooked, "+49151550007", timeout=0.2)
    (entry,) = hooked.accepted()
    answer = control(
        hooked, "receipts", provider_id=entry.provider_id, status="delivered"
    )
    assert answer == (200, {"hook_status": 200})
    assert receiver.statuses(1) == [("7:0", "delivered")]


def test_a_failure_by_hand_carries_its_code(
    hooked: Sandbox, receiver: Receiver
) -> None:
    hooked.behave(receipts="drop")
    provider_id = whatsapp(hooked, "+49151550001").json["messages"][0]["id"]
    assert hooked.post_receipt(provider_id, "failed", "131049") == 200
    (status,) = receiver.posts[0].statuses
    assert status["errors"][0]["code"] == 131049


def test_no_receipt_for_what_was_never_accepted(hooked: Sandbox) -> None:
    status, answer = control(hooked, "receipts", provider_id="wamid.none")
    assert status == 400
    assert "provider_id" in answer["error"]


def test_no_receipt_from_telegram(sandbox: Sandbox) -> None:
    number = telegram(sandbox, 90001234).json["result"]["message_id"]
    assert control(sandbox, "receipts", provider_id=str(number))[0] == 400


def test_what_a_member_writes_on_whatsapp_is_posted_signed(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    registered = control(
        sandbox,
        "hooks",
        kind="whatsapp",
        phone_number_id=NUMBER_ID,
        url=f"{receiver.url}/hooks/a",
        secret=APP_SECRET,
    )
    assert registered == (200, {"channel": "whatsapp", "account": NUMBER_ID})
    fields = {"channel": "whatsapp", "from": "+4915155501234", "text": "STOP"}
    assert control(sandbox, "inbound", **fields) == (200, {"hook_status": 200})
    (post,) = receiver.posts
    digest = hmac.new(APP_SECRET.encode(), post.body, hashlib.sha256).hexdigest()
    assert post.headers["x-hub-signature-256"] == f"sha256={digest}"
    value = post.json["entry"][0]["changes"][0]["value"]
    assert value["metadata"]["phone_number_id"] == NUMBER_ID
    assert value["messages"][0]["from"] == "4915155501234"
    assert value["messages"][0]["text"] == {"body": "STOP"}


def test_what_a_member_writes_by_sms_goes_where_callbacks_go(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.behave(receipts="drop")
    callback = f"{receiver.url}/hooks/b?reference=1%3A0"
    sms(sandbox, "+4915155501234", callback=callback)
    assert sandbox.inbound("sms", "+4915155501234", "STOP", account=ACCOUNT_SID) == 200
    (post,) = receiver.posts
    assert post.path == "/hooks/b"
    assert post.form["Body"] == "STOP"
    assert (post.form["From"], post.form["To"]) == ("+4915155501234", "+15550100737")
    assert post.headers["x-twilio-signature"]


def test_the_bot_token_names_the_bot(sandbox: Sandbox) -> None:
    fields = {"kind": "telegram", "bot_token": f"{BOT}:x", "url": "http://a.example/"}
    assert control(sandbox, "hooks", **fields)[1]["account"] == BOT


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "fax", "account": "1", "url": "http://a.example/"},
        {"kind": "whatsapp", "url": "http://a.example/"},
        {"kind": "whatsapp", "account": "1", "url": "a.example"},
    ],
)
def test_a_hook_that_makes_no_sense_is_explained(
    sandbox: Sandbox, fields: dict[str, str]
) -> None:
    status, answer = control(sandbox, "hooks", **fields)
    assert status == 400
    assert answer["error"]


def test_a_body_that_is_no_json_is_explained(sandbox: Sandbox) -> None:
    answer = call("POST", f"{sandbox.url}/control/behave", body=b"{")
    assert answer.status == 400
    assert "JSON" in answer.json["error"]


def test_the_log_can_be_followed(sandbox: Sandbox) -> None:
    telegram(sandbox, 90001234)
    first = get(sandbox, "/control/log")
    telegram(sandbox, 90000002)
    second = get(sandbox, f"/control/log?since={first['next']}")
    assert [line["outcome"] for line in first["lines"]] == ["accepted"]
    assert [line["outcome"] for line in second["lines"]] == ["refused"]
    assert get(sandbox, "/control/log?since=x")["error"]


def test_accepted_messages_are_listed_by_channel(sandbox: Sandbox) -> None:
    telegram(sandbox, 90001234)
    sms(sandbox, "+4915155501234")
    sms(sandbox, "+49151550002")
    everything = get(sandbox, "/control/accepted")["accepted"]
    assert [line["channel"] for line in everything] == ["telegram", "sms"]
    texts = get(sandbox, "/control/accepted?channel=sms")["accepted"]
    assert [line["recipient"] for line in texts] == ["+4915155501234"]


def test_a_receiver_that_is_down_gets_its_receipts_later(
    hooked: Sandbox, receiver: Receiver
) -> None:
    receiver.answers = [500, 503, 403]
    whatsapp(hooked, "+49151550001")
    assert receiver.statuses(2)[:2] == [("7:0", "sent"), ("7:0", "delivered")]
