"""What came back after a failure, and what that cost."""

from __future__ import annotations

from decimal import Decimal

from broadcasts.views.reports import words
from broadcasts.views.reports.delays import duration
from broadcasts.views.reports.ways import Names
from messaging.figures import PartFigures, Recovered, Report
from messaging.figures.words import RECOVERED, RECOVERY_COST
from resend_admin.ui.charts import ChartCard, HorizontalBars, Part, Row, Table
from resend_admin.ui.charts.table import Cell
from resend_admin.ui.numbers import grouped


def card(report: Report, csv_url: str, names: Names) -> ChartCard:
    parts = sorted(
        (one for one in report.parts if one.recovered.count),
        key=lambda one: -one.recovered.count,
    )
    whole = report.recovered
    return ChartCard(
        "recovered",
        "Recovered messages and what they cost",
        words.recovered_finding(whole.count, whole.credits),
        HorizontalBars(
            [_row(one, names) for one in parts],
            description=words.recovered_finding(whole.count, whole.credits),
        ),
        Table(
            [
                "Integration",
                "Channel",
                "Recovered",
                "Credits",
                "Credits each",
                "Median time",
                "p90",
            ],
            [
                *(
                    [names.of(one), names.channel(one), *_cells(one.recovered)]
                    for one in parts
                ),
                *([["All together", "", *_cells(whole)]] if parts else []),
            ],
        ),
        csv_url,
        definitions=(RECOVERED, RECOVERY_COST),
        nothing="Nothing has come back in this period.",
    )


def each(recovered: Recovered) -> Decimal | None:
    """Credits for one recovered message, to a hundredth."""
    cost = recovered.cost_of_one
    return None if cost is None else Decimal(str(round(cost, 2)))


def _cells(recovered: Recovered) -> list[Cell]:
    return [
        recovered.count,
        recovered.credits,
        each(recovered),
        duration(recovered.median),
        duration(recovered.p90),
    ]


def _row(one: PartFigures, names: Names) -> Row:
    credits = one.recovered.credits
    cost = f"{grouped(credits)} credit{'' if credits == 1 else 's'}"
    return Row(
        names.of(one),
        grouped(one.recovered.count),
        [Part(one.recovered.count, "d2")],
        second=f"{names.channel(one)} · {cost if credits else 'at no cost'}",
    )
