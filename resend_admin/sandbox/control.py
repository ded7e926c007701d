"""The sandbox's own interface: hooks, faults, receipts by hand, and the log."""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, TypeVar

from aiohttp import web

from resend_admin.sandbox.answers import json_response
from resend_admin.sandbox.desk import receipt_for
from resend_admin.sandbox.gateway_hook import person
from resend_admin.sandbox.gateway_phone import Phones, Unread
from resend_admin.sandbox.hooks import KINDS, Hook, Hooks
from resend_admin.sandbox.log import Entry, lines, lines_since, now
from resend_admin.sandbox.receipts import Format, Post, Receipts
from resend_admin.sandbox.switches import (
    ALL,
    CHANNELS,
    Fault,
    ReceiptMode,
    Switch,
    Switches,
)
from resend_admin.sandbox.telegram import bot_of
from resend_admin.sandbox.words import Vocabulary

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Word = TypeVar("Word", bound=StrEnum)


class ControlError(ValueError):
    """A request that makes no sense here; its text says why."""


class Inbox(Protocol):
    """A provider that passes on what members write."""

    def inbound_post(self, hook: Hook, sender: str, text: str) -> Post: ...


@dataclass(frozen=True, slots=True)
class Control:
    """What the running sandbox can be told, over HTTP or in a test."""

    log_path: Path
    hooks: Hooks
    switches: Switches
    receipts: Receipts
    formats: Mapping[str, Format]
    inboxes: Mapping[str, Inbox]
    vocabularies: Mapping[str, Vocabulary]
    phones: Phones

    def register_hook(self, fields: Mapping[str, Any]) -> Hook:
        kind = str(fields.get("kind"))
        if kind not in KINDS:
            raise ControlError(f"kind must be one of {', '.join(KINDS)}.")
        account = str(
            fields.get("account")
            or fields.get("phone_number_id")
            or fields.get("device_id")
            or fields.get("account_sid")
            or bot_of(str(fields.get("bot_token") or ""))
        )
        url = str(fields.get("url") or "")
        if not account or not url.startswith(("http://", "https://")):
            raise ControlError("An account and an http address are required.")
        secret, sender = fields.get("secret"), fields.get("sender")
        hook = Hook(KINDS[kind], account, url, str(secret or ""), str(sender or ""))
        self.hooks.register(hook)
        return hook

    def behave(self, fields: Mapping[str, Any]) -> None:
        """Switch faults of requests or receipts on, or all of them off."""
        channel = str(fields.get("channel") or ALL)
        if channel not in (ALL, *CHANNELS):
            raise ControlError(f"channel must be all or one of {', '.join(CHANNELS)}.")
        if fields.get("reset"):
            self.switches.reset(channel)
            self.receipts.set_mode(None, channel)
        if fields.get("fault"):
            self.switches.add(_switch(channel, fields))
        if fields.get("receipts"):
            self.receipts.set_mode(
                _one_of(ReceiptMode, str(fields["receipts"])), channel
            )

    async def post_receipt(self, fields: Mapping[str, Any]) -> int:
        """Post one receipt now and return the HTTP status of the answer."""
        entry = self._accepted_entry(str(fields.get("provider_id")))
        if entry.channel not in self.formats:
            raise ControlError(f"{entry.channel} knows no receipts.")
        hook = self.hooks.find(entry.channel, entry.account)
        if hook is None:
            raise ControlError("No hook is registered for this account.")
        status, words = str(fields.get("status") or "delivered"), None
        if status == "failed":
            vocabulary = self.vocabularies[entry.channel]
            words = vocabulary.loss_by_code(str(fields.get("code") or "131026"))
        receipt = receipt_for(entry, status, words=words)
        post = self.formats[entry.channel].receipts_post(hook, [receipt])
        return await self.receipts.post(post)

    async def inbound(self, fields: Mapping[str, Any]) -> int:
        """Post what a member wrote and return the HTTP status of the answer."""
        channel = str(fields.get("channel"))
        if channel not in self.inboxes:
            raise ControlError(f"channel must be one of {', '.join(self.inboxes)}.")
        account = fields.get("account")
        hook = (
            self.hooks.find(channel, str(account))
            if account
            else self.hooks.latest(channel)
        )
        if hook is None or not hook.url:
            raise ControlError("No hook is registered for this account.")
        sender, text = str(fields.get("from") or ""), str(fields.get("text") or "")
        if not sender.lstrip("+-").isdecimal():
            raise ControlError("from must be a number.")
        post = self.inboxes[channel].inbound_post(hook, sender, text)
        return await self.receipts.post(post)

    def set_phone(self, fields: Mapping[str, Any]) -> None:
        """Connect a device of the gateway or cut it off; let it recover or not."""
        device = str(fields.get("account") or "")
        phone = self.phones.of(device)
        self.phones.change(
            device,
            connected=bool(fields.get("connected", phone.connected)),
            linked=bool(fields.get("linked", phone.linked)),
            recovers=bool(fields.get("recovers", phone.recovers)),
        )

    async def undecryptable(self, fields: Mapping[str, Any]) -> int:
        """Post that a message cannot be read; return the HTTP status of the answer."""
        hook = self.phones.hook(str(fields.get("account") or ""))
        if hook is None or not hook.url:
            raise ControlError("No hook is registered for this account.")
        sender = str(fields.get("from") or "")
        if not sender.lstrip("+").isdecimal():
            raise ControlError("from must be a number.")
        jid = person(sender)
        unread = Unread(
            str(fields.get("message_id") or f"3EB0{secrets.token_hex(8).upper()}"),
            str(fields.get("chat") or jid),
            jid,
            str(fields.get("text") or "Hello!"),
            now(),
        )
        return await self.phones.undecryptable(hook, unread)

    def _accepted_entry(self, provider_id: str) -> Entry:
        for line in lines(self.log_path):
            if isinstance(line, Entry) and line.provider_id == provider_id:
                return line
        raise ControlError("No message with this provider_id was accepted.")

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/control/hooks", _explaining(self._post_hooks)),
            web.post("/control/behave", _explaining(self._post_behave)),
            web.post("/control/receipts", _explaining(self._post_receipts)),
            web.post("/control/inbound", _explaining(self._post_inbound)),
            web.post("/control/phone", _explaining(self._post_phone)),
            web.post("/control/undecryptable", _explaining(self._post_undecryptable)),
            web.get("/control/log", _explaining(self._get_log)),
            web.get("/control/accepted", _explaining(self._get_accepted)),
        ]

    async def _post_hooks(self, request: web.Request) -> web.Response:
        hook = self.register_hook(await _fields(request))
        return json_response(200, {"channel": hook.channel, "account": hook.account})

    async def _post_behave(self, request: web.Request) -> web.Response:
        self.behave(await _fields(request))
        return json_response(200, {"ok": True})

    async def _post_receipts(self, request: web.Request) -> web.Response:
        status = await self.post_receipt(await _fields(request))
        return json_response(200, {"hook_status": status})

    async def _post_inbound(self, request: web.Request) -> web.Response:
        status = await self.inbound(await _fields(request))
        return json_response(200, {"hook_status": status})

    async def _post_phone(self, request: web.Request) -> web.Response:
        self.set_phone(await _fields(request))
        return json_response(200, {"ok": True})

    async def _post_undecryptable(self, request: web.Request) -> web.Response:
        status = await self.undecryptable(await _fields(request))
        return json_response(200, {"hook_status": status})

    async def _get_log(self, request: web.Request) -> web.Response:
        """Return the lines after ``since``, and what to ask for next time."""
        since = request.query.get("since", "0")
        if not since.isdecimal():
            raise ControlError("since must be the next of an earlier answer.")
        found, following = lines_since(self.log_path, int(since))
        return json_response(200, {"lines": found, "next": following})

    async def _get_accepted(self, request: web.Request) -> web.Response:
        channel = request.query.get("channel")
        found = [
            line.as_json()
            for line in lines(self.log_path)
            if isinstance(line, Entry)
            and line.accepted
            and channel in (None, line.channel)
        ]
        return json_response(200, {"accepted": found})


def _explaining(handler: Handler) -> Handler:
    """Answer what makes no sense with the sentence that says why."""

    async def explained(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except ControlError as error:
            return json_response(400, {"error": str(error)})

    return explained


async def _fields(request: web.Request) -> dict[str, Any]:
    try:
        fields = json.loads(await request.read())
    except ValueError as error:
        raise ControlError("The body must be JSON.") from error
    if not isinstance(fields, dict):
        raise ControlError("The body must be a JSON object.")
    return fields


def _one_of(words: type[Word], word: str) -> Word:
    try:
        return words(word)
    except ValueError as error:
        known = ", ".join(words)
        raise ControlError(f"{word} is none of: {known}.") from error


def _switch(channel: str, fields: Mapping[str, Any]) -> Switch:
    fault = _one_of(Fault, str(fields["fault"]))
    times = fields.get("times")
    try:
        return Switch(
            fault,
            channel,
            times=None if times is None else int(times),
            seconds=float(fields.get("seconds", 1)),
            retry_after=float(fields.get("retry_after", 1)),
            share=float(fields.get("share", 1)),
            accepting=bool(fields.get("accepting", True)),
        )
    except (TypeError, ValueError) as error:
        raise ControlError("times, seconds, retry_after, share: numbers.") from error
