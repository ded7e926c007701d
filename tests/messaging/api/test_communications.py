"""``POST /v2/communications/resend``: every channel, every refusal, in one shape."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.http import HttpResponse

from messaging.api.capillary import REFUSAL_CODES
from messaging.models import Attempt, Integration, Message
from messaging.policy import Reason
from messaging.sending import Refusal
from resend_admin.sandbox.thread import Sandbox
from tests.factories import World
from tests.messaging.api.callers import COMMUNICATIONS, Caller, caller, settled
from tests.messaging.api.conftest import Fail

pytestmark = pytest.mark.django_db

INVALID = (
    '{"warnings": [], "errors": [{"status": false, "code": 400, "message":'
    ' "Input is invalid, Please check request parameters or input xml/json"}]}'
)


def resend(program: Caller, message_id: Any, **headers: str) -> Any:
    return program.post(COMMUNICATIONS, {"messageId": message_id}, **headers)


def refusal(response: HttpResponse, status: int) -> dict[str, Any]:
    """Return the one error of a refusal that has no ``warnings``."""
    body = json.loads(response.content)
    assert response.status_code == status, body
    assert list(body) == ["errors"]
    [error] = body["errors"]
    assert list(error) == ["status", "message", "code"]
    assert error["status"] is False
    return dict(error)


def test_a_failed_message_gets_another_attempt(
    ours: World, failed: Fail, writer: Caller
) -> None:
    message = failed()

    response = resend(writer, message.pk)

    assert response.status_code == 200
    assert response.json() == {
        "orgId": ours.organization.pk,
        "undeliveredMessageId": message.pk,
        "resentMessageId": message.attempts.get(number=2).pk,
        "warnings": [],
    }


def test_the_id_of_a_resend_may_be_passed_again(failed: Fail, writer: Caller) -> None:
    message = failed(last_digits="0002")
    first = resend(writer, message.pk).json()
    Message.objects.update(error_code="whatsapp:131000", error_class="retry")

    second = resend(writer, first["resentMessageId"]).json()

    assert second["undeliveredMessageId"] == first["resentMessageId"]
    assert second["resentMessageId"] == message.attempts.get(number=3).pk
    assert len(second["warnings"]) == 1
    assert second["warnings"][0].startswith("The provider refused it: ")


def test_a_delivered_message_goes_out_once_more_with_a_warning(
    failed: Fail, writer: Caller
) -> None:
    message = failed("delivered")

    body = resend(writer, message.pk).json()

    copy = Message.objects.get(root=message)
    assert body["resentMessageId"] == copy.pk
    assert body["warnings"] == [
        "The message had been delivered before; it was sent once more."
    ]
    message.refresh_from_db()
    assert message.state == "delivered"


def test_copies_end_at_the_limit(failed: Fail, writer: Caller) -> None:
    message = failed("delivered")
    for _ in range(5):
        assert resend(writer, message.pk).status_code == 200

    error = refusal(resend(writer, message.pk), 400)
    assert error["code"] == REFUSAL_CODES[Reason.LIMIT_REACHED]


def test_sent_is_the_last_word_of_a_channel_without_receipts(
    ours: World, failed: Fail, writer: Caller, sandbox: Sandbox
) -> None:
    mail = ours.integration("smtp", settings={"port": sandbox.smtp_port})
    contact = ours.contact(email="ama@example.org")
    letter = settled(mail, ours.message(integration=mail, contact=contact), "sent")
    chat = failed("sent")

    copied = resend(writer, letter.pk).json()
    refused = refusal(resend(writer, chat.pk), 400)

    assert copied["warnings"] == [
        "The message had been sent before; it was sent once more."
    ]
    assert refused["code"] == REFUSAL_CODES[Reason.ALREADY_SENT]


@pytest.mark.parametrize("number", [1, 0, -5, 2**63 - 1, 2**63, 10**40])
def test_a_number_that_names_nothing_is_4223(
    ours: World, writer: Caller, number: int
) -> None:
    error = refusal(resend(writer, number), 404)

    assert error["code"] == 4223
    assert error["message"] == (
        "Failed to resend message : Message not found for orgId:"
        f" {ours.organization.pk} and messageId: {number}"
    )


def test_messages_of_others_are_4223(
    failed: Fail, stranger: Caller, theirs: World
) -> None:
    message = failed()

    for number in (message.pk, message.attempts.get().pk):
        error = refusal(resend(stranger, number), 404)
        assert error["code"] == 4223
        assert str(theirs.organization.pk) in error["message"]
    assert Attempt.objects.count() == 1


@pytest.mark.parametrize(
    "message_id", ["1746061653596", True, False, None, 1.0, 1.5, [1], {"id": 1}, "x"]
)
def test_only_whole_numbers_are_ids(writer: Caller, message_id: Any) -> None:
    response = resend(writer, message_id)

    assert response.status_code == 400
    assert json.dumps(response.json()) == INVALID


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{}",
        "[]",
        "null",
        "12",
        "{",
        '{"messageId": 1e3}',
        '{"messageId": NaN}',
        '{"messageId": 1, "messageId": 2}',
        '{"messageId": 1, "channel": "sms"}',
        '{"messageid": 1}',
        f'{{"messageId": {"9" * 5_000}}}',
        "[" * 20_000,
        '{"messageId": 1}'.encode("utf-16"),
        b"\xff\xfe\xfd",
    ],
)
def test_what_is_no_request_is_told_in_the_vendors_words(
    writer: Caller, body: str | bytes
) -> None:
    response = writer.post_raw(COMMUNICATIONS, body)

    assert response.status_code == 400
    assert json.dumps(response.json()) == INVALID


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"state": "sending"}, 409, 4301),
        ({"state": "skipped", "reason": "no_route"}, 400, 4304),
        ({"error_code": "whatsapp:131047"}, 400, 4311),
        ({"error_code": "whatsapp:131026"}, 400, 4312),
        ({"state": "unknown"}, 400, 4310),
    ],
)
def test_refusals_have_numbers_of_their_own(
    failed: Fail, writer: Caller, change: dict[str, str], status: int, code: int
) -> None:
    message = failed()
    Message.objects.filter(pk=message.pk).update(**change)

    error = refusal(resend(writer, message.pk), status)

    assert error["code"] == code
    assert error["message"].startswith("Failed to resend message : ")


def test_every_reason_of_a_refusal_has_a_number() -> None:
    not_refusals = {Reason.NOW, Reason.LATER}
    never_here = {
        # Of other doors: this one takes no time, nobody cancels, nobody acts alone.
        Refusal.TIME_PAST,
        Refusal.TIME_TOO_SOON,
        Refusal.NOTHING_WAITS,
        Reason.NEEDS_PERSON,
        Reason.NOT_FAILED,
        # Delivered messages are sent once more.
        Reason.ALREADY_DELIVERED,
    }
    every = {*Reason, *Refusal} - not_refusals - never_here

    assert every == set(REFUSAL_CODES)
    assert len(set(REFUSAL_CODES.values())) == len(REFUSAL_CODES)


def test_a_resend_that_must_wait_says_when(failed: Fail, writer: Caller) -> None:
    message = failed(code="whatsapp:131049", error_class="wait")

    body = resend(writer, message.pk).json()

    assert body["resentMessageId"] == message.pk
    assert body["warnings"][0].startswith("It leaves at ")


def test_without_write_it_is_403(failed: Fail, reader: Caller, nobody: Caller) -> None:
    message = failed()

    for program in (reader, nobody):
        response = resend(program, message.pk)
        assert response.status_code == 403
        body = response.json()
        assert list(body) == ["warnings", "errors"]
        assert body["errors"][0]["code"] == 403
    assert Attempt.objects.count() == 1


def test_credentials_are_needed(ours: World, failed: Fail) -> None:
    program = caller(ours)
    program.secret = "wrong"

    response = resend(program, failed().pk)

    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Basic ")
    assert response.json()["errors"][0]["code"] == 401


def test_the_same_key_gets_the_same_answer(
    whatsapp: Integration, failed: Fail, writer: Caller
) -> None:
    message = failed()

    first = resend(writer, message.pk, Idempotency_Key="a")
    again = resend(writer, message.pk, Idempotency_Key="a")
    other = resend(writer, message.pk + 1, Idempotency_Key="a")

    assert first.status_code == again.status_code == 200
    assert first.content == again.content
    assert message.attempts.count() == 2
    assert other.status_code == 422
    assert other.json()["errors"][0]["code"] == 422
