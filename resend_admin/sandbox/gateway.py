"""A WhatsApp device gateway: what it sends for us, in the words of WUTS.

Shapes and codes follow the WUTS gateway's pages "Send text", "Send quick-reply
buttons", "Working with Media" and "Errors". What its phone is asked for besides is
in :mod:`resend_admin.sandbox.gateway_phone`.
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
from resend_admin.sandbox.gateway_hook import DEFAULT_DEVICE, person, wire_moment
from resend_admin.sandbox.gateway_phone import Phones
from resend_admin.sandbox.log import digest_of, now
from resend_admin.sandbox.words import Vocabulary, Words

CHANNEL = "gateway"
MEDIA = frozenset({"image", "video", "audio", "document", "sticker"})
_TOKEN = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
)
_NUMBER = re.compile(r"[0-9]{10,15}")

UNAUTHORIZED = Words("UNAUTHORIZED", 401, "unauthorized")
NOT_READY = Words("DEVICE_NOT_READY", 503, "WhatsApp session is not connected")
FAULT = Words("INTERNAL_ERROR", 500, "internal error")

VOCABULARY = Vocabulary(
    channel=CHANNEL,
    confirms=True,
    reads=True,
    refusals={
        Outcome.INVALID: [
            Words("VALIDATION_ERROR", 400, "number is not registered on WhatsApp")
        ],
        Outcome.BLOCKED: [
            Words("FORBIDDEN", 403, "the recipient does not take messages from you")
        ],
        Outcome.SERVER_ERROR: [FAULT, Words("", 502, "bad gateway")],
        Outcome.RATE_LIMIT: [Words("TOO_MANY_REQUESTS", 429, "slow down")],
        Outcome.MEDIA: [Words("VALIDATION_ERROR", 400, "download of the file failed")],
        Outcome.AUTH: [UNAUTHORIZED],
    },
)


class Gateway:
    """The doors that take messages, receipts and questions for the phones."""

    def __init__(self, desk: Desk, phones: Phones) -> None:
        self._desk = desk
        self._phones = phones

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/gateway/send/{kind}", self.send),
            web.post("/gateway/messages/history/request", self.history),
            web.post("/gateway/messages/{id}/retry", self.retry),
            web.get("/gateway/status", self.status),
        ]

    async def send(self, request: web.Request) -> web.StreamResponse:
        kind, fields = request.match_info["kind"], await _fields(request)
        number = str(fields.get("number") or fields.get("to") or "")
        content = {
            name: fields[name] for name in fields if name not in {"number", "to"}
        }
        submission = Submission(
            channel=CHANNEL,
            account=device_of(request),
            recipient=number,
            # The gateway takes no reference of the sender's; this is for the log.
            reference=request.headers.get("X-Request-Id", ""),
            digest=digest_of([kind, content]),
            media=kind in MEDIA,
        )
        problem = self._closed(request) or _problem(kind, number, fields)
        if problem is not None:
            verdict = self._desk.refuse(submission, problem)
        else:
            verdict = self._desk.receive(submission, new_message_id)
        if verdict.words is not None:
            words = verdict.words
            return await answer(request, verdict, words.status, error_object(words))
        return await answer(request, verdict, 200, _sent(submission, verdict))

    async def retry(self, request: web.Request) -> web.StreamResponse:
        fields = await _fields(request)
        ids = fields.get("message_ids") or [request.match_info["id"]]
        chat = str(fields.get("chat_jid") or "")
        sender = str(fields.get("sender_jid") or chat)
        problem = self._closed(request)
        if problem is None and not (chat and isinstance(ids, list)):
            problem = Words("VALIDATION_ERROR", 400, "chat_jid is required")
        device = device_of(request)
        verdict, words = self._phones.judge(device, "retry", chat, sender, ids, problem)
        if words is not None:
            return await answer(request, verdict, words.status, error_object(words))
        body = {
            "success": True,
            "chat_jid": chat,
            "sender_jid": sender,
            "message_ids": ids,
            "receipt_type": "retry",
            "timestamp": wire_moment(now()),
        }
        return await answer(request, verdict, 200, body)

    async def history(self, request: web.Request) -> web.StreamResponse:
        fields = await _fields(request)
        chat, count = str(fields.get("chat_jid") or ""), fields.get("count", 50)
        problem = self._closed(request)
        if problem is None and not (chat and isinstance(count, int) and count > 0):
            problem = Words("VALIDATION_ERROR", 400, "chat_jid and count are required")
        device = device_of(request)
        verdict, words = self._phones.judge(device, "history", chat, "", [], problem)
        if words is not None:
            return await answer(request, verdict, words.status, error_object(words))
        self._phones.plan_history(device, fields)
        body = {
            "success": True,
            "message": "History sync requested. Messages follow by webhook.",
            "chat_jid": chat,
            "requested_count": count,
        }
        return await answer(request, verdict, 200, body)

    async def status(self, request: web.Request) -> web.StreamResponse:
        if not _is_authorized(request):
            return json_response(401, {"success": False, "error": "unauthorized"})
        device = device_of(request)
        phone = self._phones.of(device)
        data = {
            "connected": phone.is_ready,
            "status": "connected" if phone.is_ready else "disconnected",
            "device_id": device,
            "jid": person(self._phones.number) if phone.linked else "",
            "phone_number": self._phones.number if phone.linked else "",
            "is_logged_in": phone.is_ready,
            "last_seen": wire_moment(
                now() if phone.is_ready else phone.last_seen or now()
            ),
        }
        return json_response(200, {"success": True, "data": data})

    def _closed(self, request: web.Request) -> Words | None:
        """Return why nothing can be asked of this device at all."""
        if not _is_authorized(request):
            return UNAUTHORIZED
        return None if self._phones.of(device_of(request)).is_ready else NOT_READY


def device_of(request: web.Request) -> str:
    return request.query.get("device_id") or DEFAULT_DEVICE


def error_object(words: Words) -> dict[str, Any]:
    """Return an error as the gateway writes it; a proxy before it has no code."""
    error = {"success": False, "error": words.message}
    if words.code:
        error |= {"error_code": words.code, "timestamp": wire_moment(now())}
    return error


def new_message_id() -> str:
    return f"3EB0{secrets.token_hex(8).upper()}"


def _sent(submission: Submission, verdict: Verdict) -> dict[str, Any]:
    moment = wire_moment(verdict.entry.at)
    return {
        "success": True,
        "message_id": verdict.entry.provider_id,
        "timestamp": moment,
        "status": "sent",
        "chat_jid": person(submission.recipient),
        "metadata": {"device_id": submission.account, "sent_at": moment},
    }


def _is_authorized(request: web.Request) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and bool(_TOKEN.fullmatch(token.strip().lower()))


def _problem(kind: str, number: str, fields: Mapping[str, Any]) -> Words | None:
    """Return what is wrong with the form of a message."""
    if not _NUMBER.fullmatch(number):
        return Words("VALIDATION_ERROR", 400, "number must have 10 to 15 digits")
    if kind in MEDIA:
        sources = [fields.get(kind), fields.get(f"{kind}_url")]
        if sum(bool(one) for one in sources) != 1:
            return Words("VALIDATION_ERROR", 400, f"give {kind} or {kind}_url")
        if kind == "document" and not fields.get("file_name"):
            return Words("VALIDATION_ERROR", 400, "file_name is required")
        return None
    needed = {"text": "text", "buttons": "message", "template": "body"}.get(kind)
    if needed is None:
        return Words("NOT_FOUND", 404, "not found")
    written = fields.get(needed)
    if not isinstance(written, str) or not 1 <= len(written) <= 4096:
        return Words("VALIDATION_ERROR", 400, f"{needed} must have 1 to 4096 letters")
    return None


async def _fields(request: web.Request) -> dict[str, Any]:
    try:
        fields = json.loads(await request.read())
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}
