"""Telegram Bot API: the sending methods, ``setWebhook`` and updates.

Shapes and sentences follow the Bot API reference. Telegram posts no receipts:
an answer with ``ok`` is the last word.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from resend_admin.sandbox.answers import answer, json_response
from resend_admin.sandbox.behaviour import Outcome
from resend_admin.sandbox.desk import Desk, Submission
from resend_admin.sandbox.hooks import Hook, Hooks
from resend_admin.sandbox.log import digest_of
from resend_admin.sandbox.receipts import Post
from resend_admin.sandbox.words import Vocabulary, Words

CHANNEL = "telegram"
METHODS = {
    "sendmessage": "text",
    "sendphoto": "photo",
    "sendvideo": "video",
    "sendaudio": "audio",
    "senddocument": "document",
}
"""The sending methods (their case does not matter) and the field each needs."""

_TOKEN = re.compile(r"([0-9]+):\S+")
_ADDRESS = re.compile(r"-?[0-9]{1,20}|@[A-Za-z0-9_]{3,}")

_UNAUTHORIZED = Words("401", 401, "Unauthorized")
_NOT_FOUND = Words("404", 404, "Not Found")
_NO_CHAT = Words("400", 400, "Bad Request: chat not found")
_TOO_MANY = Words("429", 429, "Too Many Requests")

VOCABULARY = Vocabulary(
    channel=CHANNEL,
    refusals={
        Outcome.INVALID: [_NO_CHAT],
        Outcome.BLOCKED: [
            Words("403", 403, "Forbidden: bot was blocked by the user"),
        ],
        Outcome.SERVER_ERROR: [
            Words("500", 500, "Internal Server Error"),
            Words("502", 502, "Bad Gateway"),
        ],
        Outcome.RATE_LIMIT: [_TOO_MANY],
        Outcome.HOLD_BACK: [_TOO_MANY],
        Outcome.MEDIA: [
            Words("400", 400, "Bad Request: failed to get HTTP URL content")
        ],
        Outcome.LOSE: [Words("403", 403, "Forbidden: user is deactivated")],
        Outcome.AUTH: [_UNAUTHORIZED],
    },
)


class Telegram:
    """The methods of any bot, and how its updates are posted."""

    def __init__(self, desk: Desk, hooks: Hooks) -> None:
        self._desk = desk
        self._hooks = hooks
        self._last_update = int(time.time())

    def routes(self) -> list[web.RouteDef]:
        path = "/telegram/bot{token}/{method}"
        return [web.post(path, self.method), web.get(path, self.method)]

    async def method(self, request: web.Request) -> web.StreamResponse:
        fields = await _fields(request)
        method = request.match_info["method"].lower()
        bot = _bot(request.match_info["token"])
        if method in METHODS:
            return await self._send(request, bot, method, fields)
        if not bot:
            return json_response(401, error_object(_UNAUTHORIZED))
        if method == "getme":
            return json_response(200, {"ok": True, "result": _user(bot)})
        if method == "setwebhook":
            url, secret = fields.get("url", ""), fields.get("secret_token", "")
            self._hooks.register(Hook(CHANNEL, bot, url, secret))
            return json_response(200, {"ok": True, "result": True})
        return json_response(404, error_object(_NOT_FOUND))

    async def _send(
        self, request: web.Request, bot: str, method: str, fields: Mapping[str, Any]
    ) -> web.StreamResponse:
        recipient = str(fields.get("chat_id", ""))
        content = {name: fields[name] for name in fields if name != "chat_id"}
        submission = Submission(
            channel=CHANNEL,
            account=bot,
            recipient=recipient,
            # The Bot API takes no reference of the sender's; this is for the log.
            reference=request.headers.get("X-Request-Id", ""),
            digest=digest_of([method, content]),
            media=method != "sendmessage",
        )
        problem = _UNAUTHORIZED if not bot else _problem(method, fields)
        if problem is not None:
            verdict = self._desk.refuse(submission, problem)
        else:
            verdict = self._desk.receive(submission, self._new_id)
        if verdict.words is not None:
            error = error_object(verdict.words, verdict.retry_after)
            return await answer(request, verdict, verdict.words.status, error)
        number = int(verdict.entry.provider_id or 0)
        result = {
            "message_id": number,
            "from": _user(bot),
            "chat": _chat(recipient),
            "date": int(verdict.entry.at.timestamp()),
        }
        if method == "sendmessage":
            result["text"] = fields["text"]
        elif "caption" in fields:
            result["caption"] = fields["caption"]
        return await answer(request, verdict, 200, {"ok": True, "result": result})

    def inbound_post(self, hook: Hook, sender: str, text: str) -> Post:
        self._last_update += 1
        message = {
            "message_id": int(self._new_id()),
            "from": {
                "id": int(sender),
                "is_bot": False,
                "first_name": f"Member {sender}",
            },
            "chat": _chat(sender),
            "date": int(time.time()),
            "text": text,
        }
        update = {"update_id": self._last_update, "message": message}
        headers = {"Content-Type": "application/json"}
        if hook.secret:
            headers["X-Telegram-Bot-Api-Secret-Token"] = hook.secret
        return Post(hook.url, headers, json.dumps(update).encode())

    def _new_id(self) -> str:
        return str(self._desk.next_number())


def error_object(words: Words, retry_after: float = 1.0) -> dict[str, Any]:
    """Return an error as the Bot API writes it. ``retry_after`` in seconds."""
    error: dict[str, Any] = {
        "ok": False,
        "error_code": words.status,
        "description": words.message,
    }
    if words.status == 429:
        seconds = max(1, round(retry_after))
        error["description"] = f"{words.message}: retry after {seconds}"
        error["parameters"] = {"retry_after": seconds}
    return error


async def _fields(request: web.Request) -> dict[str, Any]:
    """Return the parameters: of the query, and of a JSON or form body."""
    fields: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        try:
            body = json.loads(await request.read())
        except ValueError:
            body = {}
        fields.update(body if isinstance(body, dict) else {})
    elif request.can_read_body:
        for name, value in (await request.post()).items():
            if isinstance(value, web.FileField):
                fields[name] = value.filename
            else:
                fields[name] = value
    return fields


def _bot(token: str) -> str:
    """Return the number a bot token begins with, or "" if the token is bad."""
    found = _TOKEN.fullmatch(token)
    # A token that calls itself revoked stands for credentials that broke.
    return found.group(1) if found and "revoked" not in token else ""


def bot_of(token: str) -> str:
    """Return the number that a bot token, whole or not, begins with."""
    return token.partition(":")[0]


def _problem(method: str, fields: Mapping[str, Any]) -> Words | None:
    """Return what is wrong with the parameters of a sending method."""
    if not _ADDRESS.fullmatch(str(fields.get("chat_id", ""))):
        return _NO_CHAT
    needed = METHODS[method]
    if not fields.get(needed):
        what = "message text is empty" if needed == "text" else f"there is no {needed}"
        return Words("400", 400, f"Bad Request: {what}")
    if needed == "text" and len(str(fields["text"])) > 4096:
        return Words("400", 400, "Bad Request: message is too long")
    return None


def _user(bot: str) -> dict[str, Any]:
    return {
        "id": int(bot),
        "is_bot": True,
        "first_name": "Sandbox",
        "username": f"sandbox_{bot}_bot",
    }


def _chat(chat_id: str) -> dict[str, Any]:
    if chat_id.startswith("@"):
        return {"id": 0, "username": chat_id[1:], "type": "channel"}
    return {
        "id": int(chat_id),
        "first_name": f"Member {chat_id}",
        "type": "private",
    }
