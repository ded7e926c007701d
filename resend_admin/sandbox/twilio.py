"""Twilio: the Messages resource, status callbacks and inbound messages.

Shapes and codes follow Twilio's reference (Message resource, error dictionary,
webhook security): requests are forms, answers JSON, callbacks forms signed with
the auth token over the address and the sorted fields.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from aiohttp import web

from resend_admin.sandbox.answers import answer, json_response
from resend_admin.sandbox.behaviour import Outcome
from resend_admin.sandbox.desk import Desk, Submission, Verdict
from resend_admin.sandbox.hooks import Hook, Hooks
from resend_admin.sandbox.log import digest_of
from resend_admin.sandbox.receipts import Post, Receipt
from resend_admin.sandbox.words import Vocabulary, Words

CHANNEL = "sms"
VERSION = "2010-04-01"
_ADDRESS = re.compile(r"\+[1-9][0-9]{6,14}")
_REFERENCE = re.compile(r"[0-9]+:[0-9]+")

_UNAUTHENTICATED = Words("20003", 401, "Authenticate")
_INVALID_TO = Words("21211", 400, "Invalid 'To' Phone Number")

VOCABULARY = Vocabulary(
    channel=CHANNEL,
    confirms=True,
    refusals={
        Outcome.INVALID: [_INVALID_TO],
        Outcome.BLOCKED: [
            Words("21610", 400, "Attempt to send to unsubscribed recipient")
        ],
        Outcome.SERVER_ERROR: [
            Words("20500", 500, "Internal Server Error"),
            Words("20503", 503, "Service Unavailable"),
        ],
        Outcome.RATE_LIMIT: [Words("20429", 429, "Too Many Requests")],
        Outcome.MEDIA: [Words("21620", 400, "Invalid media URL(s)")],
        Outcome.AUTH: [_UNAUTHENTICATED],
    },
    losses={
        Outcome.LOSE: [
            Words("30003", 400, "Unreachable destination handset"),
            Words("30005", 400, "Unknown destination handset"),
            Words("30008", 400, "Unknown error"),
        ],
        Outcome.HOLD_BACK: [Words("30017", 400, "Carrier network congestion")],
    },
)


class Twilio:
    """The endpoint that takes messages."""

    def __init__(self, desk: Desk, hooks: Hooks) -> None:
        self._desk = desk
        self._hooks = hooks

    def routes(self) -> list[web.RouteDef]:
        base = f"/twilio/{VERSION}/Accounts/{{sid}}"
        return [
            web.post(base + "/Messages.json", self.messages),
            web.get(base + ".json", self.account),
        ]

    async def messages(self, request: web.Request) -> web.StreamResponse:
        sid = request.match_info["sid"]
        text = (await request.read()).decode("utf-8", "replace")
        pairs = parse_qsl(text, keep_blank_values=True)
        fields = dict(pairs)
        media = [value for name, value in pairs if name == "MediaUrl"]
        names = ("Body", "ContentSid", "ContentVariables")
        submission = Submission(
            channel=CHANNEL,
            account=sid,
            recipient=fields.get("To", ""),
            reference=_reference(fields.get("StatusCallback", "")),
            digest=digest_of([[fields.get(name) for name in names], media]),
            template="ContentSid" in fields,
            media=bool(media),
            callback=fields.get("StatusCallback", ""),
        )
        token = _auth_token(request, sid)
        problem = _UNAUTHENTICATED if not token else _problem(fields)
        if problem is not None:
            verdict = self._desk.refuse(submission, problem)
        else:
            self._remember(submission, fields, token)
            verdict = self._desk.receive(submission, lambda: _sid("SM"))
        if verdict.words is not None:
            return await _refusal(request, verdict, verdict.words)
        return await answer(request, verdict, 201, _message(fields, verdict))

    async def account(self, request: web.Request) -> web.StreamResponse:
        """Tell about the account, which is how credentials are checked."""
        sid = request.match_info["sid"]
        if not _auth_token(request, sid):
            words = _UNAUTHENTICATED
            return json_response(words.status, error_object(words))
        return json_response(
            200, {"sid": sid, "friendly_name": "Sandbox", "status": "active"}
        )

    def _remember(
        self, submission: Submission, fields: Mapping[str, str], token: str
    ) -> None:
        """Keep what signing a callback, or an inbound message, takes later."""
        account = submission.account
        known = self._hooks.find(CHANNEL, account)
        url = submission.callback.partition("?")[0] or (known.url if known else "")
        sender = fields.get("From") or (known.sender if known else "")
        self._hooks.register(Hook(CHANNEL, account, url, token, sender))


class TwilioHook:
    """How callbacks and inbound messages are posted."""

    batch_size = 1
    lanes = 16

    def receipts_post(self, hook: Hook, receipts: Sequence[Receipt]) -> Post:
        (receipt,) = receipts
        # Twilio says "undelivered" for what the carrier took and then lost.
        status = "undelivered" if receipt.status == "failed" else receipt.status
        fields = {
            "AccountSid": receipt.account,
            "ApiVersion": VERSION,
            "From": hook.sender,
            "MessageSid": receipt.provider_id,
            "MessageStatus": status,
            "SmsSid": receipt.provider_id,
            "SmsStatus": status,
            "To": receipt.recipient,
        }
        if receipt.words is not None:
            fields["ErrorCode"] = receipt.words.code
            fields["ErrorMessage"] = receipt.words.message
        return _signed(receipt.callback or hook.url, hook.secret, fields)

    def inbound_post(self, hook: Hook, sender: str, text: str) -> Post:
        message = _sid("SM")
        fields = {
            "AccountSid": hook.account,
            "ApiVersion": VERSION,
            "Body": text,
            "From": sender,
            "MessageSid": message,
            "NumMedia": "0",
            "NumSegments": "1",
            "SmsMessageSid": message,
            "SmsSid": message,
            "SmsStatus": "received",
            "To": hook.sender,
        }
        return _signed(hook.url, hook.secret, fields)


def error_object(words: Words) -> dict[str, Any]:
    """Return an error as Twilio's REST API writes it."""
    return {
        "code": int(words.code),
        "message": words.message,
        "more_info": f"https://www.twilio.com/docs/errors/{words.code}",
        "status": words.status,
    }


