from __future__ import annotations

from tests.local.processes import kill_after, wait_until_gone

SPAWN = """
import signal, time
from resend_admin.local import leash
leash.spawn(["sleep", "600"], death_signal=signal.SIGTERM)
print("started", flush=True)
time.sleep(600)
"""
# What does the same where the kernel offers no such signal.
WATCH = """
import signal, subprocess, time
from resend_admin.local import leash
child = subprocess.Popen(["sleep", "600"], start_new_session=True)
leash.watch(child.pid, signal.SIGTERM)
print("started", flush=True)
time.sleep(600)
"""


def test_a_child_goes_with_its_killed_parent() -> None:
    _, started = kill_after(SPAWN)
    assert started
    wait_until_gone(started)


def test_the_watching_shell_stops_the_child_of_a_killed_parent() -> None:
    _, started = kill_after(WATCH)
    assert started
    wait_until_gone(started)
