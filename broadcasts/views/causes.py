"""Why messages failed, across everything: one line per cause, worst first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from broadcasts.causes import NAMED, Help, groups
from broadcasts.views.cause_words import CauseRow, retry_url, rows_of
from broadcasts.views.links import messages_of, messages_where
from messaging.access import organization_of, person_of, require_organization
from messaging.channels.catalogue import CatalogueEntry, lookup
from messaging.failures.kept import kept_unknown
from messaging.models import BulkResend, BulkResendState, Organization
from messaging.views.bulk_dialog import page_of
from messaging.views.bulk_words import STATE_PILLS
from resend_admin.ui.numbers import grouped
from resend_admin.ui.pills import Pill

MOST_PLACES: Final = 100
MOST_RECORDS: Final = 10
MOST_LINES: Final = 12
"""Causes of a section that are shown before somebody asks for all."""
MOST_CODES: Final = 5
SECTIONS: Final = (
    (Help.FIX, "Fix first", "Sending these again helps once somebody has fixed this."),
    (Help.NOW, "Can be sent again", "Passing troubles; most of these get through."),
    (
        Help.UNCLEAR,
        "Not known",
        "The provider's answer is not in our list. Look first.",
    ),
    (Help.NEVER, "Will not help", "Sending again to the same address fails again."),
)
SETTLED: Final = (
    "settled",
    "Seen to",
    "Nothing failed of these since. What is listed could not be sent again and stays as"
    " it is.",
)


@dataclass(frozen=True, slots=True)
class Section:
    """Causes under one heading: ``rows``, and how many more there are."""

    key: str
    title: str
    lede: str
    every: Sequence[CauseRow]
    is_whole: bool

    @property
    def rows(self) -> Sequence[CauseRow]:
        return self.every if self.is_whole else self.every[:MOST_LINES]

    @property
    def more(self) -> str:
        """``and 23 more causes of 412 messages``; empty when all are shown."""
        rest = self.every[len(self.rows) :]
        if not rest:
            return ""
        causes = (
            "1 more cause" if len(rest) == 1 else f"{grouped(len(rest))} more causes"
        )
        number = sum(one.group.wanting or one.group.number for one in rest)
        return f"{causes} of {grouped(number)} message{'s' if number != 1 else ''}"


@require_safe
@require_organization
def causes(request: HttpRequest) -> HttpResponse:
    """Show all causes, or the one that the address names."""
    organization, person = organization_of(request), person_of(request)
    asked = request.GET.get("cause", "").replace("\x00", "")
    found = groups(organization, named=MOST_PLACES if asked else NAMED)
    rows = rows_of(found, person, organization)
    if asked:
        entry = lookup(asked)
        row = next((one for one in rows if one.group.entry.code == entry.code), None)
        context = _one(row, entry, organization)
        return render(request, "broadcasts/cause_detail.html", context)
    is_open = any(not one.group.is_settled for one in rows)
    context = {
        "sections": _sections(rows, is_whole="all" in request.GET),
        "is_open": is_open,
        "unknown": 0 if is_open else kept_unknown(organization),
    }
    return render(request, "broadcasts/cause_list.html", context)


def _sections(rows: Sequence[CauseRow], *, is_whole: bool) -> list[Section]:
    open_rows = [one for one in rows if not one.group.is_settled]
    settled = [one for one in rows if one.group.is_settled]
    found = [
        *(
            (*each, [one for one in open_rows if one.group.help is each[0]])
            for each in SECTIONS
        ),
        (*SETTLED, settled),
    ]
    return [
        Section(key, title, lede, every, is_whole)
        for key, title, lede, every in found
        if every
    ]


def _one(
    row: CauseRow | None, entry: CatalogueEntry, organization: Organization
) -> dict[str, Any]:
    group = row.group if row else None
    return {
        "row": row,
        "entry": entry,
        "title": row.title if row else entry.title,
        "places": _places(row) if row else [],
        "more_places": max(len(group.held) - MOST_PLACES, 0) if group else 0,
        "spellings": [
            (code, messages_where(state="failed", error=code))
            for code in (group.codes[:MOST_CODES] if group else ())
        ],
        "records": records(organization, entry.code),
        "trail": [
            ("Messages", reverse("messaging:message-list")),
            ("Causes", reverse("causes")),
        ],
    }


def _places(row: CauseRow) -> list[tuple[Any, str, str]]:
    """Return the broadcasts of a cause, the way to their rows and to a retry."""
    return [
        (
            one,
            messages_of(one.run.pk, state="failed", error=row.group.codes[0])
            if len(row.group.codes) == 1
            else messages_of(one.run.pk, state="failed"),
            retry_url(one.run, row.person),
        )
        for one in row.group.places[:MOST_PLACES]
    ]


@dataclass(frozen=True, slots=True)
class Record:
    """One time that somebody saw to a cause."""

    bulk: BulkResend
    url: str
    pill: Pill


def records(organization: Organization, cause: str) -> list[Record]:
    found = (
        BulkResend.objects.filter(organization=organization, cause=cause)
        .exclude(cause="")
        .select_related("content")
        .order_by("-pk")[:MOST_RECORDS]
    )
    return [
        Record(one, page_of(one), STATE_PILLS[BulkResendState(one.state)])
        for one in found
    ]