def signature(url: str, auth_token: str, fields: Mapping[str, str]) -> str:
    """Return the value of ``X-Twilio-Signature``."""
    text = url + "".join(name + fields[name] for name in sorted(fields))
    digest = hmac.new(auth_token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


async def _refusal(
    request: web.Request, verdict: Verdict, words: Words
) -> web.StreamResponse:
    headers = {}
    if words.status == 429:
        headers["Retry-After"] = f"{max(1, round(verdict.retry_after))}"
    return await answer(request, verdict, words.status, error_object(words), headers)


def _auth_token(request: web.Request, sid: str) -> str:
    """Return the auth token, or "" where the request proves nothing."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    try:
        user, _, token = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    # A token that calls itself revoked stands for credentials that broke.
    if scheme.lower() != "basic" or user != sid or "revoked" in token:
        return ""
    return token


def _problem(fields: Mapping[str, str]) -> Words | None:
    """Return what is wrong with the form of a message."""
    if not fields.get("To"):
        return Words("21604", 400, "'To' phone number is required to send a Message")
    if not _ADDRESS.fullmatch(fields["To"]):
        return _INVALID_TO
    if not (fields.get("From") or fields.get("MessagingServiceSid")):
        return Words("21603", 400, "A 'From' phone number is required")
    if not any(fields.get(name) for name in ("Body", "MediaUrl", "ContentSid")):
        return Words("21602", 400, "Message body is required")
    if len(fields.get("Body", "")) > 1600:
        return Words("21617", 400, "The message body exceeds the 1600 character limit")
    return None


def _reference(callback: str) -> str:
    """Return the sender's reference out of the query of a callback address."""
    for _, value in parse_qsl(urlsplit(callback).query):
        if _REFERENCE.fullmatch(value):
            return value
    return ""


def _message(fields: Mapping[str, str], verdict: Verdict) -> dict[str, Any]:
    entry = verdict.entry
    service = fields.get("MessagingServiceSid")
    moment = format_datetime(entry.at)
    base = f"/{VERSION}/Accounts/{entry.account}/Messages/{entry.provider_id}"
    return {
        "account_sid": entry.account,
        "api_version": VERSION,
        "body": fields.get("Body", ""),
        "date_created": moment,
        "date_sent": None,
        "date_updated": moment,
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": fields.get("From"),
        "messaging_service_sid": service,
        "num_media": "1" if fields.get("MediaUrl") else "0",
        "num_segments": "1",
        "price": None,
        "price_unit": "USD",
        "sid": entry.provider_id,
        "status": "accepted" if service else "queued",
        "subresource_uris": {"media": f"{base}/Media.json"},
        "to": entry.recipient,
        "uri": f"{base}.json",
    }


def _signed(url: str, auth_token: str, fields: Mapping[str, str]) -> Post:
    return Post(
        url,
        {
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "X-Twilio-Signature": signature(url, auth_token, fields),
            "User-Agent": "TwilioProxy/1.1",
        },
        urlencode(fields).encode(),
    )


def _sid(prefix: str) -> str:
    return prefix + secrets.token_hex(16)
