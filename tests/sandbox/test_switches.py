from __future__ import annotations

import json
import time
from contextlib import suppress
from http.client import IncompleteRead, RemoteDisconnected
from typing import Any

import pytest

from resend_admin.sandbox.switches import Fault, Switch, Switches
from resend_admin.sandbox.thread import Sandbox
from tests.sandbox.receiver import Receiver, call
from tests.sandbox.senders import sms, telegram, whatsapp


def test_a_switch_hits_its_channel_so_many_times() -> None:
    switches = Switches(7)
    switches.add(Switch(Fault.HANG, "sms", times=2))
    assert switches.draw("whatsapp") is None
    assert [switches.draw("sms") is not None for _ in range(3)] == [True, True, False]


def test_a_switch_without_times_stays_until_it_is_reset() -> None:
    switches = Switches(7)
    switches.add(Switch(Fault.HANG))
    assert all(switches.draw("sms") for _ in range(10))
    switches.reset()
    assert switches.draw("sms") is None


def test_resetting_one_channel_leaves_the_others() -> None:
    switches = Switches(7)
    switches.add(Switch(Fault.HANG, "sms"))
    switches.add(Switch(Fault.SLOW, "email"))
    switches.reset("sms")
    assert switches.draw("sms") is None
    assert switches.draw("email") is not None


def test_a_share_hits_some_and_the_same_ones_again() -> None:
    def hits() -> list[bool]:
        switches = Switches(7)
        switches.add(Switch(Fault.HANG, share=0.2))
        return [switches.draw("sms") is not None for _ in range(1000)]

    assert 100 < sum(hits()) < 300
    assert hits() == hits()


@pytest.mark.parametrize("accepting", [True, False])
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("hang", TimeoutError),
        ("close", RemoteDisconnected),
        ("close_mid_body", IncompleteRead),
    ],
)
def test_an_answer_may_get_lost_on_either_side_of_accepting(
    sandbox: Sandbox, fault: str, error: type[Exception], accepting: bool
) -> None:
    sandbox.behave(fault, channel="whatsapp", times=1, accepting=accepting)
    with pytest.raises(error):
        whatsapp(sandbox, "+4915155501234", timeout=0.2)
    assert len(sandbox.accepted()) == (1 if accepting else 0)
    assert whatsapp(sandbox, "+4915155501234").status == 200


@pytest.mark.parametrize("accepting", [True, False])
@pytest.mark.parametrize("fault", ["garbage", "slow", "close"])
def test_the_log_says_what_went_wrong_with_the_answer(
    sandbox: Sandbox, fault: str, accepting: bool
) -> None:
    sandbox.behave(fault, times=1, seconds=0.01, accepting=accepting)
    with suppress(RemoteDisconnected):
        whatsapp(sandbox, "+4915112341234")
    whatsapp(sandbox, "+4915112341235")
    disturbed, whole = sandbox.entries()
    assert disturbed.fault == fault
    assert disturbed.accepted is (accepting or fault == "slow")
    assert (whole.fault, whole.accepted) == ("", True)


def test_the_log_says_who_never_heard_an_answer(sandbox: Sandbox) -> None:
    with pytest.raises(TimeoutError):
        whatsapp(sandbox, "+4915112340007", timeout=0.2)
    (entry,) = sandbox.entries()
    assert (entry.fault, entry.fate) == ("hang", "silent")


def test_garbage_is_no_json(sandbox: Sandbox) -> None:
    sandbox.behave("garbage", times=1)
    answer = whatsapp(sandbox, "+4915155501234")
    assert answer.status == 200
    with pytest.raises(UnicodeDecodeError):
        json.loads(answer.body)
    assert len(sandbox.accepted()) == 1


def test_a_slow_answer_comes_whole_and_later(sandbox: Sandbox) -> None:
    sandbox.behave("slow", times=1, seconds=0.2)
    start = time.monotonic()
    assert whatsapp(sandbox, "+4915155501234").status == 200
    assert time.monotonic() - start >= 0.2


