"""How much of the processor a courier takes: plenty, unless messages want it."""

from __future__ import annotations

import time
from typing import Final

LEAST: Final = 0.02
"""The part of one processor that a courier may always take: it takes as much again of
PostgreSQL's and of whoever is told, and messages want all three."""
MOST: Final = 0.6
"""The part that it takes while nothing else is done in its process."""
CROWDED: Final = 0.25
"""With so much of a processor at work beside it, it keeps to the least: a pump at
full speed takes more, one that keeps to the rate of a provider far less."""
FORGETS: Final = 0.85
"""How slowly it believes that the others are done: they pause between two chunks."""


def share(others: float) -> float:
    """Return what a courier may take while others take so much of a processor."""
    return max(LEAST, MOST * (1 - others / CROWDED))


class Share:
    """Watches what a courier and the other threads of its process take."""

    def __init__(self) -> None:
        self._others = 0.0
        self._read()

    def _read(self) -> None:
        self._at = time.monotonic()
        self._mine = time.thread_time()
        self._all = time.process_time()

    def rest(self) -> float:
        """Return the seconds to rest for what was taken since the last time."""
        at, mine, everybodys = self._at, self._mine, self._all
        self._read()
        spent, took = max(self._at - at, 1e-6), self._mine - mine
        others = max(0.0, self._all - everybodys - took) / spent
        self._others = max(others, self._others * FORGETS)
        return took / share(self._others) - spent
