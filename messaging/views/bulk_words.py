"""A bulk resend in words: what was chosen, and why a message is not queued."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.db.models import QuerySet
from django.forms import Field
from django.http import HttpRequest, QueryDict

from messaging.access import organization_of
from messaging.bulk.selection import Selection
from messaging.bulk.verdict import RISKY, Line, Verdict
from messaging.channels.catalogue import lookup
from messaging.figures.forecast import Forecast
from messaging.figures.shown import ShownForecast, shown_of
from messaging.filters import LARGEST_ID, MessageFilter
from messaging.models import BulkResend, BulkResendRefusal, BulkResendState, Message
from messaging.views.broadcast_names import broadcast_names
from resend_admin.ui.pills import NOT_NEEDED, Pill, verdict_pill
from resend_admin.ui.progress import Progress, Segment

MOST_TICKED: Final = 1_000
"""Ticked messages that one address names; a page of the list has far fewer."""

TITLES: Final = {
    RISKY: "Unknown, may have arrived",
    "already_waiting": "Waiting to be sent",
    "in_progress": "Being sent right now",
    "already_sent": "Sent, not confirmed yet",
    "already_delivered": "Delivered",
    "skipped": "Skipped",
    "cancelled": "Cancelled",
    "not_failed": "Did not fail",
    "opted_out": "Opted out",
    "limit_reached": "Sent again too often",
    "too_old": "Too old",
    "too_old_by_then": "Too old by the time it may leave",
    "taken_over": "Taken over by another run",
    "every_part_sent": "Every part sent, by several tries",
    "insufficient_credits": "Not enough credits",
    "integration_off": "Integration switched off",
    "in_another_bulk_resend": "In another bulk resend",
    "changed_meanwhile": "Changed meanwhile",
    "no_longer_kept": "No longer kept",
    "taken_back": "Cancelled before its turn",
    "content_does_not_fit": "Content does not fit the channel",
}
STATE_PILLS: Final = {
    BulkResendState.FROZEN.value: Pill("Waiting to start", "info", "clock"),
    BulkResendState.RUNNING.value: Pill("Running", "info", "plane"),
    BulkResendState.COMPLETED.value: Pill("Finished", "ok", "check"),
    BulkResendState.CANCELLED.value: Pill("Cancelled", "idle", "ban"),
}
_NO: Final = Pill("No", "idle", "ban")
_UNDER_WAY: Final = Pill("Under way", "info", "clock")
HELPS: Final = {
    RISKY: verdict_pill("unknown"),
    "fix_first": verdict_pill("fix_first"),
    "will_not_help": verdict_pill("never"),
    "insufficient_credits": verdict_pill("fix_first"),
    "integration_off": verdict_pill("fix_first"),
    "content_does_not_fit": verdict_pill("fix_first"),
    "already_sent": NOT_NEEDED,
    "already_delivered": NOT_NEEDED,
    "taken_over": NOT_NEEDED,
    "every_part_sent": NOT_NEEDED,
    "already_waiting": _UNDER_WAY,
    "in_progress": _UNDER_WAY,
    "in_another_bulk_resend": _UNDER_WAY,
}
"""Would sending again help? By the reason for which a message is not queued."""
_SPANS: Final = ((3600, "hour"), (60, "minute"))


@dataclass(frozen=True, slots=True)
class CauseRow:
    """One line of a table of causes: of the dialog, or of the result."""

    title: str
    sentence: str
    pill: Pill
    count: int
    outcome: str = ""
    likely: ShownForecast | None = None
    code: str = ""
    cause: str = ""
    is_current: bool = False


def selection_of(request: HttpRequest) -> Selection | None:
    """Return what the address chooses; nothing when it chooses nothing."""
    organization = organization_of(request)
    own = Message.objects.filter(organization=organization)
    if request.GET.get("all"):
        filters = MessageFilter(request.GET, queryset=own, request=request)
        if not filters.is_valid():
            return None
        found: QuerySet[Message] = filters.qs
        return Selection(found, _filter_in_words(request, filters), is_filter=True)
    ids = _ticked(request.GET)
    if not ids:
        return None
    words = "1 ticked message" if len(ids) == 1 else f"{len(ids):,} ticked messages"
    return Selection(own.filter(pk__in=ids), words)


def _ticked(params: QueryDict) -> set[int]:
    given = params.getlist("ids")[:MOST_TICKED]
    numbers = {int(one) for one in given if one.isascii() and one.isdigit()}
    return {one for one in numbers if one <= LARGEST_ID}


def _filter_in_words(request: HttpRequest, filters: MessageFilter) -> str:
    """Say what the list was narrowed to, in the labels of its own fields."""
    parts = []
    for name, value in filters.form.cleaned_data.items():
        if value in (None, "", [], slice(None)):
            continue
        label, words = _choice(request, name, filters.form.fields[name], value)
        parts.append(f"{label} {words}")
    return f"All that match: {' · '.join(parts)}" if parts else "All messages"


def _choice(
    request: HttpRequest, name: str, field: Field, value: Any
) -> tuple[str, str]:
    if name == "broadcast":
        found = broadcast_names(organization_of(request), [int(value)])
        title = found[int(value)].name if int(value) in found else "not found"
        return "Broadcast", f"“{title}”"
    if name == "error":
        return "Cause", f"“{lookup(value).title}”"
    shown = value
    if isinstance(value, slice):
        shown = f"{value.start or '…'} to {value.stop or '…'}"
    elif isinstance(value, str):
        for key, words in getattr(field.widget, "choices", ()):
            shown = words if key == value else shown
    return str(field.label or name), str(shown)


def verdict_rows(verdict: Verdict, told: Forecast) -> list[CauseRow]:
    return [_verdict_row(line, told) for line in verdict.lines]


def _verdict_row(line: Line, told: Forecast) -> CauseRow:
    title = line.error.title if line.error else TITLES.get(line.code, "No cause known")
    sentence, outcome = line.sentence, "Not queued"
    pill = HELPS.get(line.code, _NO)
    if line.is_queued:
        outcome = f"Queued, leaves within {_span(line.wait)}" if line.wait else "Queued"
        pill = verdict_pill(line.error.error_class if line.error else "unknown")
    elif line.is_risky:
        outcome = "Only if you tick it below"
    elif line.error:
        sentence = line.error.advice
    likely = shown_of(told, line.error.code) if line.is_queued and line.error else None
    return CauseRow(title, sentence, pill, line.count, outcome, likely)


def refusal_rows(bulk: BulkResend, code: str, cause: str) -> list[CauseRow]:
    """Return why messages of it were not queued, the commonest first."""
    return [
        _refusal_row(one, is_current=(one.code, one.cause) == (code, cause))
        for one in bulk.refusals.order_by("-count", "pk")
    ]


def _refusal_row(refusal: BulkResendRefusal, *, is_current: bool) -> CauseRow:
    return CauseRow(
        title=refusal_title(refusal.code, refusal.cause),
        sentence=refusal.sentence,
        pill=HELPS.get(refusal.code, _NO),
        count=refusal.count,
        code=refusal.code,
        cause=refusal.cause,
        is_current=is_current,
    )


def refusal_title(code: str, cause: str) -> str:
    return lookup(cause).title if cause else TITLES.get(code, code)


def progress_of(bulk: BulkResend) -> Progress:
    segments = [
        Segment("Queued", bulk.queued_count, "d1"),
        Segment("Not queued", bulk.refused_count, "idle"),
        Segment("Cancelled", bulk.cancelled_count, "idle"),
        Segment("Waiting for its turn", bulk.waiting_count, "rest"),
    ]
    always = {"Queued", "Not queued"}
    segments = [one for one in segments if one.value or one.label in always]
    return Progress(bulk.total, segments, verb="looked at")


def _span(seconds: float) -> str:
    """Return a span in whole hours or minutes, rounded up."""
    size, name = next((one for one in _SPANS if seconds > one[0]), (60, "minute"))
    number = -(-int(seconds) // size) or 1
    return f"{number} {name}" if number == 1 else f"{number} {name}s"
