from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resend_admin.ui.numbers import grouped, percent_text, share, whole_percent


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (999, "999"), (48210, "48,210"), (None, "–")]
)
def test_numbers_are_grouped_by_thousands(value: int | None, text: str) -> None:
    assert grouped(value) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (0, 100, "0\u202f%"),
        (100, 100, "100\u202f%"),
        (45912, 48210, "95\u202f%"),
        (9999, 10000, "99.9\u202f%"),
        (999_999, 1_000_000, "99.9\u202f%"),
        (9996, 10000, "99.9\u202f%"),
        (9904, 10000, "99\u202f%"),
        (1985, 2000, "99.3\u202f%"),
        (12, 18, "67\u202f%"),
        (157, 2000, "8\u202f%"),
        (1, 8, "13\u202f%"),
        (19, 2000, "1\u202f%"),
        (11, 2000, "0.6\u202f%"),
        (5, 1000, "0.5\u202f%"),
        (1, 1_000_000, "under 0.1\u202f%"),
        (1, 0, "–"),
        (None, 10, "0\u202f%"),
    ],
)
def test_a_share_is_rounded_to_the_nearest(
    part: int | None, whole: int, text: str
) -> None:
    assert percent_text(part, whole) == text


@given(st.integers(0, 10**7), st.integers(1, 10**7))
def test_only_everyone_is_a_hundred_percent(part: int, whole: int) -> None:
    text = percent_text(part, whole)
    assert (text == "100\u202f%") == (part >= whole)
    assert (text == "0\u202f%") == (part == 0)
    assert 0 <= share(part, whole) <= 100
    assert (whole_percent(part, whole) == 100) == (part >= whole)


def test_the_shares_of_a_whole_add_up_but_for_what_is_rounded() -> None:
    parts = [1710, 157, 127, 6]
    assert sum(parts) == 2000

    said = [percent_text(one, 2000) for one in parts]

    assert said == ["86\u202f%", "8\u202f%", "6\u202f%", "0.3\u202f%"]
