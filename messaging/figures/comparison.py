"""A forecast beside what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from messaging.figures.forecast import CauseForecast, Forecast


class Outcome(StrEnum):
    """How the result lies to the range that was told."""

    UNDER_WAY = "under_way"
    AS_EXPECTED = "as_expected"
    FEWER = "fewer"
    MORE = "more"
    NOT_TOLD = "not_told"
    """There was no forecast, or not for all of them."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What became of messages so far: arrived, or still to be decided."""

    arrived: int = 0
    undecided: int = 0

    def __add__(self, other: Standing) -> Standing:
        return Standing(self.arrived + other.arrived, self.undecided + other.undecided)


@dataclass(frozen=True, slots=True)
class Compared:
    """One cause, or all of them: what was told and what came."""

    told: CauseForecast | Forecast
    standing: Standing

    @property
    def is_final(self) -> bool:
        """Whether nothing of it can still arrive, but for a late receipt."""
        return self.standing.undecided <= 0

    @property
    def outcome(self) -> Outcome:
        told, now = self.told, self.standing
        if not told.is_known or told.judged < told.count:
            return Outcome.NOT_TOLD
        if now.arrived > told.high:
            return Outcome.MORE
        if now.arrived + max(now.undecided, 0) < told.low:
            return Outcome.FEWER
        return Outcome.AS_EXPECTED if self.is_final else Outcome.UNDER_WAY


@dataclass(frozen=True, slots=True)
class Comparison:
    """The whole forecast of a run beside its result."""

    causes: tuple[Compared, ...]
    whole: Compared


def compare(told: Forecast, standings: Mapping[str, Standing]) -> Comparison:
    """Put a forecast beside what became of each cause, by the catalogue's code."""
    nothing = Standing()
    return Comparison(
        causes=tuple(
            Compared(one, standings.get(one.code, nothing)) for one in told.causes
        ),
        whole=Compared(told, sum(standings.values(), nothing)),
    )
