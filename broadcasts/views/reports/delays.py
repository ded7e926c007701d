"""How long it takes from the first failure until the message arrives after all."""

from __future__ import annotations

from datetime import timedelta
from itertools import dropwhile

from broadcasts.views.reports import words
from messaging.figures import Report, Span
from messaging.figures.words import RECOVERED, RECOVERY_TIME
from resend_admin.ui.charts import Bar, ChartCard, Histogram, Marker, Share, Table
from resend_admin.ui.durations import duration_text


def card(report: Report, csv_url: str) -> ChartCard:
    recovered = report.recovered
    spans = _without_empty_ends(recovered.spans)
    median, p90 = duration(recovered.median), duration(recovered.p90)
    return ChartCard(
        "delays",
        "Time from first failure to delivery",
        words.delay_finding(recovered.count, median, p90),
        Histogram(
            [Bar(_label(span), span.count, colour="d2") for span in spans],
            description=" ".join(
                f"{_label(span)}: {words.messages(span.count)}." for span in spans
            ),
            markers=[
                Marker(f"{name} {duration_text(value)}", _place(value, spans))
                for name, value in (("median", median), ("p90", p90))
                if value is not None
            ],
        ),
        Table(
            ["Time to delivery", "Messages", "Share"],
            [
                [_label(span), span.count, Share(span.count, recovered.count)]
                for span in recovered.spans
                if recovered.count
            ],
        ),
        csv_url,
        definitions=(RECOVERY_TIME, RECOVERED),
        nothing="Nothing has come back in this period.",
    )


def duration(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def _without_empty_ends(spans: list[Span]) -> list[Span]:
    def is_empty(span: Span) -> bool:
        return not span.count

    shown = list(dropwhile(is_empty, spans))[::-1]
    return list(dropwhile(is_empty, shown))[::-1]


def _label(span: Span) -> str:
    """``<10 s``, ``2–5 min``, ``>2 d``."""
    if span.upper is None:
        return f">{duration_text(timedelta(seconds=span.lower))}"
    upper = duration_text(timedelta(seconds=span.upper))
    if not span.lower:
        return f"<{upper}"
    lower = duration_text(timedelta(seconds=span.lower))
    unit = upper.split("\u202f")[1]
    return f"{lower.removesuffix(unit).strip()}–{upper}"


def _place(value: timedelta, spans: list[Span]) -> float:
    """Where a duration stands among the ranges, counted in ranges."""
    seconds = value.total_seconds()
    for at, span in enumerate(spans):
        if span.upper is None:
            return at + 0.5
        if seconds < span.upper:
            inside = (seconds - span.lower) / (span.upper - span.lower)
            return at + max(inside, 0.0)
    return float(len(spans))
