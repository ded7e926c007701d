"""``python -m benchmarks [name…]``: run benchmarks, each in a process of its own."""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
from pathlib import Path

from benchmarks.report import write
from benchmarks.stage import open_stage
from resend_admin.local.problem import StartError

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """Return the benchmarks there are: every module with ``run(stage)``."""
    return sorted(
        path.stem
        for path in FOLDER.glob("*.py")
        if "\ndef run(stage: Stage)" in path.read_text()
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="name", help="of: " + ", ".join(names())
    )
    parser.add_argument(
        "--scale",
        type=float,
        default=1.0,
        help="Multiply every size; figures count only at 1, the default.",
    )
    parser.add_argument(
        "--results", type=Path, default=FOLDER / "results", help="Where JSON goes."
    )
    options = parser.parse_args()
    if unknown := set(options.names) - set(names()):
        parser.error(f"There is no {', '.join(sorted(unknown))}.")
    wanted = options.names or names()
    if len(wanted) == 1:
        return measure(wanted[0], options.scale, options.results)
    # Settings can be read once per process, and memory is measured: begin afresh.
    return max(
        subprocess.call(
            [
                *(sys.executable, "-m", "benchmarks", name),
                *("--scale", str(options.scale), "--results", str(options.results)),
            ]
        )
        for name in wanted
    )


def measure(name: str, scale: float, results: Path) -> int:
    """Run one benchmark and keep its figures; return the exit status."""
    command = f"python -m benchmarks {name}" + (
        "" if scale == 1 else f" --scale {scale}"
    )
    try:
        with open_stage(scale) as stage:
            report = importlib.import_module(f"benchmarks.{name}").run(stage)
            server = stage.postgres_version()
    except StartError as problem:
        print(problem, file=sys.stderr)
        return 1
    print(report.table(), flush=True)
    path = write(report, results / f"{name}.json", command, server, scale)
    print(f"\nWritten to {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
