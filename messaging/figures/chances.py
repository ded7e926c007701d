"""How many of so many will arrive, judged by how many did before: the arithmetic.

The model is beta-binomial. Each retry has its own chance of arriving, which differs
from day to day (a provider is down, a list is old), so what we know of the chance is
a Beta distribution. Its mean is the share that arrived before, its width adds up two
things: how unsure that share is, and how much the chance moved from day to day
(``correlation``, estimated from the days by the moments of a one-way analysis of
variance, and drawn towards ``USUAL_CORRELATION`` where there are few days). How many of
``n`` arrive is then beta-binomial, and ``interval`` is the middle 90 % of it: nine of
ten times, the result lies within. Nothing here knows Django.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

COVERED: Final = 0.9
USUAL_CORRELATION: Final = 0.005
WEIGHT_OF_USUAL: Final = 3.0
"""How many days of history it takes to believe them rather than the usual."""
POINTS: Final = 400
"""Where the distribution is looked at; each stands for its neighbours."""
SPREADS: Final = 8.0
LARGEST_PRECISION: Final = 1e9


@dataclass(frozen=True, slots=True)
class Day:
    """Tries of one day whose outcome is known."""

    arrived: int
    failed: int

    @property
    def tries(self) -> int:
        return self.arrived + self.failed


@dataclass(frozen=True, slots=True)
class Chance:
    """What is known of the chance that one arrives: a Beta distribution."""

    mean: float
    precision: float
    """The sum of its two parameters: the tries it is worth."""

    def variance_of(self, number: int) -> float:
        """Return the variance of how many of so many arrive."""
        spread = number * self.mean * (1 - self.mean)
        return spread * (1 + (number - 1) / (self.precision + 1))


def chance_from(days: Sequence[Day]) -> Chance:
    """Return what these days say about another one. Needs at least one try."""
    arrived = sum(one.arrived for one in days)
    tries = sum(one.tries for one in days)
    mean = (arrived + 0.5) / (tries + 1)
    together = correlation(days)
    unsure = (
        sum(one.tries * (1 + (one.tries - 1) * together) for one in days) / tries**2
    )
    width = min(together + unsure, 1.0)
    precision = max(1 / width - 1, 1.0)
    return Chance(mean, precision)


def correlation(days: Sequence[Day]) -> float:
    """Return how alike the outcomes of one day are; 0 when the day says nothing."""
    filled = [one for one in days if one.tries]
    groups, tries = len(filled), sum(one.tries for one in filled)
    weight = max(groups - 1, 0)
    found = 0.0
    if groups > 1 and tries > groups:
        mean = sum(one.arrived for one in filled) / tries
        between = sum(
            one.tries * (one.arrived / one.tries - mean) ** 2 for one in filled
        )
        within = sum(one.arrived * one.failed / one.tries for one in filled)
        between /= groups - 1
        within /= tries - groups
        typical = (tries - sum(one.tries**2 for one in filled) / tries) / (groups - 1)
        whole = between + (typical - 1) * within
        found = max((between - within) / whole, 0.0) if whole > 0 else 0.0
    usual = USUAL_CORRELATION * WEIGHT_OF_USUAL
    return min((found * weight + usual) / (weight + WEIGHT_OF_USUAL), 0.99)


@dataclass(frozen=True, slots=True)
class Outlook:
    """How many of ``number`` are likely to arrive: a mean and how far it may be off."""

    number: int
    mean: float
    variance: float

    @property
    def expected(self) -> int:
        return min(max(round(self.mean), 0), self.number)

    @property
    def interval(self) -> tuple[int, int]:
        """From and to how many, nine of ten times."""
        low, high = interval(self.number, self._chance())
        return min(low, self.expected), max(high, self.expected)

    def _chance(self) -> Chance:
        """Return the Beta distribution that has this mean and variance."""
        share = min(max(self.mean / self.number, 1e-9), 1 - 1e-9)
        spread = self.number * share * (1 - share)
        excess = self.variance / spread - 1
        if self.number < 2 or excess <= 0:
            return Chance(share, LARGEST_PRECISION)
        return Chance(share, min((self.number - 1) / excess - 1, LARGEST_PRECISION))


def outlook(number: int, chance: Chance) -> Outlook:
    return Outlook(number, number * chance.mean, chance.variance_of(number))


def together(outlooks: Iterable[Outlook]) -> Outlook:
    """Add up causes, taken as independent of each other."""
    several = list(outlooks)
    return Outlook(
        sum(one.number for one in several),
        sum(one.mean for one in several),
        sum(one.variance for one in several),
    )


def interval(number: int, chance: Chance, covered: float = COVERED) -> tuple[int, int]:
    """Return the middle of the beta-binomial distribution that covers that share."""
    alpha = max(chance.mean * chance.precision, 1e-6)
    beta = max((1 - chance.mean) * chance.precision, 1e-6)
    points = _points(number, chance)
    heights = [_log_weight(number, point, alpha, beta) for point in points]
    highest = max(heights)
    weights = [math.exp(one - highest) for one in heights]
    rest = sum(weights) * (1 - covered) / 2
    return points[_where(weights, rest)], points[-1 - _where(weights[::-1], rest)]


def _points(number: int, chance: Chance) -> list[int]:
    """Return where to look: everywhere, or evenly over all that is at all likely."""
    if number <= POINTS:
        return list(range(number + 1))
    middle = number * chance.mean
    reach = SPREADS * math.sqrt(chance.variance_of(number)) + 1
    first = max(0, math.floor(middle - reach))
    last = min(number, math.ceil(middle + reach))
    step = max(1, (last - first) // POINTS)
    return list(range(first, last + 1, step))


def _log_weight(number: int, arrived: int, alpha: float, beta: float) -> float:
    """Return the logarithm of a probability, but for a constant."""
    return (
        math.lgamma(arrived + alpha)
        + math.lgamma(number - arrived + beta)
        - math.lgamma(arrived + 1)
        - math.lgamma(number - arrived + 1)
    )


def _where(weights: Sequence[float], rest: float) -> int:
    """Return the place at which more than the rest has been passed."""
    passed = 0.0
    for place, weight in enumerate(weights):
        passed += weight
        if passed > rest:
            return place
    return len(weights) - 1
