"""What the figures say, in one sentence each. Plain numbers in, plain words out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from resend_admin.ui.durations import duration_text
from resend_admin.ui.numbers import grouped, percent_text

ENOUGH: Final = 20
"""Tries or messages below which a share is an accident."""
WORTH: Final = 10
"""Percent. A resend that brings back fewer is not worth it."""
STANDS_OUT: Final = 2.0
"""A day that fails so many times as often as the others together is named."""
_ORDINALS: Final = ("", "first", "second", "third", "fourth", "fifth")

Tried = tuple[int, int]
"""How many tries arrived, and how many there were."""


def of_ten(part: int, whole: int) -> str:
    """``8 of 10``; small wholes as they are. ``whole`` is more than 0."""
    if whole < 10:
        return f"{part} of {whole}"
    if part == whole:
        return f"all {grouped(whole)}"
    if not part:
        return f"none of {grouped(whole)}"
    tenths = 10 * part / whole
    if tenths < 1:
        return "fewer than 1 of 10"
    return "more than 9 of 10" if tenths >= 9.5 else f"{round(tenths)} of 10"


def messages(number: int) -> str:
    return f"{grouped(number)} message{'' if number == 1 else 's'}"


def tries(number: int) -> str:
    return f"{grouped(number)} {'try' if number == 1 else 'tries'}"


def rate_finding(first: Tried, retries: Sequence[Tried]) -> str:
    """``Resend 1 brings 8 of 10 back; after the third it is not worth it.``"""
    if not first[1] and not any(decided for _, decided in retries):
        return "Nothing was sent in this period."
    arrived, decided = retries[0] if retries else (0, 0)
    if not decided:
        return (
            f"The first send reaches {of_ten(*first)}; no resend has ended yet."
            if first[1]
            else "No first resend has ended in this period."
        )
    if decided < ENOUGH:
        came = f"{grouped(arrived)} of {grouped(decided)} first resends came back"
        return f"{came} so far: too few to tell a trend."
    start = f"Resend 1 brings {of_ten(arrived, decided)} back"
    if 100 * arrived < WORTH * decided:
        return f"{start}: sending again as it is hardly helps here."
    return f"{start}{_what_later_ones_bring(retries)}."


def _what_later_ones_bring(retries: Sequence[Tried]) -> str:
    last = 1
    for number, (arrived, decided) in enumerate(retries[1:], start=2):
        if decided < ENOUGH:
            break
        if 100 * arrived < WORTH * decided:
            return f"; after the {_ordinal(number - 1)} it is not worth it"
        last = number
    if last == 1:
        return ""
    arrived, decided = retries[last - 1]
    return f", and resend {last} still {of_ten(arrived, decided)}"


def _ordinal(number: int) -> str:
    return _ORDINALS[number] if number < len(_ORDINALS) else f"{number}th"


def delay_finding(
    recovered: int, median: timedelta | None, nine_in_ten: timedelta | None
) -> str:
    if not recovered or median is None or nine_in_ten is None:
        return "No message that failed has arrived after all."
    middle = duration_text(median)
    if recovered == 1:
        return f"One message came back, {middle} after it had failed."
    if recovered < ENOUGH:
        return f"{messages(recovered)} came back; the middle one took {middle}."
    return (
        f"Half of the recovered messages arrive within {middle} of their first "
        f"failure, nine in ten within {duration_text(nine_in_ten)}."
    )


def days_finding(
    total: int, first: int, later: int, failed: int, worst: tuple[date, int, int] | None
) -> str:
    """``worst`` is a day with its failures and its messages."""
    if not total:
        return "Nothing was sent in this period."
    if total < ENOUGH:
        start = f"Of {messages(total)}, {grouped(first + later)} arrived"
        return f"{start} and {grouped(failed)} failed for good."
    said = [f"{percent_text(first, total)} arrive with the first send"]
    if later:
        said.append(f"{percent_text(later, total)} after a retry")
    said.append(f"{percent_text(failed, total)} fail for good")
    start = f"Of {messages(total)}, {', '.join(said[:-1])} and {said[-1]}"
    return f"{start}{_worst_day(worst, failed, total)}."


def _worst_day(worst: tuple[date, int, int] | None, failed: int, total: int) -> str:
    if worst is None:
        return ""
    day, its_failed, its_total = worst
    others = total - its_total
    if its_total < ENOUGH or others < ENOUGH:
        return ""
    share, usual = its_failed / its_total, (failed - its_failed) / others
    if share < STANDS_OUT * usual or 100 * share < 5:
        return ""
    named = f"{day:%a} {day.day} {day:%b}"
    return f"; on {named} it was {percent_text(its_failed, its_total)}"


def causes_finding(
    total: int, largest: tuple[str, int] | None, best: tuple[str, Tried] | None
) -> str:
    """``largest`` is a cause with its failures, ``best`` the one that a retry cures
    most often."""
    if not total or largest is None:
        return "No try failed in this period."
    title, number = largest
    said = f"{_quoted(title)} is behind {percent_text(number, total)} of the failures"
    if best is None:
        return f"{said}."
    return f"{said}; retrying {_quoted(best[0])} brings {of_ten(*best[1])} back."


def _quoted(title: str) -> str:
    return f"“{title}”"


def recovered_finding(recovered: int, credits: int) -> str:
    if not recovered:
        return "No message that failed has arrived after all."
    said = f"{messages(recovered)} that had failed arrived after all"
    if not credits:
        return f"{said}, at no cost."
    cost = f"{grouped(credits)} credit{'' if credits == 1 else 's'}"
    if credits == recovered:
        return f"{said}, for {cost}: one each."
    return f"{said}, for {cost}: {credits / recovered:.2f} each."


def ways_finding(
    ways: Sequence[tuple[str, int, int]],
) -> str:
    """Each way with how many of its decided tries arrived."""
    known = [one for one in ways if one[2] >= ENOUGH]
    if not known:
        return "Too few tries to compare." if ways else "Nothing was sent."
    if len(known) == 1:
        name, arrived, total = known[0]
        return f"{percent_text(arrived, total)} of the tries by {name} arrive."
    ordered = sorted(known, key=lambda one: one[1] / one[2])
    worst, best = ordered[0], ordered[-1]
    return (
        f"Of the tries by {best[0]} {percent_text(best[1], best[2])} arrive, "
        f"by {worst[0]} {percent_text(worst[1], worst[2])}."
    )
