"""Pumps: a thread for each integration that has work, so that none waits for another.

A provider that is slow or dead keeps its own thread busy and nobody else's; how
many integrations send at a time does not depend on the slots of the worker. All of
a process's pumps belong to one task, which ends when they have.
"""

from __future__ import annotations

import contextlib
import logging
import resource
import threading
import time

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connections

from messaging.dispatch import doorbell, pump
from messaging.dispatch.stopping import stopping

logger = logging.getLogger(__name__)

KEEP_SECONDS = 60.0
"""How long one task starts pumps; another one takes over."""
LOOK_SECONDS = 0.5
"""How often a task looks for integrations whose ring has not come through."""
MOST_PUMPS = 100
"""Threads of one process; what is beyond them waits for a free one."""
MOST_REQUESTS = 1_000
"""Requests under way in one process, shared by its pumps."""
FEWEST_REQUESTS = 10
OPEN_FILES = 4_096


class Pumps:
    """The pumps of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rung = threading.Event()
        self._wanted: set[int] = set()
        self._turns: dict[int, float] = {}
        """When an integration was last pumped, so that each has its turn."""
        self._is_kept = False

    def keep(self, integration_id: int, *, seconds: float = KEEP_SECONDS) -> None:
        """Pump this integration, and whatever else has work, until nothing has.

        Returns at once when another task of this process does that already. What
        was begun is landed before this returns.
        """
        with self._lock:
            self._wanted.add(integration_id)
            if self._is_kept:
                self._rung.set()
                return
            self._is_kept = True
        _allow_open_files()
        running: list[threading.Thread] = []
        ends_at = time.monotonic() + seconds
        try:
            while self._tend(running, ends_at):
                self._rung.wait(LOOK_SECONDS)
                self._rung.clear()
        except BaseException:
            # Else nobody would ever pump in this process again.
            with self._lock:
                self._is_kept = False
            raise
        finally:
            for one in running:
                one.join()

    def _tend(self, running: list[threading.Thread], ends_at: float) -> bool:
        """Start the pumps that are missing; tell whether there is more to do."""
        running[:] = [one for one in running if one.is_alive()]
        with self._lock:
            wanted, self._wanted = self._wanted, set()
        is_over = stopping.is_set() or time.monotonic() >= ends_at
        if not is_over:
            wanted.update(_with_work())
            for integration_id in self._next(wanted, MOST_PUMPS - len(running)):
                running.append(self._start(integration_id, len(running) + 1))
        with self._lock:
            # Who rings from now on finds no keeper, and becomes one.
            self._is_kept = not is_over and bool(running or self._wanted)
            return self._is_kept

    def _next(self, wanted: set[int], number: int) -> list[int]:
        """Return whose turn it is: who has waited longest, and never who came first.

        Those that are left out are found again at the next look.
        """
        longest = sorted(wanted, key=lambda one: (self._turns.get(one, 0.0), one))
        chosen = longest[: max(0, number)]
        self._turns.update(dict.fromkeys(chosen, time.monotonic()))
        return chosen

    def _start(self, integration_id: int, pumps: int) -> threading.Thread:
        concurrency = max(
            FEWEST_REQUESTS, min(settings.DISPATCH_CONCURRENCY, MOST_REQUESTS // pumps)
        )
        thread = threading.Thread(
            target=self._pump,
            args=(integration_id, concurrency),
            name=f"pump of integration {integration_id}",
        )
        thread.start()
        return thread

    def _pump(self, integration_id: int, concurrency: int) -> None:
        try:
            pump.run(integration_id, concurrency=concurrency)
        except DatabaseError as error:
            logger.warning(
                "A pump stopped: %s", error, extra={"integration_id": integration_id}
            )
        except Exception:
            logger.exception("A pump broke", extra={"integration_id": integration_id})
        finally:
            connections.close_all()
            self._rung.set()


def _with_work() -> list[int]:
    try:
        return doorbell.integrations_with_work()
    except DatabaseError as error:
        logger.warning("Could not look for due messages: %s", error)
        return []
    finally:
        close_old_connections()


def _allow_open_files() -> None:
    """Raise the soft limit, so that many providers' connections fit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


pumps = Pumps()
