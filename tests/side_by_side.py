"""The whole suite as two runs of pytest side by side: ``python -m tests.side_by_side``.

One has the tests that start programs of their own and mostly wait for them, the other
one has the rest. Each has its own servers, cache and folder of results. What the second
one says is shown as a whole when it has ended, so that nothing is mixed.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from subprocess import Popen
from typing import IO, NoReturn

from resend_admin.local import leash

START_PROGRAMS = ("tests/faults", "tests/local", "tests/benchmarks", "tests/journeys")
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


def run(shown: Sequence[str], kept: Sequence[str], output: IO[bytes]) -> int:
    """Run both commands to their ends; return 0 when both succeed.

    Asked to stop, as by Ctrl-C, it stops both and still shows what both have said.
    """
    with tempfile.TemporaryFile() as said:
        began = time.monotonic()
        first = start(shown, output)
        second = start(kept, said)
        try:
            second.wait()
            show(said, output, "the rest", time.monotonic() - began)
            first.wait()
        except KeyboardInterrupt:
            for child in (first, second):
                leash.stop(child, signal.SIGINT, STOP_SECONDS)
            show(said, output, "the rest, as far as it came", time.monotonic() - began)
            return INTERRUPTED
    return int(first.returncode != 0 or second.returncode != 0)


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
    others = [f"--ignore={folder}" for folder in START_PROGRAMS]
    return run(
        group("programs", *START_PROGRAMS), group("rest", *others), sys.stdout.buffer
    )


if __name__ == "__main__":
    sys.exit(main())
