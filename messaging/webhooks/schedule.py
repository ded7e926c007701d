"""When a delivery that did not succeed is tried again. Pure functions."""

from __future__ import annotations

from typing import Final

DELAYS: Final = (5.0, 30.0, 300.0, 1_800.0, 7_200.0, 21_600.0)
"""Seconds after the first, second, … try: 5 s, 30 s, 5 min, 30 min, 2 h, 6 h."""
JITTER: Final = 0.2
"""Up to this part of a delay is added, so that what failed together spreads."""
TRIES: Final = len(DELAYS) + 1
LONGEST_PAUSE: Final = 86_400.0
"""Seconds that an endpoint may ask us to stay away for; more is cut to a day."""


def next_in(tries: int, chance: float, retry_after: float = 0.0) -> float | None:
    """Return the seconds until the next try, or ``None`` to give up.

    ``tries`` have been made by now; ``chance`` is a random number of [0, 1). An
    endpoint that says when to come back is not asked before.
    """
    if tries >= TRIES:
        return None
    delay = DELAYS[tries - 1] * (1 + JITTER * chance)
    return max(delay, min(retry_after, LONGEST_PAUSE))
