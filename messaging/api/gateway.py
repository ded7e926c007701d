"""``/messages/…``: ask for messages again, and for older ones, as WUTS has it.

A message that a device could not decrypt is asked for by a retry receipt to the
device of its sender. 200 says that the receipt left; the content comes later, by an
event, and is told by the webhook ``retransmission.recovered``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import P, PathEx, Router
from pydantic import Field

from messaging import trail
from messaging.api import gateway_examples as examples
from messaging.api.auth import client_of, writers
from messaging.api.gateway_words import (
    VALIDATION_FAILED,
    Answer,
    Body,
    ErrorBody,
    envelope,
    invalid_field,
    problem_of,
    wire_moment,
)
from messaging.api.once import once
from messaging.api.problems import FieldError, as_json, invalid
from messaging.channels import jids
from messaging.models import ApiClient, Integration
from messaging.retransmission import asking, choosing, history
from messaging.retransmission.claiming import Target
from messaging.retransmission.words import Refused

ERRORS: dict[tuple[int, ...], Any] = {
    (400, 401, 403, 404, 405, 411, 413, 415, 429, 500, 502, 503): ErrorBody
}
MOST_IDS = 50
MESSAGE_ID = re.compile(r"[\x21-\x7e]{1,128}")
NO_CHAT = (
    "This is no chat: <digits>@s.whatsapp.net, <15 to 25 digits>@g.us or"
    " <digits>@newsletter."
)
NO_PERSON = "This is no person: <country code and number, digits only>@s.whatsapp.net."
NO_MESSAGE_ID = "A message id has 1 to 128 visible ASCII characters."

PathId = PathEx[str, P(alias="id", max_length=200)]
Device = Annotated[
    str,
    Field(
        max_length=100,
        description="Which of several devices, if none of them knows the message.",
    ),
]

router = Router(tags=["Device gateway (WUTS)"])


class RetryBody(Body):
    chat_jid: str = Field(description="The chat that the messages stand in.")
    sender_jid: str | None = Field(
        None, description="Who sent them. Needed in groups (`…@g.us`)."
    )
    message_ids: list[str] | None = Field(
        None, description="The id in the path, if this is left out."
    )
    device_id: Device = ""


class RetryAnswer(Answer):
    success: Literal[True]
    chat_jid: str
    sender_jid: str
    message_ids: list[str]
    receipt_type: Literal["retry"]
    timestamp: str


class HistoryBody(Body):
    chat_jid: str
    last_message_id: str = Field(
        "", max_length=128, description="The oldest message you have."
    )
    last_message_from_me: bool = False
    last_message_timestamp: int = Field(
        0, ge=0, lt=2**40, description="When it was sent, in Unix seconds."
    )
    count: int = Field(history.USUAL, ge=1, le=history.MOST_MESSAGES)
    device_id: Device = ""


class HistoryAnswer(Answer):
    success: Literal[True]
    message: str
    chat_jid: str
    requested_count: int


@router.post(
    "/messages/history/request",
    auth=writers(),
    response={200: HistoryAnswer, **ERRORS},
    summary="Request a chat history sync",
    operation_id="request_history",
    openapi_extra=examples.HISTORY,
)
def request_history(request: HttpRequest, body: HistoryBody) -> HttpResponse:
    """Ask the device for older messages of a chat. They come later, by an event.

    Without `last_message_id` it is the oldest message that is known here.
    """
    client = client_of(request)
    if not jids.is_chat(body.chat_jid):
        raise invalid_field("chat_jid", NO_CHAT, body.chat_jid)
    if body.last_message_id and not MESSAGE_ID.fullmatch(body.last_message_id):
        raise invalid_field("last_message_id", NO_MESSAGE_ID, body.last_message_id)
    ids = [body.last_message_id] if body.last_message_id else []
    integration = _device(client, ids, body.device_id)
    return once(request, envelope, lambda: _history(client, integration, body))


def _history(
    client: ApiClient, integration: Integration, body: HistoryBody
) -> HttpResponse:
    anchor = history.Anchor(
        body.last_message_id, body.last_message_from_me, body.last_message_timestamp
    )
    if not body.last_message_id:
        anchor = history.oldest_known(integration, body.chat_jid)
    refused = history.request(
        integration, body.chat_jid, anchor, trail.by_client(client), count=body.count
    )
    if refused is not None:
        raise problem_of(refused)
    answer = {
        "success": True,
        "message": "History sync requested. Messages will be delivered via webhook"
        " (event: history.sync).",
        "chat_jid": body.chat_jid,
        "requested_count": body.count,
    }
    return as_json(200, answer)


@router.post(
    "/messages/{id}/retry",
    auth=writers(),
    response={200: RetryAnswer, **ERRORS},
    summary="Request message retransmission",
    operation_id="request_retransmission",
    openapi_extra=examples.RETRY,
)
def request_retransmission(
    request: HttpRequest, message_id: PathId, body: RetryBody
) -> HttpResponse:
    """Send a retry receipt: the sender's device is asked to send the messages again.

    A message is asked for 5 times at most. The same request within 10 seconds is
    answered the same, without another receipt. The ids need not be known here.
    """
    client = client_of(request)
    target = _target(client, message_id, body)
    return once(request, envelope, lambda: _retry(client, target))


def _retry(client: ApiClient, target: Target) -> HttpResponse:
    asked = asking.ask(target, trail.by_client(client))
    if isinstance(asked, Refused):
        raise problem_of(asked)
    answer = {
        "success": True,
        "chat_jid": target.chat_jid,
        "sender_jid": target.sender_jid,
        "message_ids": list(target.message_ids),
        "receipt_type": "retry",
        "timestamp": wire_moment(asked.at),
    }
    return as_json(200, answer)


def _target(client: ApiClient, message_id: str, body: RetryBody) -> Target:
    """Return what is asked for, or raise a problem that names every wrong field."""
    ids = [message_id] if body.message_ids is None else body.message_ids
    place = "id" if body.message_ids is None else "message_ids"
    wrong = [*_wrong_jids(body), *_wrong_ids(place, ids)]
    if wrong:
        raise invalid(VALIDATION_FAILED, *wrong)
    different = tuple(dict.fromkeys(ids))
    integration = _device(client, different, body.device_id)
    sender = body.sender_jid or body.chat_jid
    return Target(integration, body.chat_jid, sender, different)


def _wrong_jids(body: RetryBody) -> Iterator[FieldError]:
    if not jids.is_chat(body.chat_jid):
        yield FieldError("chat_jid", NO_CHAT, body.chat_jid)
    if body.sender_jid is not None and not jids.is_person(body.sender_jid):
        yield FieldError("sender_jid", NO_PERSON, body.sender_jid)
    elif body.sender_jid is None and body.chat_jid.endswith(jids.GROUP):
        yield FieldError("sender_jid", "A group needs it: name who sent it.")


def _wrong_ids(place: str, ids: Sequence[str]) -> Iterator[FieldError]:
    if not 1 <= len(ids) <= MOST_IDS:
        yield FieldError(place, f"Name 1 to {MOST_IDS} messages.")
    for one in ids[:MOST_IDS]:
        if not MESSAGE_ID.fullmatch(one):
            yield FieldError(place, NO_MESSAGE_ID, one)
            return


def _device(
    client: ApiClient, message_ids: tuple[str, ...] | list[str], device: str
) -> Integration:
    chosen = choosing.choose(client.organization, message_ids, device)
    if isinstance(chosen, Refused):
        raise problem_of(chosen)
    return chosen
