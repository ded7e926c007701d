"""The short form of ``make torture``: a few seconds of it, and the same checker."""

from __future__ import annotations

from itertools import islice

from tests.faults.checker import violations
from tests.faults.plant import Plant
from tests.faults.report import report
from tests.faults.storm import DISTURBANCES, KILLS, storm
from tests.faults.torture import Torture, Wish


def test_nothing_is_lost_or_doubled_whatever_is_killed(plant: Plant) -> None:
    torture = Torture(plant, Wish(kills=15, seed=11, minutes=0.4, gap=0.3, members=120))
    facts = torture.run()
    found = violations(facts)
    facts.connection.close()

    assert torture.kills >= 5, "the machine is too slow for this to prove anything"
    assert len(facts.attempts) > 100
    assert found == {}, report(
        facts,
        found,
        done=torture.done,
        kills=torture.kills,
        seconds=0,
        settled_after=torture.settled_after,
        seed=11,
    )


def test_a_seed_makes_the_same_storm_again() -> None:
    def strikes(seed: int) -> list[object]:
        return list(storm(seed, 50, gap=0.5))

    assert strikes(3) == strikes(3)
    assert strikes(3) != strikes(4)


def test_a_long_storm_leaves_nothing_out() -> None:
    whats = {strike.what for strike in islice(storm(1, 1000, gap=0.5), 3000)}
    assert whats == {*KILLS, *DISTURBANCES}
    assert sum(strike.is_kill for strike in storm(1, 1000, gap=0.5)) == 1000
