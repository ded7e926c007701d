"""Where the messages of each day stand now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Final

from broadcasts.views.reports import words
from messaging.figures import DayOutcomes, Report
from messaging.figures.words import DAYS
from resend_admin.ui.charts import ChartCard, Column, Series, StackedColumns, Table

MOST_DAYS_APART: Final = 120
"""Above, a column is a week: a day would be two pixels wide."""
LAYERS: Final = (
    Series("Delivered first time", "d1"),
    Series("Delivered after retry", "d2"),
    Series("Waiting or not confirmed", "d3"),
    Series("Unknown", "d5"),
    Series("Failed for good", "d4"),
)
LEFT_OUT: Final = (
    "Skipped and cancelled messages were left out on purpose; they stand in the table "
    "and not in the chart."
)
HEAD: Final = (
    "Day",
    "Messages",
    "Delivered first time",
    "Delivered after retry",
    "Sent, not confirmed",
    "Waiting",
    "Unknown",
    "Failed for good",
    "Skipped",
    "Cancelled",
)


def card(report: Report, csv_url: str) -> ChartCard:
    days = report.days
    is_by_week = len(days) > MOST_DAYS_APART
    columns = by_week(days) if is_by_week else [_column(one) for one in days]
    by_week_note = "A column is a week, from Monday on. The table has each day."
    return ChartCard(
        "days",
        "Outcomes by day",
        _finding(days),
        StackedColumns(LAYERS, columns, description=_in_words(days)),
        Table(HEAD, [_row(one) for one in days]),
        csv_url,
        legend=LAYERS,
        note=by_week_note if is_by_week else "",
        definitions=(DAYS, LEFT_OUT),
        nothing="Nothing was sent in this period.",
    )


def _values(one: DayOutcomes) -> tuple[int, ...]:
    """The layers of a column. What was left out on purpose stands in the table."""
    return (
        one.delivered_first,
        one.delivered_later,
        one.waiting + one.unconfirmed,
        one.unknown,
        one.failed,
    )


def _column(one: DayOutcomes) -> Column:
    day = one.day
    return Column(_short(day), f"{day:%a} {day.day} {day:%b %Y}", _values(one))


def _short(day: date) -> str:
    return f"{day.day} {day:%b}"


def by_week(days: Sequence[DayOutcomes]) -> list[Column]:
    """Add the days up, a column per week; the first and last may be shorter."""
    weeks: dict[date, list[DayOutcomes]] = {}
    for one in days:
        weeks.setdefault(one.day - timedelta(days=one.day.weekday()), []).append(one)
    return [
        Column(
            f"{found[0].day:%b %Y}",
            f"{_short(found[0].day)} to {_short(found[-1].day)} {found[-1].day:%Y}",
            [sum(values) for values in zip(*map(_values, found), strict=True)],
        )
        for found in weeks.values()
    ]


def _row(one: DayOutcomes) -> list[date | int]:
    return [
        one.day,
        one.total,
        one.delivered_first,
        one.delivered_later,
        one.unconfirmed,
        one.waiting,
        one.unknown,
        one.failed,
        one.skipped,
        one.cancelled,
    ]


def _finding(days: Iterable[DayOutcomes]) -> str:
    sums = [0] * len(LAYERS)
    worst: tuple[date, int, int] | None = None
    for one in days:
        values = _values(one)
        sums = [before + value for before, value in zip(sums, values, strict=True)]
        total, failed = sum(values), one.failed
        is_worse = worst is None or failed * worst[2] > worst[1] * total
        if total >= words.ENOUGH and is_worse:
            worst = (one.day, failed, total)
    first, later, _, _, failed = sums
    return words.days_finding(sum(sums), first, later, failed, worst)


def _in_words(days: Sequence[DayOutcomes]) -> str:
    sums = [sum(values) for values in zip(*map(_values, days), strict=True)]
    parts = ", ".join(
        f"{series.label.lower()} {number:,}"
        for series, number in zip(LAYERS, sums, strict=False)
    )
    return f"{len(days)} days: {parts}."
