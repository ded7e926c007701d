"""The whole suite as three runs of pytest: ``python -m tests.side_by_side``.

One has the tests that start programs of their own and mostly wait for them, one those
of messaging, one the rest. Each has its own servers, cache and folder of results. What
the others say is shown as a whole when they have ended, so that nothing is mixed.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from subprocess import Popen
from typing import IO, NoReturn

from resend_admin.local import leash

START_PROGRAMS = ("tests/faults", "tests/local", "tests/benchmarks", "tests/journeys")
MESSAGING = "tests/messaging"
STOP_SECONDS = 30.0
"""For pytest to say what it has seen, and to stop its servers."""
INTERRUPTED = 130
SETTINGS = "DJANGO_SETTINGS_MODULE"


def group(name: str, *arguments: str) -> list[str]:
    """Return the command of one run, which leaves its traces in places of its own."""
    return [
        *(sys.executable, "-m", "pytest", *arguments),
        *("-o", f"cache_dir=.pytest_cache/{name}"),
        f"--output=test-results/{name}",
    ]


def run(
    shown: Sequence[str], kept: Mapping[str, Sequence[str]], output: IO[bytes]
) -> int:
    """Run all commands to their ends; return 0 when all succeed.

    Asked to stop, as by Ctrl-C, it stops them and still shows what all have said.
    """
    with ExitStack() as files:
        began = time.monotonic()
        first = start(shown, output)
        said = {name: files.enter_context(tempfile.TemporaryFile()) for name in kept}
        others = {name: start(kept[name], said[name]) for name in kept}
        unheard = list(kept)
        try:
            for name in kept:
                others[name].wait()
                show(said[name], output, name, time.monotonic() - began)
                unheard.remove(name)
            first.wait()
        except KeyboardInterrupt:
            for child in (first, *others.values()):
                leash.stop(child, signal.SIGINT, STOP_SECONDS)
            for name in unheard:
                seconds = time.monotonic() - began
                show(said[name], output, f"{name}, as far as it came", seconds)
            return INTERRUPTED
    return int(any(child.returncode != 0 for child in (first, *others.values())))


def start(command: Sequence[str], output: IO[bytes]) -> Popen[bytes]:
    """Start one run, without the settings that our own imports have named.

    With them pytest-django would read the settings before the servers stand.
    """
    own = {name: value for name, value in os.environ.items() if name != SETTINGS}
    return leash.spawn(
        command, death_signal=signal.SIGINT, environment=own, output=output
    )


def show(said: IO[bytes], output: IO[bytes], what: str, seconds: float) -> None:
    said.seek(0)
    output.write(f"\n===== {what}, {seconds:.0f} s =====\n".encode())
    shutil.copyfileobj(said, output)
    output.write(b"===== end of it =====\n")
    output.flush()


def interrupt(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


def main() -> int:
    signal.signal(signal.SIGTERM, interrupt)
    others = [f"--ignore={folder}" for folder in (*START_PROGRAMS, MESSAGING)]
    kept = {
        "messaging": group("messaging", MESSAGING),
        "the rest": group("rest", *others),
    }
    return run(group("programs", *START_PROGRAMS), kept, sys.stdout.buffer)


if __name__ == "__main__":
    sys.exit(main())
