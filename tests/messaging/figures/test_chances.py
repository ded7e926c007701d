"""The range holds what it promises: nine of ten times."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.figures.chances import (
    Chance,
    Day,
    chance_from,
    correlation,
    interval,
    outlook,
    together,
)

ROUNDS = 600


def seeded(story: str) -> random.Random:
    """The same numbers in every run of a test."""
    return random.Random(story)  # noqa: S311


def binomial(chance: random.Random, number: int, share: float) -> int:
    return sum(chance.random() < share for _ in range(number))


def a_day(chance: random.Random, tries: int, share: float) -> Day:
    arrived = binomial(chance, tries, share)
    return Day(arrived, tries - arrived)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.82, 0.9])
@pytest.mark.parametrize(("days", "tries", "number"), [(1, 25, 61), (12, 20, 40)])
def test_the_range_holds_when_every_day_is_alike(
    share: float, days: int, tries: int, number: int
) -> None:
    chance = seeded(f"alike {share} {days}")
    inside = 0
    for _ in range(ROUNDS):
        history = [a_day(chance, tries, share) for _ in range(days)]
        low, high = outlook(number, chance_from(history)).interval
        inside += low <= binomial(chance, number, share) <= high

    assert 0.86 <= inside / ROUNDS <= 0.99


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_the_range_holds_when_days_differ(share: float) -> None:
    chance = seeded(f"different {share}")

    def of_the_day() -> float:
        return chance.betavariate(share * 15, (1 - share) * 15)

    inside = narrow = 0
    for _ in range(ROUNDS):
        history = [a_day(chance, 40, of_the_day()) for _ in range(20)]
        arrived = binomial(chance, 80, of_the_day())
        low, high = outlook(80, chance_from(history)).interval
        inside += low <= arrived <= high
        # What would be believed if no day differed from another.
        total = sum(one.arrived for one in history)
        low, high = interval(80, Chance(total / 800, 800))
        narrow += low <= arrived <= high

    assert 0.85 <= inside / ROUNDS <= 0.96
    assert narrow / ROUNDS < 0.75


def test_the_sum_of_causes_holds_too() -> None:
    chance = seeded("sum")
    shares = [0.1, 0.5, 0.9]
    inside = 0
    for _ in range(ROUNDS):
        outlooks = [
            outlook(30, chance_from([a_day(chance, 30, one) for _ in range(4)]))
            for one in shares
        ]
        low, high = together(outlooks).interval
        inside += low <= sum(binomial(chance, 30, one) for one in shares) <= high

    assert 0.86 <= inside / ROUNDS <= 0.98


def test_days_that_differ_are_noticed() -> None:
    alike = [Day(5, 5)] * 20
    different = [Day(10, 0), Day(0, 10)] * 10

    assert correlation(alike) < 0.01
    assert correlation(different) > 0.8


def test_a_small_set_is_exact() -> None:
    # Uniform chance: every number from 0 to 9 is equally likely.
    assert interval(9, Chance(0.5, 2.0), covered=0.6) == (2, 7)


@given(
    number=st.integers(1, 200_000),
    arrived=st.integers(0, 5_000),
    failed=st.integers(0, 5_000),
)
def test_the_numbers_always_make_sense(number: int, arrived: int, failed: int) -> None:
    history = [Day(arrived, failed), Day(1, 0)]

    found = outlook(number, chance_from(history))
    low, high = found.interval

    assert 0 <= low <= found.expected <= high <= number


def test_many_messages_take_no_longer_than_few() -> None:
    chance = Chance(0.5, 1_000_000.0)

    low, high = interval(100_000, chance)

    # Looked at in steps, it stays within a hundredth of its own width.
    spread = 1.645 * chance.variance_of(100_000) ** 0.5
    assert low == pytest.approx(50_000 - spread, abs=spread / 25)
    assert high == pytest.approx(50_000 + spread, abs=spread / 25)
