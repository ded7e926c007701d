"""The rows of a broadcast: one message to one member each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import strawberry

from broadcasts.graphql.paging import Window
from broadcasts.ways import rows, statement
from messaging.access import LARGEST_ID
from messaging.channels.catalogue import ErrorClass
from messaging.channels.contract import Channel
from messaging.models import Attempt, Message, MessageState
from messaging.models import Contact as Member

ALL = tuple(MessageState)


@strawberry.type(description="A member, as your own systems know them.")
class Contact:
    id: strawberry.ID
    external_id: str
    name: str

    @classmethod
    def of(cls, row: Member) -> Contact:
        return cls(
            id=strawberry.ID(str(row.pk)),
            external_id=row.external_id,
            name=row.name,
        )


@strawberry.type(description="One message to one member. Kept for 30 days by default.")
class DispatchRow:
    answers: strawberry.Private[Answers]
    number: strawberry.Private[int]
    message_id: strawberry.ID = strawberry.field(
        description="As the other interfaces name it, `ra_<channel>_<id>_<hex>`."
    )
    contact: Contact
    channel: Channel | None
    recipient: str
    outcome: MessageState
    error_reason: str | None = strawberry.field(
        description="The provider's answer, such as `whatsapp:131047`."
    )
    error_class: ErrorClass | None
    reason: str | None = strawberry.field(
        description="Why it was skipped or taken back, or its last try did not leave."
    )
    reason_in_words: str | None
    attempt_count: int
    used_fallback: bool
    created_at: datetime
    outcome_at: datetime = strawberry.field(description="When the outcome changed.")
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None

    @strawberry.field(description="What the provider said to the latest attempt.")
    def answer(self) -> str | None:
        return self.answers.words.get(self.number) or None

    @classmethod
    def of(cls, row: Message, answers: Answers) -> DispatchRow:
        return cls(
            answers=answers,
            number=row.pk,
            message_id=strawberry.ID(row.public_id),
            contact=Contact.of(row.contact),
            channel=Channel(row.channel) if row.channel else None,
            recipient=row.recipient,
            outcome=MessageState(row.state),
            error_reason=row.error_code or None,
            error_class=ErrorClass(row.error_class) if row.error_class else None,
            reason=row.reason or None,
            reason_in_words=row.get_reason_display() or None,
            attempt_count=row.attempt_count,
            used_fallback=row.used_fallback,
            created_at=row.created_at,
            outcome_at=row.state_at,
            sent_at=row.sent_at,
            delivered_at=row.delivered_at,
            read_at=row.read_at,
        )


@dataclass(frozen=True)
class Answers:
    """What providers said last to the messages of one page, by one query."""

    message_ids: Sequence[int]

    @cached_property
    def words(self) -> dict[int, str]:
        attempts = Attempt.objects.filter(message__in=self.message_ids)
        return dict(
            attempts.order_by("message_id", "number").values_list(
                "message_id", "error_detail"
            )
        )


def pages_of(
    broadcast_ids: Iterable[int],
    window: Window,
    outcomes: Sequence[MessageState] = ALL,
    codes: Sequence[str] | None = None,
) -> dict[int, list[Message]]:
    """Return one page of each broadcast, and one row more, by two queries.

    Each state is a probe of its own in the index, as the order wants it. With
    ``codes`` it is the failed rows with one of these causes.
    """
    found = rows(
        statement("broadcast_rows" if codes is None else "broadcast_rows_of_causes"),
        {
            "broadcast_ids": list(broadcast_ids),
            "values": list(outcomes) if codes is None else list(codes),
            "below": LARGEST_ID if window.below is None else window.below,
            "limit": window.first + 1,
        },
    )
    ids = [one["message_id"] for one in found]
    messages = Message.objects.select_related("contact").in_bulk(ids)
    pages: dict[int, list[Message]] = defaultdict(list)
    for one in found:
        if message := messages.get(one["message_id"]):
            pages[one["broadcast_id"]].append(message)
    return pages
