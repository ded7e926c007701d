"""The wish to stop, heard by every process of a worker at once."""

from __future__ import annotations

import os
import select


class Stopping:
    """Like an event of ``threading``, and shared with children forked later.

    A worker with a pool of processes hears of its shutdown in the parent alone,
    and the pumps are in the children. They share a pipe: a byte that nobody ever
    takes out is the wish. A process that is killed at any instant leaves no lock
    behind, as an event of ``multiprocessing`` could.
    """

    def __init__(self) -> None:
        self._heard, self._said = os.pipe()
        os.set_blocking(self._heard, False)
        os.set_blocking(self._said, False)

    def set(self) -> None:
        """Let open chunks be finished and none be begun. Fit for signal handlers."""
        if not self.is_set():
            os.write(self._said, b".")

    def is_set(self) -> bool:
        return self.wait(0.0)

    def wait(self, seconds: float) -> bool:
        """Wait until somebody wants to stop, or so long; tell which it was."""
        poll = select.poll()
        poll.register(self._heard, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def clear(self) -> None:
        """Go on after all."""
        while self.is_set():
            os.read(self._heard, 512)


stopping = Stopping()
"""Set when this worker shuts down: open chunks are finished, none is begun."""
