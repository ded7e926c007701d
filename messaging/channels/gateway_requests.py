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
from typing import Any, Final
from urllib.parse import quote

from messaging.channels.contract import Accepted, Account, Answer, InDoubt, Rejected
from messaging.channels.device_gateway import NOT_READY, DeviceGateway, refusal
from messaging.channels.http import (
    HttpConnection,
    HttpRequest,
    json_object,
    without_own_words,
)
from messaging.channels.posts import mapping, word

PATIENCE_SECONDS: Final = 8.0
"""How long the gateway may take: somebody waits for the answer."""


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
    """What the gateway says about its phone. ``problem`` if it could not be asked."""

    is_connected: bool = False
    is_logged_in: bool = False
    phone: str = ""
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
    return _ask(account, path, value)


def request_history(account: Account, value: Mapping[str, Any]) -> Answer:
    """Ask for older messages of a chat; they come as events, later."""
    return _ask(account, "/messages/history/request", value)


def device_status(account: Account) -> DeviceStatus:
    """Ask whether the phone is linked and has a connection."""
    answer = _ask(account, "/status", None)
    if not isinstance(answer, Accepted):
        return DeviceStatus(problem=answer)
    data = mapping(mapping(_parsed(answer.raw)).get("data"))
    return DeviceStatus(
        is_connected=data.get("connected") is True,
        is_logged_in=data.get("is_logged_in") is True,
        phone=word(data.get("phone_number"), 20),
    )


def is_not_ready(answer: Answer) -> bool:
    """Tell whether it is the phone that keeps the gateway from doing it."""
    return isinstance(answer, Rejected) and answer.code in {NOT_READY, "DEVICE_ERROR"}


def _ask(account: Account, path: str, value: Mapping[str, Any] | None) -> Answer:
    gateway = _Asking()
    try:
        request = gateway.request(account, path, value)
    except KeyError:
        return Rejected("auth_failed", "The integration has no API token.")
    return asyncio.run(_asked(gateway, account, request))


async def _asked(gateway: _Asking, account: Account, request: HttpRequest) -> Answer:
    async with gateway.connect(account) as connection:
        assert isinstance(connection, HttpConnection)
        return await connection.ask(request, "")


def _parsed(raw: str) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None
