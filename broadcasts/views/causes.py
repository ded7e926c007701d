"""Why messages failed, across everything: one line per cause, worst first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from broadcasts.causes import Help, groups
from broadcasts.views.cause_words import CauseRow, retry_url, rows_of
from broadcasts.views.links import messages_of, messages_where
from messaging.access import organization_of, person_of, require_organization
from messaging.channels.catalogue import CatalogueEntry, lookup
from messaging.models import BulkResend, BulkResendState, Organization
from messaging.views.bulk_dialog import page_of
from messaging.views.bulk_words import STATE_PILLS
from resend_admin.ui.pills import Pill

MOST_PLACES: Final = 100
MOST_RECORDS: Final = 10
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


@dataclass(frozen=True, slots=True)
class Section:
    key: str
    title: str
    lede: str
    rows: Sequence[CauseRow]


@require_safe
@require_organization
def causes(request: HttpRequest) -> HttpResponse:
    """Show all causes, or the one that the address names."""
    organization, person = organization_of(request), person_of(request)
    rows = rows_of(groups(organization), person, organization)
    asked = request.GET.get("cause", "").replace("\x00", "")
    if asked:
        entry = lookup(asked)
        row = next((one for one in rows if one.group.entry.code == entry.code), None)
        context = _one(row, entry, organization)
        return render(request, "broadcasts/cause_detail.html", context)
    context = {"sections": _sections(rows), "settled": _settled(rows)}
    return render(request, "broadcasts/cause_list.html", context)


def _sections(rows: Sequence[CauseRow]) -> list[Section]:
    open_rows = [one for one in rows if not one.group.is_settled]
    found = (
        Section(
            key.value, title, lede, [one for one in open_rows if one.group.help is key]
        )
        for key, title, lede in SECTIONS
    )
    return [one for one in found if one.rows]


def _settled(rows: Sequence[CauseRow]) -> list[CauseRow]:
    return [one for one in rows if one.group.is_settled]


def _one(
    row: CauseRow | None, entry: CatalogueEntry, organization: Organization
) -> dict[str, Any]:
    group = row.group if row else None
    return {
        "row": row,
        "entry": entry,
        "title": row.title if row else entry.title,
        "places": _places(row) if row else [],
        "more_places": max(len(group.placed) - MOST_PLACES, 0) if group else 0,
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
