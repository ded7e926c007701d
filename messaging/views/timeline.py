"""Every try of one message, newest first, in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from messaging.channels.catalogue import CatalogueEntry, ErrorClass, lookup
from messaging.evidence import is_cut_off
from messaging.models import (
    Actor,
    Attempt,
    AttemptState,
    CountedDelivery,
    FollowUp,
    FollowUpState,
    Message,
    MessageState,
    Receipt,
)
from messaging.one_time_codes import hide
from messaging.reasons import held_back_in_words, reason_in_words
from messaging.views.answers import ShownReceipt, pretty, shown_receipt
from messaging.views.broadcast_names import BroadcastName
from messaging.views.counted import contradictions, counted_in_words
from messaging.views.pause_words import LEAVES, LEAVES_IN_TIME, pause_in_words
from messaging.views.shown_content import title_of


@dataclass(frozen=True, slots=True)
class Entry:
    """One dot of the timeline. ``facts`` are joined by a middle dot."""

    key: str
    tone: str
    icon: str
    title: str
    at: datetime | None = None
    sentences: tuple[str, ...] = ()
    advice: str = ""
    facts: tuple[str, ...] = ()
    answer: str = ""
    receipts: tuple[ShownReceipt, ...] = ()
    broadcast: BroadcastName | None = None
    message: MessageName | None = None


@dataclass(frozen=True, slots=True)
class MessageName:
    """A message that an entry leads to."""

    pk: int
    title: str


MOMENT: Final = timedelta(seconds=45)
"""What has been due for longer is not planned any more; it waits."""
FAILED: Final[dict[str, tuple[str, str, str]]] = {
    ErrorClass.RETRY: ("failed, can be tried again", "warn", "retry"),
    ErrorClass.WAIT: ("failed, can be tried again later", "warn", "clock"),
    ErrorClass.FIX_FIRST: ("failed, something has to be fixed first", "bad", "wrench"),
    ErrorClass.NEVER: ("failed for good", "bad", "cross"),
    ErrorClass.UNKNOWN: ("failed, the answer is not known", "bad", "question"),
}
OTHER_OUTCOMES: Final[dict[str, tuple[str, str, str]]] = {
    AttemptState.OPEN: ("sending now", "info", "plane"),
    AttemptState.SENT: ("sent", "info", "plane"),
    AttemptState.DELIVERED: ("delivered", "ok", "check"),
    AttemptState.READ: ("delivered and read", "ok", "check"),
    AttemptState.UNKNOWN: ("nobody can tell whether it arrived", "warn", "question"),
}
ASKED_BY: Final[dict[str, str]] = {
    Actor.BROADCAST: "By its broadcast",
    Actor.PERSON: "By a person",
    Actor.API: "By an API client",
    Actor.AUTOMATIC: "By automatic retry",
}
MADE_BY: Final[dict[str, str]] = {
    Actor.PERSON: "Made by a person.",
    Actor.API: "Made by an API client.",
}


def timeline(
    message: Message,
    attempts: Sequence[Attempt],
    receipts: Iterable[Receipt],
    broadcast: BroadcastName | None,
    *,
    follow_up: FollowUp | None = None,
    opened_for: FollowUp | None = None,
    counted: Iterable[CountedDelivery] = (),
    hidden: Collection[str] = (),
) -> list[Entry]:
    """Return what is planned, every attempt from the last to the first, the origin.

    ``attempts`` come with their integration. ``receipts`` are those of the attempts.
    ``follow_up`` is the template this message waits behind, ``opened_for`` what this
    message, a template, was sent for. ``counted`` is what people counted as delivered,
    ``hidden`` are codes that no answer may repeat.
    """
    said: dict[int | None, list[Receipt]] = defaultdict(list)
    for receipt in receipts:
        said[receipt.attempt_id] += [receipt]
    by_people = {one.attempt_id: one for one in counted}
    tries = [
        _without_codes(
            _attempt(message, one, said[one.pk], by_people.get(one.pk)), hidden
        )
        for one in sorted(attempts, key=lambda each: -each.number)
    ]
    planned = [*_standing(message), *_follow_up(message, follow_up)]
    maker = _maker(message, attempts)
    return [*planned, *tries, _origin(message, maker, broadcast, opened_for)]


def _follow_up(message: Message, follow_up: FollowUp | None) -> list[Entry]:
    """Return what a template was sent for, while that still matters."""
    if follow_up is None:
        return []
    template = MessageName(follow_up.opener_id, title_of(follow_up.opener))
    if follow_up.state == FollowUpState.WAITING:
        return [
            Entry(
                key="follow-up",
                tone="info",
                icon="chat",
                title="It follows when the member answers",
                at=follow_up.created_at,
                sentences=("A template was sent first, to open the window.",),
                facts=_asked(Actor.PERSON, follow_up.asked_by_name, ""),
                message=template,
            )
        ]
    is_last = message.state == MessageState.FAILED
    if follow_up.state == FollowUpState.REFUSED and is_last:
        return [
            Entry(
                key="follow-up",
                tone="warn",
                icon="warning",
                title="The member answered, but it could not follow",
                at=follow_up.closed_at,
                sentences=(follow_up.sentence,),
                message=template,
            )
        ]
    return []


def _without_codes(entry: Entry, hidden: Collection[str]) -> Entry:
    if not hidden:
        return entry
    return replace(
        entry,
        answer=hide(entry.answer, hidden),
        sentences=tuple(hide(one, hidden) for one in entry.sentences),
        receipts=tuple(
            replace(one, raw=hide(one.raw, hidden)) for one in entry.receipts
        ),
    )


def _standing(message: Message) -> list[Entry]:
    """Return the entry on top, for a message that waits or was taken out."""
    number = message.attempt_count + 1
    match message.state:
        case MessageState.PLANNED:
            return [
                Entry(
                    key="next",
                    tone="info",
                    icon="clock",
                    title="Attempt 1 is planned",
                    at=message.due_at,
                    sentences=("It leaves when its broadcast starts.",),
                )
            ]
        case MessageState.QUEUED:
            return [_queued(message, number)]
        case MessageState.FAILED | MessageState.UNKNOWN | MessageState.SENT if (
            message.reason
        ):
            return [
                Entry(
                    key="end",
                    tone="warn",
                    icon="skip",
                    title=f"Attempt {number} did not leave",
                    at=message.state_at,
                    sentences=(held_back_in_words(message),),
                )
            ]
        case MessageState.SKIPPED | MessageState.CANCELLED:
            is_skipped = message.state == MessageState.SKIPPED
            return [
                Entry(
                    key="end",
                    tone="idle",
                    icon="skip" if is_skipped else "ban",
                    title="Skipped on purpose" if is_skipped else "Cancelled",
                    at=message.state_at,
                    sentences=(f"{reason_in_words(message.reason)}.",),
                )
            ]
    return []


def _queued(message: Message, number: int) -> Entry:
    """Return what comes next: at its time, in its turn, or once a pause ends."""
    asked = _asked(message.asked_by, message.asked_by_name, message.asked_reason)
    due_at, now = message.due_at, timezone.now()
    pause = pause_in_words(message.integration)
    if pause:
        is_due = due_at is None or due_at <= now
        return Entry(
            key="next",
            tone="warn",
            icon="pause",
            title=f"Attempt {number} waits: its integration is paused",
            at=None if is_due else due_at,
            sentences=(pause, LEAVES if is_due else LEAVES_IN_TIME),
            facts=asked,
        )
    is_late = due_at is not None and due_at < now - MOMENT
    return Entry(
        key="next",
        tone="info",
        icon="clock",
        title=f"Attempt {number} {'waits its turn' if is_late else 'is planned'}",
        at=None if is_late else due_at,
        sentences=("It is due, and leaves as soon as it may.",) if is_late else (),
        facts=asked,
    )


def _maker(message: Message, attempts: Sequence[Attempt]) -> str:
    """Return who made the message; nothing where that is not known any more.

    Whoever asks for a resend takes the place of whoever made it: on the message at
    once, on its first attempt only if it had failed before there was one.
    """
    failed_at = message.first_failed_at
    first = min(attempts, key=lambda one: one.number, default=None)
    if first is None:
        return "" if failed_at else message.asked_by
    failed_before = failed_at is not None and failed_at < first.opened_at
    return "" if failed_before else first.actor


def _origin(
    message: Message,
    maker: str,
    broadcast: BroadcastName | None,
    opened_for: FollowUp | None,
) -> Entry:
    if opened_for is not None:
        return Entry(
            key="origin",
            tone="idle",
            icon="inbox",
            title="Queued",
            at=message.created_at,
            sentences=("Sent first, so that another message can follow the answer.",),
            message=MessageName(opened_for.message_id, title_of(opened_for.message)),
        )
    words = "" if message.broadcast_id else MADE_BY.get(maker, "")
    return Entry(
        key="origin",
        tone="idle",
        icon="inbox",
        title="Queued",
        at=message.created_at,
        sentences=(words,) if words else (),
        broadcast=broadcast,
    )


def _attempt(
    message: Message,
    attempt: Attempt,
    receipts: list[Receipt],
    counted: CountedDelivery | None,
) -> Entry:
    failed = attempt.state == AttemptState.FAILED
    entry = lookup(attempt.error_code, attempt.error_detail) if failed else None
    outcome, tone, icon = (
        FAILED.get(attempt.error_class, FAILED[ErrorClass.UNKNOWN])
        if failed
        else OTHER_OUTCOMES[attempt.state]
    )
    if counted and attempt.state == AttemptState.DELIVERED:
        outcome = "counted as delivered"
    elif attempt.state == AttemptState.UNKNOWN and is_cut_off(attempt):
        outcome = "nobody can tell whether it left"
    return Entry(
        key=str(attempt.number),
        tone="warn" if counted and contradictions(counted, receipts) else tone,
        icon=icon,
        title=f"Attempt {attempt.number}: {outcome}",
        at=attempt.opened_at,
        sentences=(
            *_sentences(attempt, entry),
            *(counted_in_words(attempt, counted, receipts) if counted else ()),
        ),
        advice=entry.advice
        if entry and not _waits_behind_pause(message, attempt)
        else "",
        facts=(
            *_asked(attempt.actor, attempt.actor_name, attempt.reason),
            *_facts(message, attempt),
        ),
        answer=pretty(attempt.answer),
        receipts=tuple(shown_receipt(attempt, each, counted) for each in receipts),
    )


def _waits_behind_pause(message: Message, attempt: Attempt) -> bool:
    """Tell that what to do stands above, and not with this last attempt."""
    is_last = attempt.number == message.attempt_count
    is_queued = message.state == MessageState.QUEUED
    return is_last and is_queued and bool(pause_in_words(message.integration))


def _sentences(attempt: Attempt, entry: CatalogueEntry | None) -> Iterable[str]:
    if entry is not None:
        yield entry.diagnosis
    elif attempt.state == AttemptState.UNKNOWN:
        if attempt.error_code:
            yield lookup(attempt.error_code, attempt.error_detail).diagnosis
    elif attempt.state == AttemptState.SENT:
        confirms = attempt.integration.provider.confirms_delivery
        yield (
            "The provider accepted it and has not said yet whether it arrived."
            if confirms
            else "The provider accepted it. It sends no receipts, so no more follows."
        )


def _facts(message: Message, attempt: Attempt) -> Iterable[str]:
    if attempt.duration_ms is not None:
        yield f"took {in_time(attempt.duration_ms)}"
    if attempt.pauses:
        times = "once" if attempt.pauses == 1 else f"{attempt.pauses} times"
        yield f"the provider asked to wait {times}"
    if attempt.parts > 1:
        yield f"{attempt.parts_sent.bit_count()} of {attempt.parts} parts accepted"
    if attempt.http_status:
        yield f"HTTP {attempt.http_status}"
    if attempt.error_code:
        yield attempt.error_code
    yield f"through {attempt.integration.name}"
    if attempt.content_id != message.content_id:
        yield "with other content"
    if attempt.provider_id:
        yield f"provider's number {attempt.provider_id}"


def _asked(actor: str, name: str, reason: str) -> tuple[str, ...]:
    by = f"By {name}" if name else ASKED_BY.get(actor, f"By {actor}")
    return (by, f"“{reason}”") if reason else (by,)


def in_time(milliseconds: int) -> str:
    """``981 ms``, ``2,950 ms``; from ten seconds on ``31 s``."""
    if milliseconds < 10_000:
        return f"{milliseconds:,} ms"
    return f"{round(milliseconds / 1000):,} s"
