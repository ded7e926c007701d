"""Each finding is a sentence computed from the numbers, right in every corner."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broadcasts.views.reports import words

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (3, 4, "3 of 4"),
        (0, 1, "0 of 1"),
        (8, 10, "8 of 10"),
        (1_240, 1_500, "8 of 10"),
        (10, 10, "all 10"),
        (0, 1_500, "none of 1,500"),
        (9, 100, "fewer than 1 of 10"),
        (10, 100, "1 of 10"),
        (999, 1_000, "more than 9 of 10"),
        (95, 100, "more than 9 of 10"),
    ],
)
def test_shares_as_people_say_them(part: int, whole: int, text: str) -> None:
    assert words.of_ten(part, whole) == text


@pytest.mark.parametrize(
    ("first", "retries", "sentence"),
    [
        ((0, 0), [(0, 0)] * 5, "Nothing was sent in this period."),
        (
            (90, 100),
            [(0, 0)] * 5,
            "The first send reaches 9 of 10; no resend has ended yet.",
        ),
        (
            (0, 0),
            [(0, 0), (5, 10)],
            "No first resend has ended in this period.",
        ),
        (
            (90, 100),
            [(3, 4), (0, 0)],
            "3 of 4 first resends came back so far: too few to tell a trend.",
        ),
        (
            (90, 100),
            [(80, 100), (50, 100), (30, 100), (5, 100), (1, 90)],
            "Resend 1 brings 8 of 10 back; after the third it is not worth it.",
        ),
        (
            (90, 100),
            [(80, 100), (9, 100)],
            "Resend 1 brings 8 of 10 back; after the first it is not worth it.",
        ),
        (
            (90, 100),
            [(80, 100), (50, 100), (1, 3)],
            "Resend 1 brings 8 of 10 back, and resend 2 still 5 of 10.",
        ),
        ((90, 100), [(80, 100), (1, 3)], "Resend 1 brings 8 of 10 back."),
        (
            (90, 100),
            [(4, 100), (50, 100)],
            "Resend 1 brings fewer than 1 of 10 back: sending again as it is hardly "
            "helps here.",
        ),
    ],
)
def test_when_to_stop(
    first: words.Tried, retries: list[words.Tried], sentence: str
) -> None:
    assert words.rate_finding(first, retries) == sentence


tried = st.tuples(st.integers(0, 10_000), st.integers(0, 10_000)).map(
    lambda two: (min(two), max(two))
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tried, st.lists(tried, min_size=5, max_size=5))
def test_there_is_always_one_whole_sentence(
    first: words.Tried, retries: list[words.Tried]
) -> None:
    sentence = words.rate_finding(first, retries)

    assert sentence.endswith(".")
    assert "None" not in sentence
    assert sentence[0].isupper() or sentence[0].isdigit()


@pytest.mark.parametrize(
    ("number", "median", "p90", "sentence"),
    [
        (0, None, None, "No message that failed has arrived after all."),
        (1, MINUTE, MINUTE, "One message came back, 1 min after it had failed."),
        (3, MINUTE, 9 * MINUTE, "3 messages came back; the middle one took 1 min."),
        (
            50,
            2.1 * MINUTE,
            300 * MINUTE,
            "Half of the recovered messages arrive within 2.1 min of their first "
            "failure, nine in ten within 5 h.",
        ),
    ],
)
def test_how_long_it_takes(
    number: int, median: timedelta | None, p90: timedelta | None, sentence: str
) -> None:
    found = words.delay_finding(number, median, p90).replace("\u202f", " ")
    assert found == sentence


SATURDAY = date(2026, 11, 7)


@pytest.mark.parametrize(
    ("numbers", "worst", "sentence"),
    [
        ((0, 0, 0, 0), None, "Nothing was sent in this period."),
        ((5, 3, 1, 1), None, "Of 5 messages, 4 arrived and 1 failed for good."),
        (
            (1_000, 820, 110, 40),
            None,
            "Of 1,000 messages, 82 % arrive with the first send, 11 % after a retry "
            "and 4 % fail for good.",
        ),
        (
            (1_000, 960, 0, 40),
            (SATURDAY, 30, 100),
            "Of 1,000 messages, 96 % arrive with the first send and 4 % fail for good; "
            "on Sat 7 Nov it was 30 %.",
        ),
        (
            (1_000, 960, 0, 40),
            (SATURDAY, 5, 100),
            "Of 1,000 messages, 96 % arrive with the first send and 4 % fail for good.",
        ),
        (
            (100, 60, 0, 40),
            (SATURDAY, 40, 100),
            "Of 100 messages, 60 % arrive with the first send and 40 % fail for good.",
        ),
    ],
)
def test_how_the_days_went(
    numbers: tuple[int, int, int, int],
    worst: tuple[date, int, int] | None,
    sentence: str,
) -> None:
    assert words.days_finding(*numbers, worst).replace("\u202f", " ") == sentence


def test_which_cause_and_what_helps() -> None:
    finding = words.causes_finding
    assert finding(0, None, None) == "No try failed in this period."
    assert finding(100, ("Window closed", 45), None).replace("\u202f", " ") == (
        "“Window closed” is behind 45 % of the failures."
    )
    assert finding(100, ("A", 45), ("B", (70, 100))).endswith(
        "; retrying “B” brings 7 of 10 back."
    )


@pytest.mark.parametrize(
    ("number", "credits", "sentence"),
    [
        (0, 0, "No message that failed has arrived after all."),
        (1, 1, "1 message that had failed arrived after all, for 1 credit: one each."),
        (5, 0, "5 messages that had failed arrived after all, at no cost."),
        (
            1_000,
            1_250,
            "1,000 messages that had failed arrived after all, for 1,250 credits: "
            "1.25 each.",
        ),
    ],
)
def test_what_came_back_and_its_price(number: int, credits: int, sentence: str) -> None:
    assert words.recovered_finding(number, credits) == sentence


def test_channels_are_compared_when_they_can_be() -> None:
    finding = words.ways_finding
    assert finding([]) == "Nothing was sent."
    assert finding([("SMS", 3, 4)]) == "Too few tries to compare."
    assert finding([("SMS", 30, 40), ("E-mail", 1, 2)]).replace("\u202f", " ") == (
        "75 % of the tries by SMS arrive."
    )
    told = finding([("SMS", 30, 40), ("E-mail", 39, 40)]).replace("\u202f", " ")
    assert told == "Of the tries by E-mail 98 % arrive, by SMS 75 %."
