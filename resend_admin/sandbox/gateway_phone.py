"""The phones behind the gateway: messages they cannot read, and their history.

A message that cannot be read is held here until a retry receipt asks for it; then
it is posted, unless the sender's number says otherwise: numbers ending in ``0004``
answer the second receipt only, ``0006`` none at all, ``0003`` after 30 seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from resend_admin.sandbox.behaviour import SLOW_DELIVERY, Outcome, magic_digits
from resend_admin.sandbox.desk import Options, Verdict
from resend_admin.sandbox.gateway_hook import (
    DEFAULT_DEVICE,
    event_post,
    message_data,
    wire_moment,
)
from resend_admin.sandbox.hooks import Hook, Hooks
from resend_admin.sandbox.log import ACCEPTED, REFUSED, Ask, Entry, Log, now
from resend_admin.sandbox.receipts import Receipts
from resend_admin.sandbox.switches import Fault, Switches
from resend_admin.sandbox.words import Vocabulary, Words

CHANNEL = "gateway"
LONGEST_HISTORY = 20
"""Messages that a sandbox phone remembers of a chat."""
_OUTCOMES = {
    Fault.SERVER_ERROR: Outcome.SERVER_ERROR,
    Fault.RATE_LIMIT: Outcome.RATE_LIMIT,
    Fault.AUTH: Outcome.AUTH,
}
_LINES = (
    "Good morning!",
    "Is the boathouse open today?",
    "Thank you, see you there.",
    "Can I bring a guest?",
    "I will be ten minutes late.",
)


@dataclass(slots=True)
class Unread:
    """A message that the phone could not decrypt."""

    message_id: str
    chat: str
    sender: str
    text: str
    at: datetime
    asked: int = 0


@dataclass(slots=True)
class Phone:
    """One device. ``recovers``: whether retry receipts bring messages back.

    A phone that is not ``linked`` has no connection either.
    """

    connected: bool = True
    linked: bool = True
    recovers: bool = True
    last_seen: datetime | None = None
    unread: dict[str, Unread] = field(default_factory=dict)

    @property
    def is_ready(self) -> bool:
        return self.connected and self.linked

    @property
    def event(self) -> str:
        """The event that tells how the phone is now."""
        if not self.linked:
            return "device.logged_out"
        return "device.connected" if self.connected else "device.disconnected"


class Phones:
    """All devices, made when they are first spoken of."""

    number = "233300002000"

    def __init__(
        self,
        hooks: Hooks,
        log: Log,
        receipts: Receipts,
        switches: Switches,
        vocabulary: Vocabulary,
        options: Options,
    ) -> None:
        self._hooks = hooks
        self._log = log
        self._receipts = receipts
        self._switches = switches
        self._vocabulary = vocabulary
        self._options = options
        self._phones: dict[str, Phone] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def of(self, device: str) -> Phone:
        return self._phones.setdefault(device or DEFAULT_DEVICE, Phone())

    def change(
        self, device: str, *, connected: bool, linked: bool, recovers: bool
    ) -> None:
        """Set how a phone is; its webhook hears of what that changes."""
        phone = self.of(device)
        before, seen = phone.event, now()
        if phone.is_ready:
            phone.last_seen = seen
        phone.connected, phone.linked = connected, linked
        phone.recovers = recovers
        hook = self._hooks.find(CHANNEL, device or DEFAULT_DEVICE)
        if hook is not None and phone.event != before:
            data = {"timestamp": wire_moment(seen)}
            self._post_later(0.0, hook, phone.event, data)

    def hook(self, device: str) -> Hook | None:
        if device:
            return self._hooks.find(CHANNEL, device)
        return self._hooks.latest(CHANNEL)

    async def undecryptable(self, hook: Hook, unread: Unread) -> int:
        """Hold a message back and say so; return the HTTP status of the answer."""
        self.of(hook.account).unread[unread.message_id] = unread
        data = {
            "message_id": unread.message_id,
            "chat_jid": unread.chat,
            "sender_jid": unread.sender,
            "timestamp": wire_moment(unread.at),
            "is_unavailable": False,
            "decrypt_fail_mode": "",
        }
        post = event_post(hook, "message.undecryptable", data)
        return await self._receipts.post(post)

    def judge(
        self,
        device: str,
        verb: str,
        chat: str,
        sender: str,
        ids: list[str],
        problem: Words | None,
    ) -> tuple[Verdict, Words | None]:
        """Decide about a question and put it on record."""
        switch = self._switches.draw(CHANNEL)
        words, fault = problem, None
        if switch is not None:
            outcome = _OUTCOMES.get(switch.fault)
            if outcome is None:
                fault = switch.fault
            else:
                words = words or self._vocabulary.refusal(outcome)
        lost = switch is not None and fault not in {None, Fault.SLOW}
        if lost and switch is not None and not switch.accepting:
            taken = False
        else:
            taken = words is None
        self._log.write(
            Ask(
                at=now(),
                channel=CHANNEL,
                account=device,
                verb=verb,
                chat=chat,
                sender=sender,
                message_ids=list(ids),
                outcome=ACCEPTED if taken else REFUSED,
                code=words.code if words else "",
            )
        )
        if taken and verb == "retry":
            self._take_receipt(device, ids)
        entry = _entry(device, chat)
        seconds = switch.seconds if switch else 0.0
        return Verdict(entry, words, 1.0, fault, seconds), words

    def _take_receipt(self, device: str, ids: list[str]) -> None:
        phone, hook = self.of(device), self._hooks.find(CHANNEL, device)
        if hook is None or not phone.recovers:
            return
        for message_id in ids:
            unread = phone.unread.get(str(message_id))
            if unread is None:
                continue
            unread.asked += 1
            digits = magic_digits(unread.sender)
            if digits == "0006" or (digits == "0004" and unread.asked < 2):
                continue
            delay = self._options.delivery_delay
            if digits == "0003":
                delay += SLOW_DELIVERY * self._options.pace
            del phone.unread[unread.message_id]
            self._later(delay, hook, unread)

    def _later(self, delay: float, hook: Hook, unread: Unread) -> None:
        data = message_data(
            unread.message_id, unread.chat, unread.sender, unread.text, unread.at
        )
        self._post_later(delay, hook, "message.received", data)

    def plan_history(self, device: str, fields: Mapping[str, Any]) -> None:
        """Post older messages of the chat in a moment, newest first."""
        hook = self._hooks.find(CHANNEL, device)
        if hook is None:
            return
        chat = str(fields["chat_jid"])
        before = _before(fields.get("last_message_timestamp"))
        found = []
        for number in range(min(int(fields.get("count", 50)), LONGEST_HISTORY)):
            at = before - timedelta(hours=number + 1)
            message_id = f"3A{int(at.timestamp()):X}{number:02X}"
            text = _LINES[number % len(_LINES)]
            message = message_data(message_id, chat, chat, text, at)
            if number % 3 == 2:
                message |= {"is_from_me": True, "from": f"{self.number}@s.whatsapp.net"}
            found.append(message)
        data = {"chat_jid": chat, "sync_type": "on_demand", "messages": found}
        self._post_later(self._options.delivery_delay, hook, "history.sync", data)

    def _post_later(
        self, delay: float, hook: Hook, event: str, data: Mapping[str, Any]
    ) -> None:
        async def posted() -> None:
            await asyncio.sleep(delay)
            await self._receipts.post_until_taken(event_post(hook, event, data))

        task = asyncio.get_running_loop().create_task(posted())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _before(value: Any) -> datetime:
    if isinstance(value, int) and 0 < value < 4_000_000_000:
        return datetime.fromtimestamp(value, UTC)
    return now()


def _entry(device: str, chat: str) -> Entry:
    """Return what an answer needs of a message, for a question that is none."""
    return Entry(
        at=now(),
        channel=CHANNEL,
        account=device,
        recipient=chat,
        reference="",
        provider_id="",
        digest="",
        outcome=ACCEPTED,
    )
