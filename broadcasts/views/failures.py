"""The failed rows of a broadcast, read through their index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from broadcasts.models import Broadcast
from broadcasts.summary import Counters, counters_of
from broadcasts.views.outcomes import short_title
from messaging.channels.catalogue import CatalogueEntry, lookup
from messaging.message_roads import failed_for
from messaging.models import Attempt, Message, MessageState
from messaging.newest import Roads
from resend_admin.ui.keyset import KeysetPage, Take, first_rows, keyset_page

PAGE = 25


@dataclass(frozen=True, slots=True)
class FailedRow:
    message: Message
    entry: CatalogueEntry
    answer: str
    """What the provider said to the latest attempt."""

    @property
    def title(self) -> str:
        return short_title(self.entry)


def failed_messages(
    broadcast: Broadcast, cause: str = "", counters: Counters | None = None
) -> QuerySet[Message]:
    """Return the failed rows, of one cause of the catalogue if it is named."""
    rows = Message.objects.filter(
        broadcast_id=broadcast.pk, state=MessageState.FAILED
    ).select_related("contact")
    if not cause:
        return rows
    if "\x00" in cause:
        return rows.none()
    return rows.filter(error_code__in=_codes(cause, counters or counters_of(broadcast)))


def _codes(cause: str, counters: Counters) -> tuple[str, ...]:
    """Return the spellings in the rows of a cause of the catalogue."""
    return next((one.codes for one in counters.causes if one.code == cause), (cause,))


def failed_page(
    broadcast: Broadcast,
    params: Mapping[str, str],
    counters: Counters,
) -> tuple[KeysetPage[Message], list[FailedRow]]:
    """Return one page of failed rows with their answers, by two queries."""
    cause = params.get("cause", "")
    rows = failed_messages(broadcast, cause, counters)
    take: Take[Message] = first_rows
    if cause:
        take = Roads([failed_for(_codes(cause, counters))]).take
    page = keyset_page(rows, params, order=("-id",), size=PAGE, take=take)
    answers = _answers(page.rows)
    return page, [
        FailedRow(row, lookup(row.error_code), answers.get(row.pk, ""))
        for row in page.rows
    ]


def _answers(messages: Sequence[Message]) -> dict[int, str]:
    """Return the provider's words to the latest attempt of each message."""
    attempts = (
        Attempt.objects.filter(message__in=[one.pk for one in messages])
        .order_by("message_id", "number")
        .values_list("message_id", "error_detail")
    )
    return dict(attempts)
