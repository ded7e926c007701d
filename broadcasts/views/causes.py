"""Why messages failed, across everything: one line per cause, worst first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from broadcasts.causes import Group, Help, detailed, groups
from broadcasts.views.cause_words import CauseRow, retry_url, rows_of
from broadcasts.views.links import messages_of, messages_where
from messaging.access import organization_of, person_of, require_organization
from messaging.channels.catalogue import CatalogueEntry, lookup
from messaging.failures.kept import kept_unknown
from messaging.models import BulkResend, BulkResendState, Organization, User
from messaging.views.bulk_dialog import page_of
from messaging.views.bulk_words import STATE_PILLS
from messaging.views.cause_dialog import NONE_LEFT
from resend_admin.ui.numbers import grouped
from resend_admin.ui.pills import Pill

MOST_PLACES: Final = 100
MOST_RECORDS: Final = 10
MOST_LINES: Final = 10
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
    """Causes under one heading: ``rows``, and the ``rest`` that is not shown."""

    key: str
    title: str
    lede: str
    rows: Sequence[CauseRow]
    rest: Sequence[Group]

    @property
    def more(self) -> str:
        """``23 more causes of 412 messages``; empty when all are shown."""
        rest = self.rest
        if not rest:
            return ""
        causes = (
            "1 more cause" if len(rest) == 1 else f"{grouped(len(rest))} more causes"
        )
        number = sum(one.wanting or one.number for one in rest)
        return f"{causes} of {grouped(number)} message{'s' if number != 1 else ''}"


@require_safe
@require_organization
def causes(request: HttpRequest) -> HttpResponse:
    """Show all causes, or the one that the address names."""
    organization, person = organization_of(request), person_of(request)
    found = groups(organization)
    if asked := request.GET.get("cause", "").replace("\x00", ""):
        entry = lookup(asked)
        the_one = [one for one in found if one.entry.code == entry.code]
        whole = detailed(organization, the_one, named=MOST_PLACES)
        row = next(iter(rows_of(whole, person, organization)), None)
        context = _one(row, entry, organization)
        return render(request, "broadcasts/cause_detail.html", context)
    is_open = any(not one.is_settled for one in found)
    context = {
        "sections": _sections(
            found, person, organization, is_whole="all" in request.GET
        ),
        "is_open": is_open,
        "unknown": 0 if is_open else kept_unknown(organization),
    }
    return render(request, "broadcasts/cause_list.html", context)


def _sections(
    found: Sequence[Group], person: User, organization: Organization, *, is_whole: bool
) -> list[Section]:
    """Look up what is shown alone, and all of that together."""
    still_open = [one for one in found if not one.is_settled]
    headings = [
        *(
            (*each, [one for one in still_open if one.help is each[0]])
            for each in SECTIONS
        ),
        (*SETTLED, [one for one in found if one.is_settled]),
    ]
    most = len(found) if is_whole else MOST_LINES
    shown = [one for *_, every in headings for one in every[:most]]
    rows = {
        row.group.entry.code: row
        for row in rows_of(detailed(organization, shown), person, organization)
    }
    return [
        Section(
            key,
            title,
            lede,
            [rows[one.entry.code] for one in every[:most]],
            every[most:],
        )
        for key, title, lede, every in headings
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
        "lede": f"{row.lede}." if row else NONE_LEFT,
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
