"""Numbers of broadcasts, as the tallies have them."""

from __future__ import annotations

import strawberry

from broadcasts import summary
from broadcasts.summary import Cause, Skips
from broadcasts.views.outcomes import short_title
from messaging.channels.catalogue import ErrorClass


@strawberry.type(description="Where the messages of a broadcast stand. Never expires.")
class Counters:
    total: int = strawberry.field(description="Every message is in one of the others.")
    delivered: int = strawberry.field(description="Arrived, read or not.")
    delivered_after_retry: int = strawberry.field(
        description="Arrived by a later attempt; part of `delivered`."
    )
    read: int = strawberry.field(description="Part of `delivered`.")
    sent: int = strawberry.field(description="Accepted; no word about its arrival.")
    sending: int
    waiting: int = strawberry.field(description="Waiting for another try.")
    untried: int = strawberry.field(description="Not tried yet.")
    failed: int
    unknown: int = strawberry.field(description="Nobody can tell whether it arrived.")
    skipped: int
    cancelled: int
    failed_kept: int = strawberry.field(
        description="Failed, and its row is still kept: what a retry can look up."
    )

    @classmethod
    def of(cls, numbers: summary.Counters) -> Counters:
        return cls(
            total=numbers.total,
            delivered=numbers.delivered,
            delivered_after_retry=numbers.delivered_later,
            read=numbers.read,
            sent=numbers.sent,
            sending=numbers.sending,
            waiting=numbers.waiting,
            untried=numbers.untried,
            failed=numbers.failed,
            unknown=numbers.unknown,
            skipped=numbers.skipped,
            cancelled=numbers.cancelled,
            failed_kept=numbers.kept_failed,
        )


@strawberry.type(description="Why messages failed, and whether a retry will help.")
class FailureCause:
    code: str = strawberry.field(description="As the catalogue has it.")
    error_reasons: list[str] = strawberry.field(
        description="As providers spelled it, such as `whatsapp:131047`."
    )
    count: int
    title: str
    diagnosis: str
    advice: str
    error_class: ErrorClass
    verdict: str = strawberry.field(description="Will a retry help? In a word or two.")
    wait_seconds: int = strawberry.field(
        description="How long a WAIT error takes to pass; else 0."
    )

    @classmethod
    def of(cls, cause: Cause) -> FailureCause:
        entry = cause.entry
        return cls(
            code=cause.code,
            error_reasons=list(cause.codes),
            count=cause.count,
            title=short_title(entry),
            diagnosis=entry.diagnosis,
            advice=entry.advice,
            error_class=entry.error_class,
            verdict=entry.verdict.label,
            wait_seconds=entry.wait_seconds,
        )


@strawberry.type(description="Why messages were left out on purpose, or taken back.")
class LeftOut:
    reason: str
    words: str
    count: int

    @classmethod
    def of(cls, found: Skips) -> LeftOut:
        return cls(reason=found.reason, words=found.words, count=found.count)
