"""WhatsApp Cloud API: the ``messages`` endpoint.

Shapes and codes follow Meta's reference of the Cloud API (messages, error codes).
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from resend_admin.sandbox.answers import answer, json_response
from resend_admin.sandbox.behaviour import Outcome
from resend_admin.sandbox.desk import Desk, Submission, Verdict
from resend_admin.sandbox.log import digest_of
from resend_admin.sandbox.whatsapp_hook import new_message_id, plain_number
from resend_admin.sandbox.words import Vocabulary, Words

CHANNEL = "whatsapp"
MEDIA_TYPES = frozenset({"image", "video", "audio", "document", "sticker"})
NEEDED = {
    "text": "body",
    "interactive": "type",
    "template": "name",
    "location": "latitude",
    "reaction": "message_id",
}
_ADDRESS = re.compile(r"\+?[0-9][0-9 ()-]{4,20}")

_EXPIRED = Words("190", 401, "Invalid OAuth access token", "The token is not valid.")

VOCABULARY = Vocabulary(
    channel=CHANNEL,
    confirms=True,
    reads=True,
    refusals={
        Outcome.INVALID: [
            Words("131026", 400, "Message undeliverable", "No WhatsApp user there.")
        ],
        Outcome.WINDOW_CLOSED: [
            Words(
                "131047",
                400,
                "Re-engagement message",
                "More than 24 hours have passed since the recipient last replied.",
            )
        ],
        Outcome.SERVER_ERROR: [
            Words("131000", 500, "Something went wrong", "An unknown error occurred."),
            Words("131016", 503, "Service unavailable", "Temporarily unavailable."),
        ],
        Outcome.RATE_LIMIT: [
            Words("130429", 429, "Rate limit hit", "Message throughput was reached.")
        ],
        Outcome.MEDIA: [
            Words("131053", 400, "Media upload error", "The file cannot be fetched.")
        ],
        Outcome.AUTH: [_EXPIRED],
    },
    losses={
        Outcome.LOSE: [
            Words("131026", 400, "Message undeliverable", "Message undeliverable."),
            Words("131000", 500, "Something went wrong", "Delivery failed."),
        ],
        Outcome.HOLD_BACK: [
            Words(
                "131049",
                400,
                "Not delivered to maintain healthy ecosystem engagement",
                "The recipient has had many marketing messages lately.",
            )
        ],
        Outcome.BLOCKED: [
            Words(
                "131050",
                400,
                "User has stopped marketing messages",
                "The recipient wants no marketing messages from this business.",
            )
        ],
    },
)


class WhatsApp:
    """The endpoint that takes messages."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        base = "/whatsapp/{version}/{phone_number_id}"
        return [web.post(f"{base}/messages", self.messages), web.get(base, self.number)]

    async def messages(self, request: web.Request) -> web.StreamResponse:
        account = request.match_info["phone_number_id"]
        raw = await request.read()
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        fields: Mapping[str, Any] = body if isinstance(body, dict) else {}
        kind = str(fields.get("type") or "text")
        submission = Submission(
            channel=CHANNEL,
            account=account,
            recipient=plain_number(fields.get("to")),
            reference=str(fields.get("biz_opaque_callback_data") or ""),
            digest=digest_of([kind, fields.get(kind)]),
            template=kind == "template",
            media=kind in MEDIA_TYPES,
        )
        problem = _token_problem(request) or _problem(fields, kind)
        if problem is not None:
            verdict = self._desk.refuse(submission, problem)
        else:
            verdict = self._desk.receive(submission, new_message_id)
        if verdict.words is not None:
            error = error_object(verdict.words)
            return await answer(request, verdict, verdict.words.status, error)
        return await answer(request, verdict, 200, _accepted(fields, verdict))

    async def number(self, request: web.Request) -> web.StreamResponse:
        """Tell about the sending number, which is how credentials are checked."""
        problem = _token_problem(request)
        if problem is not None:
            return json_response(problem.status, error_object(problem))
        return json_response(
            200,
            {
                "id": request.match_info["phone_number_id"],
                "display_phone_number": "+1 555 010 0737",
                "verified_name": "Sandbox",
                "quality_rating": "GREEN",
            },
        )


def error_object(words: Words) -> dict[str, Any]:
    """Return an error as the Graph API writes it."""
    return {
        "error": {
            "message": f"(#{words.code}) {words.message}",
            "type": "OAuthException",
            "code": int(words.code),
            "error_data": {"messaging_product": "whatsapp", "details": words.details},
            "fbtrace_id": "A" + secrets.token_urlsafe(16),
        }
    }


def _accepted(fields: Mapping[str, Any], verdict: Verdict) -> dict[str, Any]:
    message = {"id": verdict.entry.provider_id}
    if fields.get("type") == "template":
        # Meta tells the pacing state of templates only.
        message["message_status"] = "accepted"
    return {
        "messaging_product": "whatsapp",
        "contacts": [
            {"input": str(fields.get("to")), "wa_id": verdict.entry.recipient}
        ],
        "messages": [message],
    }


def _token_problem(request: web.Request) -> Words | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    # A token that calls itself revoked stands for credentials that broke.
    if scheme.lower() != "bearer" or not token.strip() or "revoked" in token:
        return _EXPIRED
    return None


def _problem(fields: Mapping[str, Any], kind: str) -> Words | None:
    """Return what is wrong with the form of a message."""
    if fields.get("messaging_product") != "whatsapp":
        return _invalid("The parameter messaging_product is required.")
    if not fields.get("to"):
        return _invalid("The parameter to is required.")
    if not _ADDRESS.fullmatch(str(fields["to"])):
        return Words(
            "131009", 400, "Parameter value is not valid", "The number is not valid."
        )
    content = fields.get(kind)
    if not isinstance(content, dict):
        return _invalid(f"The parameter {kind} is required.")
    if kind in MEDIA_TYPES and not (content.get("link") or content.get("id")):
        return _missing(f"{kind}.link or {kind}.id is required.")
    needed = NEEDED.get(kind)
    if needed and not content.get(needed):
        return _missing(f"{kind}.{needed} is required.")
    if kind == "text" and len(str(content["body"])) > 4096:
        return _invalid("text.body must be at most 4096 characters long.")
    language = content.get("language")
    if kind == "template" and not (isinstance(language, dict) and language.get("code")):
        return _missing("template.language.code is required.")
    return None


def _invalid(details: str) -> Words:
    return Words("100", 400, "Invalid parameter", details)


def _missing(details: str) -> Words:
    return Words("131008", 400, "Required parameter is missing", details)
