"""What one contender needed for its messages, and the arithmetic on it."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Measured:
    """One contender's run.

    ``worker_cpu`` and ``postgres_cpu`` are user and system seconds of the sending
    processes and of PostgreSQL with all its backends; the provider's are nobody's.
    """

    name: str
    messages: int
    seconds: float
    worker_cpu: float
    postgres_cpu: float = 0.0

    @property
    def rate(self) -> float:
        """Messages per second."""
        return self.messages / self.seconds

    @property
    def cpu_per_message(self) -> float:
        """Microseconds of processor time for one message, everything included."""
        return (self.worker_cpu + self.postgres_cpu) / self.messages * 1e6

    def document(self) -> dict[str, Any]:
        return {
            **{
                name: round(value, 3) if isinstance(value, float) else value
                for name, value in asdict(self).items()
            },
            "messages_per_second": round(self.rate, 1),
            "cpu_microseconds_per_message": round(self.cpu_per_message, 1),
        }


def median(runs: Sequence[Measured], figure: Callable[[Measured], float]) -> float:
    """Return the middle of several runs: the machine is never quite our own."""
    return statistics.median(figure(run) for run in runs)


def rate(runs: Sequence[Measured]) -> float:
    return median(runs, lambda run: run.rate)


def cpu_per_message(runs: Sequence[Measured]) -> float:
    return median(runs, lambda run: run.cpu_per_message)
