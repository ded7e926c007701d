"""The failed rows of a broadcast as a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, StreamingHttpResponse
from django.views.decorators.http import require_safe

from broadcasts.models import Broadcast
from broadcasts.views.failures import failed_messages
from messaging.access import own_or_404, require_organization
from messaging.channels.catalogue import lookup
from messaging.models import Attempt, Message
from resend_admin.ui.csv import stream_csv
from resend_admin.ui.pills import channel_name, verdict_pill

ROWS_PER_FETCH = 1_000
HEADER = (
    "Member",
    "Name",
    "Channel",
    "Recipient",
    "Cause",
    "Will a retry help?",
    "Advice",
    "Code",
    "Answer",
    "Attempts",
    "Failed at",
    "Message",
)


@require_safe
@require_organization
def failed_csv(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """Stream the failed rows, all of them or those of one cause."""
    broadcast = own_or_404(request, Broadcast, pk)
    failed = failed_messages(broadcast, request.GET.get("cause", ""))
    name = f"broadcast-{broadcast.pk}-failed.csv"
    return stream_csv(name, HEADER, _rows(failed))


def _rows(failed: QuerySet[Message]) -> Iterator[Sequence[object]]:
    """Read through a cursor on the server, so that memory stays the same."""
    last = Attempt.objects.filter(
        message=OuterRef("pk"), number=OuterRef("attempt_count")
    )
    rows = failed.order_by("pk").annotate(
        answer=Subquery(last.values("error_detail")[:1])
    )
    for row in rows.iterator(chunk_size=ROWS_PER_FETCH):
        entry = lookup(row.error_code)
        yield (
            row.contact.external_id,
            row.contact.name,
            channel_name(row.channel),
            row.recipient,
            entry.title,
            verdict_pill(entry.error_class).label,
            entry.advice,
            row.error_code,
            row.answer,
            row.attempt_count,
            row.state_at,
            row.public_id,
        )
