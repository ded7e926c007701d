"""``/v1/whatsapp``: send, ask, and send again, in the wire format of Sendexa.

200 has the vendor's fields and no others. It says that the attempt was made;
``status`` says what came of it, *failed* included. What is not done at all has
another status and the vendor's envelope with a stable ``code``.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Body, P, PathEx, Router

from messaging import media, resend, sending
from messaging.api import sendexa_contents as contents
from messaging.api import sendexa_examples as examples
from messaging.api import sendexa_words as words
from messaging.api.auth import client_of, readers, writers
from messaging.api.once import once
from messaging.api.problems import FieldError, Problem, as_json, invalid
from messaging.api.public_ids import Named, by_public_id
from messaging.api.sendexa_schemas import (
    MessageSent,
    MessageStatus,
    Refusal,
    ResendByBody,
    ResendByPath,
    ResendScheduled,
    ResendWish,
    Resent,
    Send,
)
from messaging.channels.contract import Channel
from messaging.models import Actor, ApiClient
from messaging.resend import Asker, Outcome, Refused, Scheduled, Sent, Wish

REFUSALS: dict[tuple[int, ...], Any] = {
    (400, 401, 403, 404, 405, 409, 411, 413, 415, 422, 429, 500, 503): Refusal
}
READ_REFUSALS: dict[tuple[int, ...], Any] = {
    (400, 401, 403, 404, 405, 411, 413, 429, 500, 503): Refusal
}
VENDORS_PREFIX = "exa_wa_"
PROVIDER_REFUSED = "The provider refused the WhatsApp message"

PublicId = PathEx[str, P(alias="messageId", max_length=100)]

router = Router(tags=["WhatsApp (Sendexa)"], by_alias=True)


@router.post(
    "/resend",
    auth=writers(),
    response={200: Resent, 202: ResendScheduled, **REFUSALS},
    summary="Resend a message",
    operation_id="resend",
    openapi_extra=examples.RESEND,
)
def resend_by_body(request: HttpRequest, body: ResendByBody) -> HttpResponse:
    """Send a failed message again: the same content to the same recipient.

    Waits for the provider's answer. 202 when it leaves later, because you asked
    for it or because the provider wants a pause. 409 while another resend of
    the message is under way.
    """
    return _resend(request, body.message_id, body)


@router.post(
    "/resend/{messageId}",
    auth=writers(),
    response={200: Resent, 202: ResendScheduled, **REFUSALS},
    summary="Resend a message named by the path",
    operation_id="resend_by_path",
    openapi_extra=examples.RESEND_BY_PATH,
)
def resend_by_path(
    request: HttpRequest,
    message_id: PublicId,
    body: Body[ResendByPath | None] = None,
) -> HttpResponse:
    """Do the same as above; no body is needed."""
    wish = body or ResendByPath.model_validate({})
    if wish.message_id not in (None, message_id):
        raise invalid(
            "The body and the path name different messages.",
            FieldError("messageId", "Leave it out, or repeat the one of the path."),
        )
    return _resend(request, message_id, wish)


@router.post(
    "/send",
    auth=writers(),
    response={200: MessageSent, 202: MessageSent, **REFUSALS},
    summary="Send a message",
    operation_id="send",
    openapi_extra=examples.SEND,
)
def send(request: HttpRequest, body: Send) -> HttpResponse:
    """Send one message of any of seven types and wait for the provider's answer.

    202 when it leaves a little later, because the provider wants a pause. A
    number that belongs to no member makes a new one.
    """
    client = client_of(request)
    phone = contents.phone_of(body.to)
    integration = sending.sender_for(client.organization, Channel.WHATSAPP)
    if integration is None:
        raise Problem(400, sending.INTEGRATION_OFF.code, NO_SENDER)
    outgoing = contents.outgoing(body, integration)

    def work() -> HttpResponse:
        outcome = sending.send_new(
            contact=sending.member_with_phone(client.organization, phone),
            integration=integration,
            content=outgoing.content(client.organization),
            asker=_asker(client),
            recipient=phone,
            parameters=outgoing.parameters,
        )
        return _sent(outcome)

    return once(request, words.envelope, work)


@router.get(
    "/status/{messageId}",
    auth=readers(),
    response={200: MessageStatus, **READ_REFUSALS},
    summary="Ask how a message stands",
    operation_id="status",
    openapi_extra=examples.STATUS,
)
def status(request: HttpRequest, message_id: PublicId) -> HttpResponse:
    """Tell how a message stands, or one attempt of it, by the id of either.

    ``error`` is there only when it failed, with what to do about it.
    """
    named = _named(client_of(request), message_id)
    if named.attempt is not None:
        told = words.attempt_standing(named.message, named.attempt)
    else:
        latest = named.message.attempts.select_related("content").last()
        told = words.status(named.message, latest)
    return as_json(200, words.success("Message status retrieved", told))


NO_SENDER = (
    "Your organization has no WhatsApp integration that is switched on."
    " Ask an admin for one."
)


def _resend(request: HttpRequest, message_id: str, wish: ResendWish) -> HttpResponse:
    client = client_of(request)

    def work() -> HttpResponse:
        named = _named(client, message_id)
        outcome = resend.resend(
            named.message, _asker(client, wish.reason), _wish(named, wish)
        )
        return _resent(outcome)

    return once(request, words.envelope, work)


def _resent(outcome: Outcome) -> HttpResponse:
    match outcome:
        case Refused():
            raise _refused(outcome)
        case Scheduled(message, due_at):
            told = words.scheduled(message, due_at)
            return as_json(
                202, words.success("WhatsApp message resend scheduled", told)
            )
        case Sent(message, attempt):
            told = words.resent(message, attempt)
            failed = told["status"] == "failed"
            said = (
                PROVIDER_REFUSED if failed else "WhatsApp message resent successfully"
            )
            return as_json(200, words.success(said, told))


def _sent(outcome: Outcome) -> HttpResponse:
    match outcome:
        case Refused():
            raise _refused(outcome)
        case Scheduled(message, _):
            told = words.sent(message, None)
            return as_json(202, words.success("WhatsApp message queued", told))
        case Sent(message, attempt):
            told = words.sent(message, attempt)
            failed = told["status"] == "failed"
            said = PROVIDER_REFUSED if failed else "WhatsApp message sent successfully"
            return as_json(200, words.success(said, told))


def _refused(refused: Refused) -> Problem:
    status = 409 if refused.is_in_progress else 400
    return Problem(status, refused.code, refused.sentence)


def _named(client: ApiClient, message_id: str) -> Named:
    """Find what an id names; under the vendor's own prefix it names the same."""
    if message_id.startswith(VENDORS_PREFIX):
        message_id = f"ra_whatsapp_{message_id.removeprefix(VENDORS_PREFIX)}"
    found = by_public_id(client.organization, Channel.WHATSAPP, message_id)
    if found is None:
        raise Problem(
            404, "message_not_found", "There is no WhatsApp message with this id."
        )
    return found


def _wish(named: Named, wish: ResendWish) -> Wish:
    """Return the wish in our words; a new link becomes a content of its own."""
    wanted = Wish(at=wish.schedule_at, accepts_duplicate=wish.accept_duplicate)
    original = named.message.content
    if wish.media_url is None or original is None:
        return wanted
    fixed = Wish(
        at=wish.schedule_at, accepts_duplicate=wish.accept_duplicate, fixed=True
    )
    if not resend.standing(named.message, fixed).allowed:
        return fixed
    try:
        content = media.with_new_link(original, wish.media_url)
    except media.MediaError as error:
        raise invalid(
            "The media URL cannot be used.",
            FieldError("mediaUrl", str(error)),
            code="media_unusable",
        ) from None
    return Wish(
        at=wish.schedule_at, accepts_duplicate=wish.accept_duplicate, content=content
    )


def _asker(client: ApiClient, reason: str = "") -> Asker:
    return Asker(Actor.API, client.name, reason, client_id=client.pk)
