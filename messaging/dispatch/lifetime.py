"""The clock by which an attempt lives."""

from __future__ import annotations

import sys
import time

if sys.platform == "linux":

    def now() -> float:
        """Return seconds that go on while the machine is suspended.

        PostgreSQL's clock does too, and by that an attempt becomes unknown: after
        it nothing may leave any more, however long this process was asleep.
        """
        return time.clock_gettime(time.CLOCK_BOOTTIME)

else:

    def now() -> float:
        """Return the seconds of the only clock that never goes back."""
        return time.monotonic()
