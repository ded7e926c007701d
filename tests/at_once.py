"""Two things in the very same moment, each in a transaction of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from django.db import connection

PATIENCE = 30.0


def begun_elsewhere(work: Callable[[], object]) -> threading.Thread:
    """Let it come as far as it gets, in a connection of its own, before we commit."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    deadline = time.monotonic() + PATIENCE
    while thread.is_alive() and not somebody_waits_for_us():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return thread


def somebody_waits_for_us() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted"
            " AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
        )
        waits: bool = cursor.fetchone()[0]
    return waits
