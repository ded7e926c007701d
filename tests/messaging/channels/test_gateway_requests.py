"""What a device is asked for, over HTTP, with the sandbox as the gateway."""

from __future__ import annotations

import pytest

from messaging.channels.contract import Accepted, Account, InDoubt, Rejected
from messaging.channels.gateway_requests import (
    device_status,
    device_statuses,
    is_not_ready,
    request_history,
    request_retransmission,
)
from resend_admin.sandbox.thread import Sandbox
from tests.messaging.channels.samples import account

PERSON = "5511999999999@s.whatsapp.net"


def gateway(sandbox: Sandbox, **credentials: str) -> Account:
    return account(
        "device_gateway",
        {"base_url": sandbox.base_url("device_gateway"), "device_id": "device"},
        credentials,
    )


def test_a_retransmission_is_asked_for_once(sandbox: Sandbox) -> None:
    answer = request_retransmission(gateway(sandbox), PERSON, PERSON, ["A/1", "B"])

    assert isinstance(answer, Accepted)
    [ask] = sandbox.asks()
    assert (ask.chat, ask.sender, ask.message_ids) == (PERSON, PERSON, ["A/1", "B"])


def test_a_phone_that_is_off_is_not_ready(sandbox: Sandbox) -> None:
    sandbox.phone(account="device", connected=False)

    answer = request_retransmission(gateway(sandbox), PERSON, PERSON, ["A"])

    assert is_not_ready(answer)
    assert [ask.outcome for ask in sandbox.asks()] == ["refused"]
    status = device_status(gateway(sandbox))
    assert (status.is_connected, status.problem) == (False, None)


def test_a_wrong_token_is_told_apart(sandbox: Sandbox) -> None:
    answer = request_retransmission(
        gateway(sandbox, api_token="revoked"), PERSON, PERSON, ["A"]
    )

    assert isinstance(answer, Rejected)
    assert answer.code == "auth_failed"


def test_a_fault_of_the_gateway_is_a_refusal_for_certain(sandbox: Sandbox) -> None:
    sandbox.behave("server_error", channel="gateway")

    answer = request_retransmission(gateway(sandbox), PERSON, PERSON, ["A"])

    assert isinstance(answer, Rejected)
    assert (answer.code, answer.http_status) == ("INTERNAL_ERROR", 500)


def test_a_lost_answer_leaves_doubt(sandbox: Sandbox) -> None:
    sandbox.behave("close", channel="gateway")

    answer = request_retransmission(gateway(sandbox), PERSON, PERSON, ["A"])

    assert isinstance(answer, InDoubt)
    assert [ask.outcome for ask in sandbox.asks()] == ["accepted"]


def test_the_phone_tells_its_number(sandbox: Sandbox) -> None:
    status = device_status(gateway(sandbox))

    assert status.is_connected
    assert status.is_logged_in
    assert status.phone == "233300002000"


@pytest.mark.parametrize(
    ("change", "is_paired"), [({"connected": False}, True), ({"linked": False}, False)]
)
def test_a_phone_that_is_away_is_still_paired_or_not(
    sandbox: Sandbox, change: dict[str, bool], is_paired: bool
) -> None:
    sandbox.phone(account="device", **change)

    status = device_status(gateway(sandbox))

    assert (status.is_connected, status.is_logged_in) == (False, False)
    assert status.is_paired is is_paired
    assert status.last_seen is not None


def test_gateways_are_asked_together_and_told_apart(sandbox: Sandbox) -> None:
    nobody = account("device_gateway", {"base_url": "http://127.0.0.1:1"})

    first, second = device_statuses([nobody, gateway(sandbox)])

    assert isinstance(first.problem, Rejected)
    assert second.is_connected
    assert device_statuses([]) == []


def test_history_is_asked_for(sandbox: Sandbox) -> None:
    value = {"chat_jid": PERSON, "count": 3}

    assert isinstance(request_history(gateway(sandbox), value), Accepted)
    assert [ask.chat for ask in sandbox.asks("history")] == [PERSON]


def test_nobody_there_is_a_refusal_for_certain() -> None:
    nobody = account("device_gateway", {"base_url": "http://127.0.0.1:1"})

    answer = request_retransmission(nobody, PERSON, PERSON, ["A"])

    assert isinstance(answer, Rejected)
    assert answer.code == "connection_failed"
