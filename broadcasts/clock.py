"""Moments: the database's clock, wall clocks in named zones, and the lead time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import timezone

from broadcasts.problems import Problem, bad_input
from resend_admin.ui.time_zones import moment_in_words, zone_named

LEAD = timedelta(minutes=2)
"""How far ahead a broadcast is scheduled at least."""

DIALOG_TOLERANCE = timedelta(seconds=30)
"""The dialog proposes a time that is as near as allowed; reading it takes a while."""

SOON = timedelta(minutes=15)
"""A retry that starts within this time leaves its members as they are written down. To
plan a row and to queue it later takes twice the work of making it when it is due."""

FIRST_YEAR = 2000
LAST_YEAR = 2100
"""What lies outside is a slip of the hand, and near 9999 another zone may show a
year that no ``datetime`` can hold."""


def database_now() -> datetime:
    """Return the time by the clock that also decides what is due."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def starts_soon(run_at: datetime | None) -> bool:
    """Whether members of a retry who have no row yet get it when it starts."""
    return run_at is None or run_at <= timezone.now() + SOON


def zone(name: str) -> ZoneInfo:
    """Return the named zone, or refuse."""
    found = zone_named(name)
    if found is None:
        raise bad_input(
            f"“{name}” is not a time zone. Choose one such as Africa/Accra.",
            "time_zone",
        )
    return found


def local_moment(moment: datetime, time_zone: str, field: str = "run_at") -> datetime:
    """Return an aware moment; a naive one is the wall clock of the named zone.

    A wall clock that the zone skips, or shows twice, when clocks change is
    refused: the person has to say what is meant. So is a year that nobody means.
    """
    place = zone(time_zone)
    if not is_within_years(moment):
        raise bad_input(
            f"Choose a date between the years {FIRST_YEAR} and {LAST_YEAR}.", field
        )
    if timezone.is_aware(moment):
        # PostgreSQL reads no offset beyond ±15:59, but a person may type one.
        return moment.astimezone(UTC)
    first = moment.replace(tzinfo=place, fold=0)
    second = moment.replace(tzinfo=place, fold=1)
    if first.utcoffset() == second.utcoffset():
        return first
    if first.astimezone(UTC).astimezone(place).replace(tzinfo=None) != moment:
        gap = (first.utcoffset() or timedelta()) - (second.utcoffset() or timedelta())
        later = moment + abs(gap)
        raise bad_input(
            f"{moment:%H:%M} does not exist on that day in {time_zone}: clocks go"
            f" forward. Choose {later:%H:%M} or another time.",
            field,
        )
    raise bad_input(
        f"{moment:%H:%M} happens twice on that day in {time_zone}: clocks go back."
        " Choose a time outside that hour.",
        field,
    )


def is_within_years(moment: datetime) -> bool:
    """Whether the moment can be stored and shown in every zone."""
    return FIRST_YEAR <= moment.year <= LAST_YEAR


def checked_start(run_at: datetime | None) -> datetime:
    """Return the time to run, or refuse because there is none."""
    if run_at is None:
        raise bad_input("Choose when it runs.", "run_at")
    return run_at


def check_order(run_at: datetime | None, expires_at: datetime | None) -> None:
    """Refuse an end that is not after the start."""
    if run_at and expires_at and expires_at <= run_at:
        raise bad_input(
            "Choose an end later than the start, or leave it empty.", "expires_at"
        )


def check_lead(
    run_at: datetime, time_zone: str, tolerance: timedelta = timedelta()
) -> None:
    """Refuse a time that is not at least :data:`LEAD` ahead."""
    now = database_now()
    if run_at >= now + LEAD - tolerance:
        return
    earliest = (now + LEAD + timedelta(minutes=1)).replace(second=0, microsecond=0)
    raise too_soon(earliest, time_zone)


def too_soon(earliest: datetime, time_zone: str) -> Problem:
    return bad_input(
        "Choose a time at least 2 minutes ahead:"
        f" {in_words(earliest, time_zone)} or later.",
        "run_at",
    )


def in_words(moment: datetime, time_zone: str) -> str:
    """``1 Dec at 18:30 (Europe/Amsterdam)``, whatever zone is active."""
    with timezone.override(zone(time_zone)):
        return moment_in_words(moment)


def local_day(moment: datetime, time_zone: str) -> date:
    """The day on which the moment falls for an organization's reports."""
    return moment.astimezone(zone(time_zone)).date()
