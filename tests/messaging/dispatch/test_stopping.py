from __future__ import annotations

import subprocess
import sys
import threading
import time

from messaging.dispatch.stopping import Stopping


def test_it_is_an_event() -> None:
    stopping = Stopping()
    assert not stopping.is_set()
    assert not stopping.wait(0.01)
    stopping.set()
    stopping.set()
    assert stopping.is_set()
    assert stopping.wait(60)
    stopping.clear()
    assert not stopping.is_set()


FORK = """
import os
from messaging.dispatch.stopping import stopping
child = os.fork()
if child == 0:
    os._exit(0 if stopping.wait(60) else 1)
stopping.set()
print(os.waitpid(child, 0)[1], stopping.is_set())
"""


def test_a_forked_child_hears_what_its_parent_wants() -> None:
    # In a process of its own: this one has threads, which a fork leaves behind.
    answer = subprocess.run(
        [sys.executable, "-c", FORK], capture_output=True, check=True, text=True
    )
    assert answer.stdout == "0 True\n"


def test_whoever_waits_wakes_at_once() -> None:
    stopping = Stopping()
    began = time.monotonic()
    threading.Timer(0.05, stopping.set).start()
    assert stopping.wait(60)
    assert time.monotonic() - began < 30
