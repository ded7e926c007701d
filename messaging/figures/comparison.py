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
    judged: Standing | None = None
    """The part of it that the range is about; None where that cannot be told."""

    @property
    def is_final(self) -> bool:
        """Whether nothing of it can still arrive, but for a late receipt."""
        return self.standing.undecided <= 0

    @property
    def outcome(self) -> Outcome:
        told, now = self.told, self.judged
        if now is None or not told.is_known:
            return Outcome.NOT_TOLD
        if now.arrived > told.high:
            return Outcome.MORE
        if now.arrived + max(now.undecided, 0) < told.low:
            return Outcome.FEWER
        return Outcome.UNDER_WAY if now.undecided > 0 else Outcome.AS_EXPECTED


@dataclass(frozen=True, slots=True)
class Comparison:
    """The whole forecast of a run beside its result."""

    causes: tuple[Compared, ...]
    whole: Compared


def compare(told: Forecast, standings: Mapping[str, Standing]) -> Comparison:
    """Put a forecast beside what became of each cause, by the catalogue's code."""
    nothing = Standing()
    causes = tuple(_compared(one, standings.get(one.code)) for one in told.causes)
    known = [one for one in causes if one.told.is_known]
    judged = [one.judged for one in known if one.judged is not None]
    is_clear = len(judged) == len(known)
    return Comparison(
        causes=causes,
        whole=Compared(
            told,
            sum(standings.values(), nothing),
            sum(judged, nothing) if is_clear else None,
        ),
    )


def _compared(told: CauseForecast, standing: Standing | None) -> Compared:
    """A cause that is judged in part has no range for the rest of it."""
    standing = standing or Standing()
    return Compared(told, standing, standing if told.judged == told.count else None)
