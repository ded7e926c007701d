"""``/v2/communications``: send a communication again, in Capillary's wire format.

The vendor's two kinds of errors differ in shape: what is wrong with the request
carries ``warnings``, what is wrong with the message does not. Body codes are
apart from HTTP's: 4223 is the vendor's own, 4301 and above are ours.
"""

from __future__ import annotations

from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from messaging import resend
from messaging.api.auth import client_of, writers
from messaging.api.once import DESCRIBED, once
from messaging.api.problems import Problem, as_json
from messaging.api.public_ids import by_number
from messaging.api.schemas import Reply, Request
from messaging.channels.catalogue import lookup
from messaging.models import (
    Actor,
    ApiClient,
    AttemptState,
    Message,
    MessageState,
)
from messaging.policy import Reason
from messaging.resend import Asker, Outcome, Refused, Scheduled, Sent
from messaging.sending import Refusal

NOT_FOUND = 4223
OTHER_REFUSAL = 4300
REFUSAL_CODES: dict[str, int] = {
    Reason.IN_PROGRESS: 4301,
    Reason.ALREADY_WAITING: 4302,
    Reason.ALREADY_SENT: 4303,
    Reason.SKIPPED: 4304,
    Reason.CANCELLED: 4305,
    Reason.OPTED_OUT: 4306,
    Reason.LIMIT_REACHED: 4307,
    Reason.TOO_OLD: 4308,
    Reason.TOO_OLD_BY_THEN: 4309,
    Reason.MAY_HAVE_ARRIVED: 4310,
    Reason.FIX_FIRST: 4311,
    Reason.WILL_NOT_HELP: 4312,
    Refusal.INSUFFICIENT_CREDITS: 4313,
    Refusal.INTEGRATION_OFF: 4314,
    Refusal.TAKEN_OVER: 4315,
    Refusal.EVERY_PART_SENT: 4316,
}
"""Stable numbers for the reasons why a message is not sent again."""
INPUT_INVALID = "Input is invalid, Please check request parameters or input xml/json"

router = Router(tags=["Communications (Capillary)"], by_alias=True)


class CommunicationResend(Request):
    message_id: int = Field(
        description="The id of a message, or one that an earlier resend returned."
    )


class CommunicationResent(Reply):
    org_id: int
    undelivered_message_id: int
    resent_message_id: int
    warnings: list[str]


class CommunicationError(Reply):
    status: Literal[False]
    message: str
    code: int


class CommunicationRefused(Reply):
    errors: list[CommunicationError]


class CommunicationInvalid(Reply):
    warnings: list[str]
    errors: list[CommunicationError]


def envelope(problem: Problem, request_id: str) -> dict[str, Any]:
    """Return the vendor's body, its keys in the vendor's order."""
    number = problem.numbers.get("code")
    if number is not None:
        return {
            "errors": [{"status": False, "message": problem.message, "code": number}]
        }
    message = INPUT_INVALID if problem.status == 400 else problem.message
    return {
        "warnings": [],
        "errors": [{"status": False, "code": problem.status, "message": message}],
    }


_TABLE = "\n".join(
    f"| {number} | `{reason}` |" for reason, number in REFUSAL_CODES.items()
)
DESCRIPTION = f"""Send a communication again, on whatever channel it was.

A failed one gets another attempt. One that was delivered goes out once more as
a new message, and `warnings` says so. `resentMessageId` is the new attempt or
message, and may be passed as `messageId` later.

| HTTP | Body code | Meaning |
| --- | --- | --- |
| 404 | 4223 | no such message in your organization |
| 400 | 400 | the input is invalid |
| 400, in progress 409 | as below | the message is not sent again |

| Body code | Reason |
| --- | --- |
{_TABLE}
| {OTHER_REFUSAL} | any other |
"""
EXAMPLES: dict[str, Any] = {
    "parameters": [DESCRIBED],
    "requestBody": {
        "content": {"application/json": {"example": {"messageId": 1746061653596}}}
    },
    "responses": {
        200: {
            "content": {
                "application/json": {
                    "example": {
                        "orgId": 100737,
                        "undeliveredMessageId": 1746061653596,
                        "resentMessageId": 1748743190124,
                        "warnings": [],
                    }
                }
            }
        },
        400: {
            "content": {
                "application/json": {
                    "example": {
                        "warnings": [],
                        "errors": [
                            {"status": False, "code": 400, "message": INPUT_INVALID}
                        ],
                    }
                }
            }
        },
        404: {
            "content": {
                "application/json": {
                    "example": {
                        "errors": [
                            {
                                "status": False,
                                "message": "Failed to resend message : Message not"
                                " found for orgId: 100737 and messageId: 174606165",
                                "code": NOT_FOUND,
                            }
                        ]
                    }
                }
            }
        },
    },
}


@router.post(
    "/resend",
    auth=writers(),
    response={
        200: CommunicationResent,
        (401, 403, 405, 411, 413, 415, 422, 429, 500, 503): CommunicationInvalid,
        (400, 409): CommunicationInvalid | CommunicationRefused,
        404: CommunicationRefused,
    },
    summary="Resend a communication",
    description=DESCRIPTION,
    operation_id="communications_resend",
    openapi_extra=EXAMPLES,
)
def resend_communication(
    request: HttpRequest, body: CommunicationResend
) -> HttpResponse:
    client = client_of(request)
    return once(request, envelope, lambda: _resend(client, body.message_id))


def _resend(client: ApiClient, number: int) -> HttpResponse:
    named = by_number(client.organization, number)
    if named is None:
        raise Problem(
            404,
            "message_not_found",
            "Failed to resend message : Message not found for orgId:"
            f" {client.organization_id} and messageId: {number}",
            numbers={"code": NOT_FOUND},
        )
    asker = Asker(Actor.API, client.name, client_id=client.pk)
    warning = _reached(named.message)
    if warning:
        return _answer(client, number, resend.send_copy(named.message, asker), warning)
    return _answer(client, number, resend.resend(named.message, asker), "")


def _reached(message: Message) -> str:
    """Say that the person has it already; empty when nobody can say so.

    Without receipts *sent* is the last word there will be.
    """
    if message.state in {MessageState.DELIVERED, MessageState.READ}:
        return "The message had been delivered before; it was sent once more."
    confirms = message.integration and message.integration.provider.confirms_delivery
    if message.state == MessageState.SENT and not confirms:
        return "The message had been sent before; it was sent once more."
    return ""


def _answer(
    client: ApiClient, number: int, outcome: Outcome, warning: str
) -> HttpResponse:
    warnings = [warning] if warning else []
    match outcome:
        case Refused():
            raise Problem(
                409 if outcome.is_in_progress else 400,
                outcome.code,
                f"Failed to resend message : {outcome.sentence}",
                numbers={"code": REFUSAL_CODES.get(outcome.code, OTHER_REFUSAL)},
            )
        case Scheduled(message, due_at):
            resent = message.pk
            warnings.append(f"It leaves at {due_at:%Y-%m-%dT%H:%M:%SZ}.")
        case Sent(message, attempt):
            resent = message.pk if warning else attempt.pk
            if attempt.state == AttemptState.FAILED:
                title = lookup(attempt.error_code).title
                warnings.append(f"The provider refused it: {title}.")
    told = {
        "orgId": client.organization_id,
        "undeliveredMessageId": number,
        "resentMessageId": resent,
        "warnings": warnings,
    }
    return as_json(200, told)
