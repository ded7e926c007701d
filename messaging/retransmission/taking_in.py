"""What a device tells becomes rows, in any order, any number of times.

A message is one row by its id, whether a live event, a retransmission or the history
brought it. Everything here runs in the transaction that applies the receipts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Final

from messaging.channels.contract import EventKind
from messaging.channels.gateway_hooks import (
    chat_of,
    is_from_us,
    message_id_of,
    moment_of,
    sender_of,
)
from messaging.channels.jids import is_person, phone_of
from messaging.channels.posts import mapping, sequence, word
from messaging.devices import noting
from messaging.models import Contact, Receipt, ReceiptResult
from messaging.retransmission import statements
from messaging.webhooks import emitting

LONGEST_TEXT: Final = 20_000
Told = Mapping[str, Any]
"""One receipt that waits, as ``receipts_waiting.sql`` returns it."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One message that an event tells of, fit for its columns."""

    organization_id: int
    integration_id: int
    message_id: str
    chat_jid: str
    sender_jid: str
    phone: str
    push_name: str
    is_from_us: bool
    occurred_at: datetime
    is_readable: bool
    kind: str = ""
    text: str = ""
    media_url: str = ""
    media_name: str = ""


def take_in(told: Sequence[Told]) -> dict[int, ReceiptResult]:
    """Keep what these receipts say about messages; return what became of each."""
    raws = dict(
        Receipt.objects.filter(pk__in=[one["id"] for one in told]).values_list(
            "pk", "raw"
        )
    )
    results: dict[int, ReceiptResult] = {}
    heard: list[Heard] = []
    about_files: list[tuple[Told, Mapping[str, Any]]] = []
    for one in told:
        envelope = mapping(raws.get(one["id"]))
        if one["kind"] == EventKind.DEVICE:
            at = _believable(one["occurred_at"], one)
            is_known = noting.hear(one["integration_id"], envelope, at)
            results[one["id"]] = (
                ReceiptResult.APPLIED if is_known else ReceiptResult.NOT_UNDERSTOOD
            )
            continue
        if one["kind"] == EventKind.MEDIA:
            about_files.append((one, mapping(envelope.get("data"))))
            continue
        found = list(_heard(one, mapping(envelope.get("data"))))
        heard += found
        results[one["id"]] = (
            ReceiptResult.APPLIED if found else ReceiptResult.NOT_UNDERSTOOD
        )
    hear(heard)
    for one, data in about_files:
        results[one["id"]] = _media_again(one, data)
    return results


def hear(messages: Iterable[Heard]) -> int:
    """Write messages, and tell of those that are recovered; return how many are."""
    # Of two that tell of the same message in one batch, the one that can be read.
    best: dict[tuple[int, str], Heard] = {}
    for one in messages:
        key = one.integration_id, one.message_id
        if key not in best or one.is_readable > best[key].is_readable:
            best[key] = one
    if not best:
        return 0
    rows = [asdict(one) for one in best.values()]
    columns = {one.name: [row[one.name] for row in rows] for one in fields(Heard)}
    recovered = statements.rows("hear", columns)
    for row in recovered:
        emitting.retransmission_recovered(
            organization_id=row["organization_id"],
            message_id=row["message_id"],
            chat_jid=row["chat_jid"],
            recovered_at=row["closed_at"],
            external_id=_external_id(row["organization_id"], row["phone"]),
            attempts=row["requests"],
        )
    return len(recovered)


def _heard(told: Told, data: Mapping[str, Any]) -> Iterator[Heard]:
    if told["kind"] != EventKind.HISTORY:
        yield from _message(told, data, told["kind"] == EventKind.INBOUND)
        return
    chat = word(data.get("chat_jid"), 80)
    for item in sequence(data.get("messages")):
        message = mapping(item)
        if _says_something(message):
            yield from _message(told, {"chat_jid": chat, **message}, True)


def _says_something(message: Mapping[str, Any]) -> bool:
    """Tell whether a phone has more of an old message than its id."""
    return any(
        message.get(one) for one in ("content", "message_type", "media", "media_url")
    )


def _message(told: Told, data: Mapping[str, Any], readable: bool) -> Iterator[Heard]:
    message_id, chat = message_id_of(data), chat_of(data)
    if not message_id or not chat:
        return
    ours, sender = is_from_us(data), sender_of(data)
    # In a conversation of two the chat is the member, whoever writes.
    member = chat if is_person(chat) else "" if ours else sender
    media = mapping(data.get("media"))
    yield Heard(
        organization_id=told["organization_id"],
        integration_id=told["integration_id"],
        message_id=message_id,
        chat_jid=chat,
        sender_jid=sender,
        phone=phone_of(member),
        push_name=word(data.get("push_name"), 100),
        is_from_us=ours,
        occurred_at=_believable(moment_of(data) or told["occurred_at"], told),
        is_readable=readable,
        kind=word(data.get("message_type"), 20) if readable else "",
        text=word(data.get("content"), LONGEST_TEXT) if readable else "",
        media_url=word(media.get("url") or data.get("media_url"), 2000),
        media_name=word(media.get("file_name") or data.get("file_name"), 200),
    )


def _believable(occurred_at: datetime | None, told: Told) -> datetime:
    """Return when it was written; a phone's clock does not run ahead of ours."""
    received_at: datetime = told["received_at"]
    if occurred_at is None or occurred_at > received_at:
        return received_at
    return occurred_at


def _media_again(told: Told, data: Mapping[str, Any]) -> ReceiptResult:
    """Keep where the file of a message is now, of one that is not known yet, too."""
    message_id, chat = message_id_of(data), chat_of(data)
    if not message_id or not chat:
        return ReceiptResult.NOT_UNDERSTOOD
    if data.get("success") is False or data.get("error"):
        # The sender's phone has the file no more: nothing is known that was not.
        return ReceiptResult.IGNORED
    media = mapping(data.get("media"))
    statements.rows(
        "media_again",
        {
            "organization_id": told["organization_id"],
            "integration_id": told["integration_id"],
            "message_id": message_id,
            "chat_jid": chat,
            "sender_jid": sender_of(data),
            "at": _believable(told["occurred_at"], told),
            "media_url": word(media.get("url") or data.get("media_url"), 2000),
        },
    )
    return ReceiptResult.APPLIED


def _external_id(organization_id: int, phone: str) -> str:
    """Return the member whose number it is, of several the first one."""
    if not phone:
        return ""
    known = Contact.objects.filter(organization_id=organization_id, phone=phone)
    found = known.order_by("pk").values_list("external_id", flat=True).first()
    return found or ""
