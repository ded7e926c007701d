"""``POST /messages/{id}/retry`` and its neighbour, exactly as WUTS has them."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from messaging import api_clients
from messaging.channels import jids
from messaging.models import (
    ApiAccess,
    ApiClient,
    AuditEntry,
    InboundMessage,
    Integration,
    IntegrationState,
    RetransmissionRequest,
)
from resend_admin.sandbox.thread import Sandbox
from tests.factories import World
from tests.messaging.api.callers import caller
from tests.messaging.retransmission.steps import GROUP, PERSON, unread_message

pytestmark = pytest.mark.django_db(transaction=True)

WIRE_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
SEED = {
    "chat_jid": "120363039000000000@g.us",
    "sender_jid": "5511999999999@s.whatsapp.net",
    "message_ids": ["3EB0A1B2C3D4E5F60718"],
}


@pytest.fixture
def gateway(ours: World, sandbox: Sandbox) -> Integration:
    return ours.integration(
        "device_gateway", settings={"base_url": sandbox.base_url("device_gateway")}
    )


@pytest.fixture
def token(ours: World) -> str:
    return api_clients.rotate_bearer(caller(ours).client)


def post(path: str, body: Any, authorization: str) -> Any:
    headers = {"Authorization": authorization} if authorization else {}
    return Client().post(
        path,
        body if isinstance(body, str) else json.dumps(body),
        content_type="application/json",
        headers=headers,
    )


def retry(token: str, body: Any, message_id: str = "3EB0A1B2C3D4E5F60718") -> Any:
    return post(f"/messages/{message_id}/retry", body, f"Bearer {token}")


def refusal(response: Any, status: int) -> str:
    """Return the code of a refusal, after a look at its fields.

    Where single fields are wrong, it is the vendor's error word by word, and what is
    wrong stands beside it.
    """
    body = json.loads(response.content)
    assert response.status_code == status, body
    wrong = body.pop("validation", None)
    assert list(body) == ["success", "error", "error_code", "timestamp"]
    assert body["success"] is False
    assert WIRE_MOMENT.fullmatch(body["timestamp"])
    code: str = body["error_code"]
    if wrong is None:
        assert body["error"].endswith(".")
        return code
    assert (body["error"], code) == ("validation failed", "VALIDATION_ERROR")
    for one in wrong:
        assert list(one) == ["field", "message", "value"]
        assert one["message"].endswith(".")
    return code


def wrong_fields(response: Any) -> dict[str, Any]:
    """Return what stood in each field that is named as wrong."""
    wrong = json.loads(response.content)["validation"]
    return {one["field"].partition(".")[0]: one["value"] for one in wrong}


def test_the_seeds_request_gets_the_seeds_answer(
    gateway: Integration, sandbox: Sandbox, token: str
) -> None:
    response = retry(token, SEED)

    assert response.status_code == 200
    body = json.loads(response.content)
    assert list(body) == [
        "success",
        "chat_jid",
        "sender_jid",
        "message_ids",
        "receipt_type",
        "timestamp",
    ]
    moment = body.pop("timestamp")
    assert body == {"success": True, **SEED, "receipt_type": "retry"}
    assert WIRE_MOMENT.fullmatch(moment)
    assert datetime.fromisoformat(moment)
    [ask] = sandbox.asks()
    assert (ask.chat, ask.sender) == (SEED["chat_jid"], SEED["sender_jid"])
    assert ask.message_ids == SEED["message_ids"]
    [request] = RetransmissionRequest.objects.all()
    assert (request.asked_by, request.asked_by_name) == ("api", "Shop (write)")


def test_the_id_in_the_path_is_meant_when_the_body_names_none(
    gateway: Integration, sandbox: Sandbox, token: str
) -> None:
    response = retry(token, {"chat_jid": PERSON}, "3EB0PATH")

    assert json.loads(response.content)["message_ids"] == ["3EB0PATH"]
    assert json.loads(response.content)["sender_jid"] == PERSON
    assert [ask.message_ids for ask in sandbox.asks()] == [["3EB0PATH"]]


def test_the_ids_of_the_body_alone_are_meant_when_it_names_some(
    gateway: Integration, token: str
) -> None:
    response = retry(token, {"chat_jid": PERSON, "message_ids": ["A", "B", "A"]}, "C")

    assert json.loads(response.content)["message_ids"] == ["A", "B"]
    assert not InboundMessage.objects.filter(message_id="C").exists()


def test_a_repeat_is_answered_the_same_word_by_word(
    gateway: Integration, sandbox: Sandbox, token: str
) -> None:
    first, second = retry(token, SEED), retry(token, SEED)

    assert first.content == second.content
    assert (first.status_code, second.status_code) == (200, 200)
    assert len(sandbox.asks()) == 1


@pytest.mark.parametrize(
    ("change", "about"),
    [
        ({"chat_jid": "5511999999999"}, "chat_jid"),
        ({"chat_jid": "5511999999999@c.us"}, "chat_jid"),
        ({"chat_jid": 7}, "chat_jid"),
        ({"chat_jid": None}, "chat_jid"),
        ({"sender_jid": GROUP}, "sender_jid"),
        ({"sender_jid": ""}, "sender_jid"),
        ({"sender_jid": None}, "sender_jid"),
        ({"message_ids": []}, "message_ids"),
        ({"message_ids": [""]}, "message_ids"),
        ({"message_ids": ["a b"]}, "message_ids"),
        ({"message_ids": [f"M{n}" for n in range(51)]}, "message_ids"),
        ({"message_ids": "3EB0"}, "message_ids"),
        ({"message_ids": ["x" * 129]}, "message_ids"),
        ({"unheard_of": 1}, "unheard_of"),
    ],
)
def test_what_is_wrong_is_named(
    gateway: Integration,
    sandbox: Sandbox,
    token: str,
    change: dict[str, Any],
    about: str,
) -> None:
    response = retry(token, {**SEED, **change})

    assert refusal(response, 400) == "VALIDATION_ERROR"
    assert set(wrong_fields(response)) == {about}
    assert sandbox.asks() == []
    assert not InboundMessage.objects.exists()


def test_a_rejected_value_is_repeated_but_no_file(
    gateway: Integration, token: str
) -> None:
    wrong = {**SEED, "chat_jid": "x" * 500, "message_ids": ["a b"], "sender_jid": 7}

    told = wrong_fields(retry(token, wrong))
    assert told == {"sender_jid": 7}
    told = wrong_fields(retry(token, {**wrong, "sender_jid": PERSON}))
    assert told == {"chat_jid": "x" * 200, "message_ids": "a b"}
    told = wrong_fields(retry(token, {**SEED, "message_ids": [["x"]]}))
    assert told == {"message_ids": None}


@pytest.mark.parametrize("body", ["", "{", "[]", '"x"', '{"chat_jid": "a\\u0000"}'])
def test_what_is_no_body_is_refused(
    gateway: Integration, token: str, body: str
) -> None:
    assert refusal(retry(token, body), 400) == "VALIDATION_ERROR"


@given(
    user=st.text("0159a@.:- \n٥", max_size=20) | st.text("0123456789", max_size=26),
    server=st.sampled_from(["s.whatsapp.net", "g.us", "newsletter", "lid", "c.us", ""]),
)
def test_a_chat_is_taken_exactly_when_it_is_one(user: str, server: str) -> None:
    from messaging.api.gateway import RetryBody, _target
    from messaging.api.problems import Problem

    jid = f"{user}@{server}"
    body = RetryBody.model_validate({"chat_jid": jid, "sender_jid": PERSON})
    # An organization without devices: whoever gets so far passed the checks.
    from messaging.models import ApiClient, Organization

    client = ApiClient(organization=Organization(pk=0))
    with pytest.raises(Problem) as caught:
        _target(client, "A", body)
    taken = caught.value.status == 404
    assert taken is jids.is_chat(jid)


def test_a_bare_token_and_any_case_of_the_scheme_do(
    gateway: Integration, token: str
) -> None:
    path = "/messages/A/retry"
    for authorization in (token, f"BEARER {token}", f"bearer  {token.upper()}"):
        response = post(path, {"chat_jid": PERSON}, authorization)
        assert response.status_code == 200


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer x", "Bearer 9b1c7e2a-44d3-4a55-8f10-2b3c4d5e6f70", "x y z"],
)
def test_a_stranger_is_told_401(gateway: Integration, authorization: str) -> None:
    response = post("/messages/A/retry", SEED, authorization)

    assert refusal(response, 401) == "UNAUTHORIZED"
    assert "Bearer" in response["WWW-Authenticate"]


@pytest.mark.parametrize("access", [ApiAccess.READ, ApiAccess.NONE])
def test_who_may_not_write_is_told_403(
    gateway: Integration, ours: World, access: str
) -> None:
    reader = api_clients.rotate_bearer(caller(ours, access, name="Reader").client)

    assert refusal(retry(reader, SEED), 403) == "FORBIDDEN"


def test_a_phone_that_is_off_is_not_ready(
    gateway: Integration, sandbox: Sandbox, token: str
) -> None:
    sandbox.phone(account="device", connected=False)

    response = retry(token, SEED)

    assert refusal(response, 503) == "DEVICE_NOT_READY"
    assert response["Retry-After"] == "30"


@pytest.mark.parametrize("fault", ["server_error", "garbage", "close"])
def test_a_gateway_that_fails_is_told_502(
    gateway: Integration, sandbox: Sandbox, token: str, fault: str
) -> None:
    sandbox.behave(fault, channel="gateway")

    assert refusal(retry(token, SEED), 502) in {"GATEWAY_ERROR", "GATEWAY_TIMEOUT"}


def test_a_gateway_that_is_away_is_told_502(ours: World, token: str) -> None:
    ours.integration("device_gateway", settings={"base_url": "http://127.0.0.1:1"})

    assert refusal(retry(token, SEED), 502) == "GATEWAY_ERROR"


def test_a_sixth_request_is_refused(
    gateway: Integration, token: str, sandbox: Sandbox
) -> None:
    [message_id] = SEED["message_ids"]
    unread_message(gateway, message_id, requests=5, state="requested")

    assert refusal(retry(token, SEED), 400) == "MAX_RETRIES_EXCEEDED"
    assert sandbox.asks() == []


def test_without_a_device_there_is_nothing_to_ask(ours: World, token: str) -> None:
    assert refusal(retry(token, SEED), 404) == "NOT_FOUND"


def test_another_organizations_message_is_an_unknown_one(
    gateway: Integration, theirs: World, sandbox: Sandbox, token: str
) -> None:
    [message_id] = SEED["message_ids"]
    foreign = theirs.integration("device_gateway", settings={"device_id": "foreign"})
    row = unread_message(foreign, message_id, text="secret")

    assert retry(token, SEED).status_code == 200

    assert [ask.account for ask in sandbox.asks()] == ["device"]
    row.refresh_from_db()
    assert row.requests == 0
    assert InboundMessage.objects.filter(message_id=message_id).count() == 2


@pytest.mark.parametrize("name", ["device_id", "uid"])
def test_another_organizations_device_is_not_found(
    gateway: Integration, theirs: World, token: str, name: str
) -> None:
    foreign = theirs.integration("device_gateway", settings={"device_id": "foreign"})
    named = "foreign" if name == "device_id" else str(foreign.uid)

    response = retry(token, {**SEED, "device_id": named})

    assert refusal(response, 404) == "NOT_FOUND"


@pytest.fixture
def second(ours: World, sandbox: Sandbox) -> Integration:
    return ours.integration(
        "device_gateway",
        name="Back office",
        settings={
            "base_url": sandbox.base_url("device_gateway"),
            "device_id": "second",
        },
    )


def test_of_several_devices_the_one_that_knows_the_message_is_asked(
    gateway: Integration, second: Integration, sandbox: Sandbox, token: str
) -> None:
    [message_id] = SEED["message_ids"]
    unread_message(second, message_id)

    assert retry(token, SEED).status_code == 200
    assert [ask.account for ask in sandbox.asks()] == ["second"]


def test_of_several_devices_the_named_one_is_asked(
    gateway: Integration, second: Integration, sandbox: Sandbox, token: str
) -> None:
    assert retry(token, {**SEED, "device_id": "second"}).status_code == 200
    named = {**SEED, "message_ids": ["B"], "device_id": str(gateway.uid)}
    assert retry(token, named).status_code == 200

    assert [ask.account for ask in sandbox.asks()] == ["second", "device"]


def test_a_device_that_was_merely_asked_does_not_know_the_message(
    gateway: Integration, second: Integration, sandbox: Sandbox, token: str
) -> None:
    """Somebody named the wrong one; that must not bind whoever comes next."""
    assert retry(token, {**SEED, "device_id": "second"}).status_code == 200

    assert refusal(retry(token, SEED), 400) == "VALIDATION_ERROR"
    named = {**SEED, "device_id": str(gateway.uid)}
    assert retry(token, named).status_code == 200

    assert [ask.account for ask in sandbox.asks()] == ["second", "device"]


def test_of_several_devices_and_no_clue_it_is_said_what_to_do(
    gateway: Integration, second: Integration, token: str
) -> None:
    response = retry(token, SEED)

    assert refusal(response, 400) == "VALIDATION_ERROR"
    error = json.loads(response.content)["error"]
    assert "device_id" in error
    assert "second (Back office)" in error


def test_a_device_that_is_switched_off_does_not_count(
    gateway: Integration, second: Integration, sandbox: Sandbox, token: str
) -> None:
    gateway.state = IntegrationState.OFF
    gateway.save()

    assert retry(token, SEED).status_code == 200
    assert [ask.account for ask in sandbox.asks()] == ["second"]


def test_messages_of_two_devices_are_asked_for_apart(
    gateway: Integration, second: Integration, token: str
) -> None:
    unread_message(gateway, "A")
    unread_message(second, "B")

    response = retry(token, {"chat_jid": PERSON, "message_ids": ["A", "B"]})

    assert refusal(response, 400) == "VALIDATION_ERROR"
    assert "by themselves" in json.loads(response.content)["error"]


def test_another_method_is_told_which_one(token: str) -> None:
    response = Client().get(
        "/messages/A/retry", headers={"Authorization": f"Bearer {token}"}
    )

    assert refusal(response, 405) == "METHOD_NOT_ALLOWED"


def test_history_is_asked_for_and_answered_at_once(
    gateway: Integration, sandbox: Sandbox, token: str
) -> None:
    wanted = {
        "chat_jid": PERSON,
        "last_message_id": "3EB0XXXX1234ABCD",
        "last_message_from_me": False,
        "last_message_timestamp": 1_750_000_000,
        "count": 50,
    }
    response = post("/messages/history/request", wanted, f"Bearer {token}")

    assert response.status_code == 200
    assert json.loads(response.content) == {
        "success": True,
        "message": "History sync requested. Messages will be delivered via webhook"
        " (event: history.sync).",
        "chat_jid": PERSON,
        "requested_count": 50,
    }
    assert [ask.chat for ask in sandbox.asks("history")] == [PERSON]


@pytest.mark.parametrize(
    "change",
    [{"chat_jid": "x"}, {"count": 0}, {"count": 101}, {"last_message_timestamp": -1}],
)
def test_history_of_nothing_is_refused(
    gateway: Integration, token: str, change: dict[str, Any]
) -> None:
    wanted = {"chat_jid": PERSON, **change}
    response = post("/messages/history/request", wanted, f"Bearer {token}")

    assert refusal(response, 400) == "VALIDATION_ERROR"


def test_the_same_ids_in_another_chat_are_no_repeat(
    gateway: Integration, sandbox: Sandbox, token: str
) -> None:
    """No receipt left for that chat, so nobody is told that one did."""
    assert retry(token, SEED).status_code == 200

    response = retry(token, {**SEED, "chat_jid": "120363039000000001@g.us"})
    assert refusal(response, 400) == "VALIDATION_ERROR"
    assert "another chat" in json.loads(response.content)["error"]
    other = {**SEED, "sender_jid": "5511999999998@s.whatsapp.net"}
    assert refusal(retry(token, other), 400) == "VALIDATION_ERROR"
    assert len(sandbox.asks()) == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/messages/A/retry", SEED),
        ("/messages/history/request", {"chat_jid": PERSON}),
    ],
)
def test_a_key_brings_the_first_answer_again(
    gateway: Integration, sandbox: Sandbox, token: str, path: str, body: Any
) -> None:
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "ticket-9"}
    first, second = (
        Client().post(
            path, json.dumps(body), content_type="application/json", headers=headers
        )
        for _ in range(2)
    )

    assert first.status_code == second.status_code == 200
    assert first.content == second.content
    assert second["Idempotency-Replayed"] == "true"
    assert len(sandbox.asks("retry") + sandbox.asks("history")) == 1


def test_what_a_program_asks_for_stands_in_the_trail(
    gateway: Integration, token: str
) -> None:
    many = {"chat_jid": PERSON, "message_ids": ["A", "B", "C", "D", "E"]}
    assert retry(token, many).status_code == 200
    assert retry(token, many).status_code == 200
    history = post("/messages/history/request", {"chat_jid": PERSON}, f"Bearer {token}")
    assert history.status_code == 200

    client = ApiClient.objects.get()
    entries = AuditEntry.objects.order_by("pk")
    assert [one.sentence for one in entries] == [
        f"Asked “{gateway.name}” for 5 messages again: A, B, C and 2 more.",
        f"Asked “{gateway.name}” for up to 50 older messages of a chat.",
    ]
    assert {(one.actor, one.client_id) for one in entries} == {("api", client.pk)}
    assert {one.organization_id for one in entries} == {gateway.organization_id}
