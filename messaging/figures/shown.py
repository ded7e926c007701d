"""Forecasts as people read them: a sentence, a range, and a bar of percentages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from messaging.figures.comparison import Compared, Comparison, Outcome
from messaging.figures.forecast import FEWEST, CauseForecast, Forecast
from resend_admin.ui.durations import duration_text
from resend_admin.ui.numbers import share
from resend_admin.ui.pills import Pill

OUTCOMES = {
    Outcome.UNDER_WAY: Pill("Not over yet", "info", "clock"),
    Outcome.AS_EXPECTED: Pill("As expected", "ok", "check"),
    Outcome.FEWER: Pill("Fewer than expected", "warn", "warning"),
    Outcome.MORE: Pill("More than expected", "ok", "check"),
    Outcome.NOT_TOLD: Pill("No forecast", "idle", "question"),
}


@dataclass(frozen=True, slots=True)
class ShownForecast:
    """One forecast, for a cell: ``headline`` first, ``detail`` small below it.

    ``left``, ``width`` and ``mark`` are percentages of the bar: where the range
    begins, how wide it is, and where the expected number stands.
    """

    headline: str
    detail: str = ""
    is_known: bool = False
    left: str = "0%"
    width: str = "0%"
    mark: str = "0%"


def shown(told: CauseForecast | Forecast) -> ShownForecast:
    """Return ``About 50 of 61 will arrive`` and ``44 to 55, from 1,240 …``."""
    if not told.is_known:
        return ShownForecast("No history yet")
    low, high = share(told.low, told.judged), share(told.high, told.judged)
    return ShownForecast(
        headline=_headline(told),
        detail=_range(told),
        is_known=True,
        left=f"{low:.2f}%",
        width=f"{max(high - low, 1.0):.2f}%",
        mark=f"{min(share(told.expected, told.judged), 98.5):.2f}%",
    )


def _headline(told: CauseForecast | Forecast) -> str:
    if not told.expected:
        return f"Hardly any of {told.judged:,} will arrive"
    if told.judged == 1:
        return "It will arrive, most likely"
    return f"About {told.expected:,} of {told.judged:,} will arrive"


def shown_of(told: Forecast, code: str) -> ShownForecast | None:
    """Return the line of one cause, if it is part of the forecast."""
    cause = told.of(code)
    return shown(cause) if cause else None


def _range(told: CauseForecast | Forecast) -> str:
    parts = f"{told.low:,}"
    if told.high != told.low:
        parts += f" to {told.high:,}"
    if isinstance(told, CauseForecast):
        parts += f", from {told.tries:,} earlier retries"
    missing = told.count - told.judged
    if missing:
        parts += f"; no history for {missing:,} more"
    return parts


def sentences(told: Forecast, starts_at: datetime | None = None) -> list[str]:
    """Return what stands below the causes: all together, cost, and when it is over."""
    found = []
    if told.is_known:
        several = told.high != told.low
        reach = f"{told.low:,} to {told.high:,}" if several else f"{told.low:,}"
        found.append(f"{_headline(told)}; nine times of ten it is {reach}.")
        if told.unknown_count:
            found.append(
                f"For {told.unknown_count:,} there is no history yet: fewer than"
                f" {FEWEST} earlier retries."
            )
    elif told.count:
        found.append(
            "How many will arrive is not known yet: fewer than"
            f" {FEWEST} earlier retries of such errors are on record."
        )
    if told.most_credits:
        one = told.most_credits == 1
        cost = "1 credit" if one else f"{told.most_credits:,} credits"
        found.append(f"It costs {cost} at most; what does not arrive costs nothing.")
    if told.standing_still:
        names = " and ".join(f"“{name}”" for name in told.standing_still)
        verb = "is" if len(told.standing_still) == 1 else "are"
        found.append(f"{names} {verb} not sending, so nobody can tell when it ends.")
    elif told.leaves_by is not None:
        span = max(told.leaves_by - (starts_at or timezone.now()), timedelta(seconds=1))
        found.append(
            f"The last one leaves about {duration_text(span)} after the start."
        )
    return found


@dataclass(frozen=True, slots=True)
class ShownResult:
    """One line of the table after a run."""

    title: str
    told: ShownForecast
    count: int
    arrived: int
    undecided: int
    pill: Pill
    arrived_share: str
    """How wide the bar of what arrived is, beside that of the forecast."""


def results(comparison: Comparison) -> list[ShownResult]:
    """Return a line per cause, and one for all of them when there are several.

    None when there is nothing to compare; then ``untold`` is what is left to say.
    """
    if is_untold(comparison):
        return []
    lines = [
        _result(one, one.told.entry.title)
        for one in comparison.causes
        if isinstance(one.told, CauseForecast)
    ]
    if len(lines) > 1:
        lines.append(_result(comparison.whole, "All together"))
    return lines


def is_untold(comparison: Comparison) -> bool:
    """Whether nothing was forecast and nothing has come."""
    return not comparison.whole.told.is_known and not comparison.whole.standing.arrived


def untold(comparison: Comparison) -> str:
    """Return one sentence for a run of which nothing was forecast and nothing came."""
    if not is_untold(comparison):
        return ""
    open_ones = comparison.whole.standing.undecided
    if open_ones > 0:
        verb = "is" if open_ones == 1 else "are"
        came = f"Nothing has arrived so far, {open_ones:,} {verb} still open."
    else:
        count = comparison.whole.told.count
        came = f"None of {count:,} arrived." if count > 1 else "It did not arrive."
    return f"Nothing was forecast: there was no history of such errors yet. {came}"


def _result(one: Compared, title: str) -> ShownResult:
    told, now = one.told, one.standing
    return ShownResult(
        title=title,
        told=shown(told),
        count=told.count,
        arrived=now.arrived,
        undecided=max(now.undecided, 0),
        pill=OUTCOMES[one.outcome],
        arrived_share=f"{share(now.arrived, told.count):.2f}%",
    )
