"""Why tries failed, and what trying again after that cause brought."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from broadcasts.views.reports import words
from messaging.figures import CauseFigures, Report
from messaging.figures.words import CAUSES
from resend_admin.ui.charts import (
    ChartCard,
    HorizontalBars,
    Part,
    Row,
    Series,
    Share,
    Table,
)
from resend_admin.ui.numbers import grouped
from resend_admin.ui.pills import verdict_pill

MOST_ROWS: Final = 10
LEGEND: Final = (
    Series("Came back with a retry", "d2"),
    Series("Retried, not known yet", "d3"),
    Series("Failed again", "d4"),
    Series("Not retried", "idle"),
)


def card(report: Report, csv_url: str) -> ChartCard:
    causes = report.causes
    is_cut = len(causes) > MOST_ROWS
    return ChartCard(
        "causes",
        "Failures by cause, and what retrying brought",
        _finding(causes),
        HorizontalBars(
            [_row(one) for one in causes[:MOST_ROWS]],
            description=_finding(causes),
        ),
        Table(
            [
                "Cause",
                "Code",
                "Will a retry help?",
                "Failures",
                "Retried",
                "Came back",
                "Failed again",
                "Success rate of retries",
            ],
            [
                [
                    one.entry.title,
                    one.code,
                    verdict_pill(one.entry.error_class).label,
                    one.failures,
                    one.retried.tries,
                    one.retried.arrived,
                    one.retried.failed,
                    Share(one.retried.arrived, one.retried.decided),
                ]
                for one in causes
            ],
        ),
        csv_url,
        legend=LEGEND,
        note=f"The {MOST_ROWS} most frequent; the table has all." if is_cut else "",
        definitions=(CAUSES,),
        nothing="No try failed in this period.",
    )


def _row(one: CauseFigures) -> Row:
    retried = one.retried
    return Row(
        one.entry.title,
        grouped(one.failures),
        [
            Part(retried.arrived, "d2"),
            Part(retried.undecided, "d3"),
            Part(retried.failed, "d4"),
            Part(max(one.failures - retried.tries, 0), "idle"),
        ],
        second=_what_retrying_brought(one),
    )


def _what_retrying_brought(one: CauseFigures) -> str:
    retried = one.retried
    if not retried.tries:
        return "Not retried yet"
    if not retried.decided:
        return f"{words.tries(retried.tries)} again, not known yet"
    came = f"{grouped(retried.arrived)} of {grouped(retried.decided)} came back"
    return f"{came}, {retried.percent}"


def _finding(causes: Sequence[CauseFigures]) -> str:
    known = [one for one in causes if one.retried.decided >= words.ENOUGH]
    best = max(known, key=lambda one: one.retried.share or 0, default=None)
    first = causes[0] if causes else None
    return words.causes_finding(
        sum(one.failures for one in causes),
        (first.entry.title, first.failures) if first else None,
        (best.entry.title, (best.retried.arrived, best.retried.decided))
        if best
        else None,
    )
