"""``/reports/``: every figure comes from the tallies, by way of the figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from broadcasts.forms.report import Choice, choice_of, form_for
from broadcasts.views.reports import causes, days, delays, rates, recovered, ways
from messaging.access import organization_of, person_of, require_organization
from messaging.figures import Report, Scope, report
from messaging.models import Organization, Tally
from resend_admin.ui.charts import ChartCard
from resend_admin.ui.csv import stream_csv
from resend_admin.ui.durations import duration_text
from resend_admin.ui.numbers import DASH, grouped

CardMaker = Callable[[Report, str], ChartCard]
PLAIN: Final[dict[str, CardMaker]] = {
    "rates": rates.card,
    "delays": delays.card,
    "days": days.card,
    "causes": causes.card,
}
NAMED: Final = {"recovered": recovered.card, "ways": ways.card}
"""Cards that call integrations by their names."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A headline: what it is, the number, and what is behind it."""

    label: str
    value: str
    second: str


@require_safe
@require_organization
def report_page(request: HttpRequest) -> HttpResponse:
    organization = organization_of(request)
    choice = choice_of(organization, request.GET)
    found = report(scope_of(choice))
    is_empty = shows_nothing(found)
    context = {
        "choice": choice,
        "form": form_for(choice),
        "zone": organization.time_zone,
        "has_sent": not is_empty or has_sent(organization),
        "headline": headline(found),
        "cards": {} if is_empty else cards(found, choice),
        "may_write": person_of(request).may_write,
    }
    return render(request, "broadcasts/reports/page.html", context)


@require_safe
@require_organization
def report_csv(request: HttpRequest, chart: str) -> StreamingHttpResponse:
    """Answer with the numbers of one chart, of the same choice as the page."""
    if chart not in {*PLAIN, *NAMED}:
        raise Http404
    choice = choice_of(organization_of(request), request.GET)
    table = cards(report(scope_of(choice)), choice)[chart].table
    name = f"resend-success-{chart}-{choice.first}-{choice.last}.csv"
    return stream_csv(name, table.written_head, table.written_rows)


def scope_of(choice: Choice) -> Scope:
    """Return what the figures are asked for."""
    return Scope(
        organization=choice.organization,
        first=choice.first,
        last=choice.last,
        channel=choice.channel,
        integration_id=choice.integration.pk if choice.integration else None,
        broadcast_ids=choice.runs or None,
    )


def shows_nothing(found: Report) -> bool:
    """Whether there is nothing to draw: no send, no resend, no recovery."""
    return found.is_empty and not (found.resends.tries or found.recovered.count)


def has_sent(organization: Organization) -> bool:
    """Tell an organization that sent nothing yet from a choice that fits nothing."""
    return Tally.objects.filter(organization=organization).exists()


def cards(found: Report, choice: Choice) -> dict[str, ChartCard]:
    """Return every card by its key, which names its file too."""
    names = ways.names_of(choice.organization)

    def file_of(chart: str) -> str:
        return f"{reverse('report-csv', args=[chart])}?{choice.query}"

    made = {key: make(found, file_of(key)) for key, make in PLAIN.items()}
    named = {key: make(found, file_of(key), names) for key, make in NAMED.items()}
    return made | named


def headline(found: Report) -> list[Figure]:
    first_retry, back = found.first_retry, found.recovered
    median = delays.duration(back.median)
    p90 = delays.duration(back.p90)
    each = recovered.each(back)
    return [
        Figure(
            "First-retry success",
            first_retry.percent,
            f"{grouped(first_retry.arrived)} of {grouped(first_retry.decided)} arrived"
            if first_retry.decided
            else "no first resend has ended",
        ),
        Figure(
            "Median time, failure to delivery",
            duration_text(median) if median is not None else DASH,
            f"nine in ten within {duration_text(p90)}" if p90 is not None else "",
        ),
        Figure(
            "Recovered messages",
            grouped(back.count),
            "failed first, arrived after all",
        ),
        Figure(
            "Credits for recovering them",
            grouped(back.credits),
            f"{each.normalize():f} for each message" if each is not None else "",
        ),
    ]