def test_every_provider_words_a_rate_limit_its_own_way(sandbox: Sandbox) -> None:
    sandbox.behave("rate_limit", times=3, retry_after=3)
    meta = whatsapp(sandbox, "+4915155501234")
    assert (meta.status, meta.json["error"]["code"]) == (429, 130429)
    twilio = sms(sandbox, "+4915155501234")
    assert (twilio.status, twilio.json["code"]) == (429, 20429)
    assert twilio.headers["Retry-After"] == "3"
    bot = telegram(sandbox, 90001234)
    assert bot.json == {
        "ok": False,
        "error_code": 429,
        "description": "Too Many Requests: retry after 3",
        "parameters": {"retry_after": 3},
    }
    assert sandbox.accepted() == []


@pytest.mark.parametrize(
    ("fault", "statuses"), [("server_error", (500, 502, 503)), ("auth", (401,))]
)
def test_every_provider_can_be_made_to_refuse(
    sandbox: Sandbox, fault: str, statuses: tuple[int, ...]
) -> None:
    sandbox.behave(fault)
    assert whatsapp(sandbox, "+49151550001").status in statuses
    assert sms(sandbox, "+49151550001").status in statuses
    assert telegram(sandbox, 90000001).status in statuses
    sandbox.reset()
    assert whatsapp(sandbox, "+49151550001").status == 200


def test_a_switched_failure_is_no_try_of_the_number_0004(sandbox: Sandbox) -> None:
    sandbox.behave("server_error", times=1)
    assert sms(sandbox, "+49151550004").status >= 500
    assert sms(sandbox, "+49151550004").status >= 500
    assert sms(sandbox, "+49151550004").status == 201


def behave(sandbox: Sandbox, **fields: Any) -> tuple[int, Any]:
    body = json.dumps(fields).encode()
    answer = call("POST", f"{sandbox.url}/control/behave", body=body)
    return answer.status, answer.json


def test_switches_work_over_http(sandbox: Sandbox) -> None:
    assert behave(sandbox, fault="auth", channel="sms")[0] == 200
    assert sms(sandbox, "+49151550001").status == 401
    assert whatsapp(sandbox, "+49151550001").status == 200
    assert behave(sandbox, reset=True)[0] == 200
    assert sms(sandbox, "+49151550001").status == 201


@pytest.mark.parametrize(
    "fields",
    [{"fault": "earthquake"}, {"channel": "fax"}, {"fault": "slow", "seconds": "x"}],
)
def test_nonsense_is_explained(sandbox: Sandbox, fields: dict[str, Any]) -> None:
    status, answer = behave(sandbox, **fields)
    assert status == 400
    assert answer["error"]


def test_dropped_receipts_never_come(hooked: Sandbox, receiver: Receiver) -> None:
    hooked.behave(receipts="drop", channel="whatsapp")
    whatsapp(hooked, "+49151550001", reference="1:0")
    hooked.wait_for_receipts(2)
    hooked.reset()
    whatsapp(hooked, "+49151550001", reference="2:0")
    assert receiver.statuses(2)[:2] == [("2:0", "sent"), ("2:0", "delivered")]
    assert [notice.result for notice in hooked.notices()][:2] == ["dropped"] * 2


def test_doubled_receipts_come_twice(hooked: Sandbox, receiver: Receiver) -> None:
    hooked.behave(receipts="double")
    whatsapp(hooked, "+49151550001")
    statuses = receiver.statuses(4)
    assert statuses.count(("7:0", "sent")) == 2
    assert statuses.count(("7:0", "delivered")) == 2


def test_shuffled_receipts_come_in_the_wrong_order(
    hooked: Sandbox, receiver: Receiver
) -> None:
    hooked.behave(receipts="shuffle")
    whatsapp(hooked, "+49151550001")
    receiver.wait_until(lambda posts: b'"sent"' in b"".join(p.body for p in posts))
    statuses = [found["status"] for post in receiver.posts for found in post.statuses]
    assert statuses.index("delivered") < statuses.index("sent")


def test_held_receipts_come_when_they_are_released(
    hooked: Sandbox, receiver: Receiver
) -> None:
    hooked.behave(receipts="hold")
    whatsapp(hooked, "+49151550001")
    hooked.behave(receipts="release", channel="sms")
    sms(hooked, "+49151550003", callback=f"{receiver.url}/sms")
    posts = receiver.wait_until(lambda posts: len(posts) == 2)
    assert [post.path for post in posts] == ["/sms", "/sms"]
    receiver.posts.clear()
    hooked.behave(receipts="release")
    assert set(receiver.statuses(2)) >= {("7:0", "sent"), ("7:0", "delivered")}
