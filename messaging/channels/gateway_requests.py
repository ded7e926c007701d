"""What a device can be asked for besides sending: a retransmission, history, health.

Wire format: the WUTS gateway's pages "Request message retransmission", "Request a
chat history sync" and "Check connection status". Every answer is one of the four
values of :data:`messaging.channels.contract.Answer`; nothing is raised for what the
gateway says.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from messaging.channels.contract import Accepted, Account, Answer, InDoubt, Rejected
from messaging.channels.device_gateway import NOT_READY, DeviceGateway, refusal
from messaging.channels.gateway_hooks import moment_of
from messaging.channels.http import (
    HttpConnection,
    json_object,
    without_own_words,
)
from messaging.channels.posts import mapping, word

PATIENCE_SECONDS: Final = 8.0
"""How long the gateway may take: somebody waits for the answer."""
AT_ONCE: Final = 50
"""Gateways that are asked for the health of their phones at the same time."""


class _Asking(DeviceGateway):
    """The gateway, asked for something that is no message."""

    timeout = PATIENCE_SECONDS

    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> Answer:
        answer = json_object(body)
        if answer is None:
            return without_own_words(status, headers, body)
        if status >= 300 or answer.get("success") is False:
            return refusal(status, headers, answer)
        if answer.get("success") is not True:
            return InDoubt("unreadable_answer", "The answer does not say yes or no.")
        return Accepted("")


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """What the gateway says about its phone. ``problem`` if it could not be asked.

    A phone without a connection is not logged in either, so that whether it is
    linked shows in ``is_paired``: the gateway names its number "once paired".
    ``last_seen`` is when it had a connection last, if the gateway says so.
    """

    is_connected: bool = False
    is_logged_in: bool = False
    is_paired: bool = False
    phone: str = ""
    last_seen: datetime | None = None
    problem: Answer | None = None


def request_retransmission(
    account: Account, chat_jid: str, sender_jid: str, message_ids: Sequence[str]
) -> Answer:
    """Ask the sender's device to send these messages once more."""
    path = f"/messages/{quote(message_ids[0], safe='')}/retry"
    value = {
        "chat_jid": chat_jid,
        "sender_jid": sender_jid,
        "message_ids": list(message_ids),
    }
    return asyncio.run(_ask(account, path, value))


def request_history(account: Account, value: Mapping[str, Any]) -> Answer:
    """Ask for older messages of a chat; they come as events, later."""
    return asyncio.run(_ask(account, "/messages/history/request", value))


def device_status(account: Account) -> DeviceStatus:
    """Ask whether the phone is linked and has a connection."""
    [status] = device_statuses([account])
    return status


def device_statuses(accounts: Sequence[Account]) -> list[DeviceStatus]:
    """Ask many gateways at the same time; the answers stand in their order."""
    return asyncio.run(_statuses(accounts)) if accounts else []


async def _statuses(accounts: Sequence[Account]) -> list[DeviceStatus]:
    at_once = asyncio.Semaphore(AT_ONCE)

    async def status(account: Account) -> DeviceStatus:
        async with at_once:
            return _status(await _ask(account, "/status", None))

    return await asyncio.gather(*(status(one) for one in accounts))


def _status(answer: Answer) -> DeviceStatus:
    """Understand an answer: "always 200, the details live in data"."""
    if not isinstance(answer, Accepted):
        return DeviceStatus(problem=answer)
    data = mapping(mapping(_parsed(answer.raw)).get("data"))
    if not isinstance(data.get("connected"), bool):
        unclear = InDoubt("unreadable_answer", "The answer says nothing of the phone.")
        return DeviceStatus(problem=unclear)
    return DeviceStatus(
        is_connected=data["connected"],
        is_logged_in=data.get("is_logged_in") is True,
        is_paired=bool(data.get("jid") or data.get("phone_number")),
        phone=word(data.get("phone_number"), 20),
        last_seen=moment_of({"timestamp": data.get("last_seen")}),
    )


def is_not_ready(answer: Answer) -> bool:
    """Tell whether it is the phone that keeps the gateway from doing it."""
    return isinstance(answer, Rejected) and answer.code in {NOT_READY, "DEVICE_ERROR"}


async def _ask(account: Account, path: str, value: Mapping[str, Any] | None) -> Answer:
    gateway = _Asking()
    try:
        request = gateway.request(account, path, value)
    except KeyError:
        return Rejected("auth_failed", "The integration has no API token.")
    async with gateway.connect(account) as connection:
        assert isinstance(connection, HttpConnection)
        return await connection.ask(request, "")


def _parsed(raw: str) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None
