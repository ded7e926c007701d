"""How often the first send arrives, and each resend after it."""

from __future__ import annotations

from broadcasts.views.reports import words
from messaging.figures import Report, ResendRate
from messaging.figures.words import ARRIVED, RESEND_NUMBER, SUCCESS_RATE
from resend_admin.ui.charts import Bar, ChartCard, Share, Table, VerticalBars
from resend_admin.ui.charts.scale import compact


def card(report: Report, csv_url: str) -> ChartCard:
    finding = words.rate_finding(
        _tried(report.by_number[0]), [_tried(one) for one in report.by_number[1:]]
    )
    return ChartCard(
        "rates",
        "Success rate by resend number",
        finding,
        VerticalBars(
            [_bar(one) for one in report.by_number],
            description=_in_words(report),
            in_percent=True,
            label_caption="resend",
            below_caption="tries",
        ),
        Table(
            [
                "Try",
                "Success rate",
                "Arrived",
                "Failed",
                "Not known yet",
                "Tries",
            ],
            [
                [
                    one.label,
                    Share(one.rate.arrived, one.rate.decided),
                    one.rate.arrived,
                    one.rate.failed,
                    one.rate.undecided,
                    one.rate.tries,
                ]
                for one in report.by_number
            ],
        ),
        csv_url,
        note=SUCCESS_RATE,
        definitions=(ARRIVED, RESEND_NUMBER),
        nothing="No try has ended in this period.",
    )


def _tried(one: ResendRate) -> words.Tried:
    return one.rate.arrived, one.rate.decided


def _bar(one: ResendRate) -> Bar:
    is_first = not one.number
    return Bar(
        label="send" if is_first else _short(one),
        value=None if one.rate.share is None else 100 * one.rate.share,
        shown=one.rate.percent.replace("under ", "<"),
        colour="d1" if is_first else "d2",
        below=compact(one.rate.tries),
        prefix="First" if is_first else "",
        stands_apart=is_first,
    )


def _short(one: ResendRate) -> str:
    return f"{one.number}+" if one.label.endswith("later") else str(one.number)


def _in_words(report: Report) -> str:
    return " ".join(
        f"{one.label}: {one.rate.percent} of {words.tries(one.rate.tries)}."
        for one in report.by_number
    )
