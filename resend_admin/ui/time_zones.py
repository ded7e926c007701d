"""Every time on a page is in the viewer's own zone, and the page names it.

The zone comes from the profile of the person signed in, else from the ``tz`` cookie
that ``app.js`` writes, else it is UTC. The cookie is known from the second request
on; the first page shows UTC and says so.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

COOKIE = "tz"


class TimeZoneMiddleware:
    """Activates the viewer's zone. Stands behind ``AuthenticationMiddleware``.

    The zone stays active while a streamed answer is written; the next request on
    the same thread sets its own.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        timezone.activate(viewer_zone(request))
        return self.get_response(request)


def viewer_zone(request: HttpRequest) -> tzinfo:
    """The zone of the profile, the cookie, or UTC; unknown names count as none."""
    profile = getattr(getattr(request, "user", None), "time_zone", "")
    for name in (profile, request.COOKIES.get(COOKIE, "")):
        if name and (zone := zone_named(name)):
            return zone
    return UTC


def zone_named(name: str) -> ZoneInfo | None:
    """The zone, or nothing when no such zone is known. Safe for any text."""
    return ZoneInfo(name) if name in _zone_names() else None


@cache
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones())


def zone_choices() -> list[tuple[str, str]]:
    """Choices for a select: regions with a city, and UTC."""
    names = sorted(
        name
        for name in _zone_names()
        if "/" in name and not name.startswith(("Etc/", "posix/", "right/", "SystemV/"))
    )
    return [(name, name.replace("_", " ")) for name in ["UTC", *names]]


def zone_name() -> str:
    """The name of the zone that is active now, as ``Europe/Amsterdam``."""
    return timezone.get_current_timezone_name()


def zone_label(at: datetime | None = None) -> str:
    """The active zone with its distance from UTC at that moment (default: now), as
    ``Europe/Amsterdam (UTC+01:00)``."""
    local = timezone.localtime(at or timezone.now())
    if zone_name() == "UTC":
        return "UTC"
    distance = local.isoformat()[-6:]
    return f"{zone_name()} (UTC{'' if distance == '+00:00' else distance})"


def absolute(moment: datetime) -> str:
    """``21 Nov 2026, 16:34`` in the active zone."""
    local = timezone.localtime(moment)
    return f"{local.day} {local:%b %Y, %H:%M}"


def moment_in_words(moment: datetime, now: datetime | None = None) -> str:
    """``1 Dec at 18:30 (Europe/Amsterdam)``; names the year when it is another one.

    For sentences that repeat a time somebody chose: browsers show a
    ``datetime-local`` in a format of their own.
    """
    local = timezone.localtime(moment)
    today = timezone.localtime(now or timezone.now())
    year = "" if local.year == today.year else f" {local.year}"
    return f"{local.day} {local:%b}{year} at {local:%H:%M} ({zone_name()})"


def day_in_words(moment: datetime, now: datetime | None = None) -> str:
    """``1 Dec`` in the active zone; names the year when it is another one."""
    local = timezone.localtime(moment)
    today = timezone.localtime(now or timezone.now())
    return (
        f"{local.day} {local:%b}{'' if local.year == today.year else f' {local.year}'}"
    )


def relative(moment: datetime, now: datetime | None = None) -> str:
    """``2 hours ago``, ``in 35 minutes``; beyond 30 days the date itself.

    What is planned for the next 90 minutes is told in minutes.
    """
    seconds = (moment - (now or timezone.now())).total_seconds()
    distance = abs(seconds)
    if distance < 45:
        return "just now" if seconds <= 0 else "in a moment"
    if distance > 30 * 86_400:
        local = timezone.localtime(moment)
        return f"{local.day} {local:%b %Y}"
    words = _distance_in_words(distance, minutes_up_to=90 if seconds > 0 else 60)
    return f"in {words}" if seconds > 0 else f"{words} ago"


def _distance_in_words(seconds: float, minutes_up_to: int) -> str:
    minutes = round(seconds / 60)
    if minutes < minutes_up_to:
        count, unit = max(minutes, 1), "minute"
    elif seconds < 86_400:
        count, unit = max(int(seconds // 3600), 1), "hour"
    else:
        count, unit = int(seconds // 86_400), "day"
    return f"{count} {unit}{'' if count == 1 else 's'}"


def span_in_words(seconds: float) -> str:
    """``40 seconds``, ``25 minutes``, ``3 hours 20 minutes``, ``23 days``.

    For sentences that say how long something takes, or has taken.
    """
    if seconds < 90:
        return _counted(max(1, round(seconds)), "second")
    minutes = round(seconds / 60)
    if minutes < 90:
        return _counted(minutes, "minute")
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        return _counted(round(hours / 24), "day")
    rest = f" {_counted(minutes, 'minute')}" if minutes else ""
    return f"{_counted(hours, 'hour')}{rest}"


def _counted(count: int, unit: str) -> str:
    return f"{count:,} {unit}{'' if count == 1 else 's'}"
