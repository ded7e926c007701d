from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from resend_admin.ui.time_zones import (
    TimeZoneMiddleware,
    absolute,
    moment_in_words,
    relative,
    span_in_words,
    zone_choices,
    zone_label,
    zone_name,
    zone_named,
)

NOW = datetime(2026, 11, 21, 15, 34, tzinfo=UTC)


def zone_seen(request: HttpRequest) -> str:
    seen = []

    def view(_request: HttpRequest) -> HttpResponse:
        seen.append(zone_name())
        return HttpResponse()

    with timezone.override(None):
        TimeZoneMiddleware(view)(request)
    return seen[0]


def request_with(
    rf: RequestFactory, cookie: str = "", profile: str = ""
) -> HttpRequest:
    request = rf.get("/")
    request.COOKIES["tz"] = cookie
    request.user = SimpleNamespace(time_zone=profile)  # type: ignore[assignment]
    return request


def test_the_profile_wins_over_the_cookie(rf: RequestFactory) -> None:
    request = request_with(rf, cookie="Asia/Tokyo", profile="Europe/Amsterdam")
    assert zone_seen(request) == "Europe/Amsterdam"


def test_the_cookie_counts_where_the_profile_says_nothing(rf: RequestFactory) -> None:
    assert zone_seen(request_with(rf, cookie="Asia/Tokyo")) == "Asia/Tokyo"


@pytest.mark.parametrize(
    "cookie", ["", "Nowhere/Land", "../../etc/passwd", "Europe", "\x00", "é" * 500]
)
def test_a_cookie_that_names_no_zone_means_utc(rf: RequestFactory, cookie: str) -> None:
    assert zone_named(cookie) is None
    assert zone_seen(request_with(rf, cookie=cookie)) == "UTC"


def test_a_request_without_a_person_works(rf: RequestFactory) -> None:
    assert zone_seen(rf.get("/")) == "UTC"


def test_the_label_follows_the_clock_change() -> None:
    with timezone.override("Europe/Amsterdam"):
        assert zone_label(NOW) == "Europe/Amsterdam (UTC+01:00)"
        assert zone_label(NOW - timedelta(days=120)) == "Europe/Amsterdam (UTC+02:00)"
    with timezone.override("Europe/London"):
        assert zone_label(NOW) == "Europe/London (UTC)"
    with timezone.override("UTC"):
        assert zone_label(NOW) == "UTC"


def test_moments_are_told_in_the_active_zone() -> None:
    with timezone.override("Europe/Amsterdam"):
        assert absolute(NOW) == "21 Nov 2026, 16:34"
        evening = datetime(2026, 12, 1, 17, 30, tzinfo=UTC)
        assert moment_in_words(evening, NOW) == "1 Dec at 18:30 (Europe/Amsterdam)"
        next_year = datetime(2027, 1, 2, 17, 30, tzinfo=UTC)
        assert (
            moment_in_words(next_year, NOW) == "2 Jan 2027 at 18:30 (Europe/Amsterdam)"
        )


@pytest.mark.parametrize(
    ("distance", "words"),
    [
        (timedelta(seconds=-10), "just now"),
        (timedelta(seconds=10), "in a moment"),
        (timedelta(seconds=-50), "1 minute ago"),
        (timedelta(minutes=-59), "59 minutes ago"),
        (timedelta(minutes=-60), "1 hour ago"),
        (timedelta(minutes=80), "in 80 minutes"),
        (timedelta(minutes=95), "in 1 hour"),
        (timedelta(hours=-23, minutes=-59), "23 hours ago"),
        (timedelta(days=-1), "1 day ago"),
        (timedelta(days=3, hours=1), "in 3 days"),
        (timedelta(days=-40), "12 Oct 2026"),
    ],
)
def test_distances_are_told_in_words(distance: timedelta, words: str) -> None:
    with timezone.override("UTC"):
        assert relative(NOW + distance, NOW) == words


def test_every_zone_that_can_be_chosen_exists() -> None:
    assert all(zone_named(name) for name, _ in zone_choices())
    assert zone_choices()[0] == ("UTC", "UTC")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 second"),
        (40, "40 seconds"),
        (1_500, "25 minutes"),
        (12_000, "3 hours 20 minutes"),
        (7_200, "2 hours"),
        (2_000_000, "23 days"),
    ],
)
def test_spans_are_told_in_two_units_at_most(seconds: float, words: str) -> None:
    assert span_in_words(seconds) == words
