"""The arithmetic of the benchmarks: a wrong ratio would be a wrong promise."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.contenders.measured import Measured, cpu_per_message, rate
from benchmarks.dispatch import ratios, report
from benchmarks.machine import cpu_seconds, family, machine
from benchmarks.report import Report, Target, write

TICK = os.sysconf("SC_CLK_TCK")


def measured(
    seconds: float, worker_cpu: float = 1.0, postgres_cpu: float = 0.0
) -> Measured:
    return Measured("somebody", 1_000, seconds, worker_cpu, postgres_cpu)


def process(proc: Path, pid: int, parent: int, *ticks: int, name: str = "a") -> None:
    """Write what the kernel tells about one process."""
    folder = proc / str(pid)
    folder.mkdir()
    before = " ".join(["0"] * 9)
    times = " ".join(map(str, ticks))
    (folder / "stat").write_text(f"{pid} ({name}) S {parent} {before} {times} 20 0 1")


def test_a_message_costs_what_the_worker_and_postgresql_took() -> None:
    one = measured(2.0, worker_cpu=0.3, postgres_cpu=0.1)

    assert one.rate == 500
    assert one.cpu_per_message == pytest.approx(400)
    assert one.document()["cpu_microseconds_per_message"] == 400.0


def test_of_several_runs_the_middle_one_counts() -> None:
    runs = [measured(1.0, 0.2), measured(10.0, 9.0), measured(2.0, 0.4)]

    assert rate(runs) == 500
    assert cpu_per_message(runs) == pytest.approx(400)


def test_speed_is_ours_by_theirs_and_cost_is_ours_by_the_limit() -> None:
    found = ratios(
        {
            "ours": [measured(1.0, 0.2, 0.1)],
            "bare": [measured(0.5, 0.2)],
            "ours_slow": [measured(9.0)],
            "celery_per_message": [measured(50.0)],
            "procrastinate": [measured(5.0)],
        }
    )

    assert found == pytest.approx(
        {"cpu_to_bare_client": 1.5, "to_celery_per_message": 50, "to_procrastinate": 5}
    )


def test_the_report_says_which_targets_are_missed() -> None:
    table = report(
        {
            "ours": [measured(1.0, 0.3)],
            "bare": [measured(1.0, 0.2)],
            "celery_per_message": [measured(5.0)],
            "post_office": [measured(20.0)],
        }
    ).table()

    assert "cpu_to_bare_client: 1.50 (at most 1.6: reached)" in table
    assert "to_celery_per_message: 5.00 (at least 25: MISSED)" in table
    assert "to_post_office: 20.00 (at least 10: reached)" in table


def test_children_count_also_those_that_have_ended(tmp_path: Path) -> None:
    process(tmp_path, 10, 1, 100, 50, 7, 3)
    process(tmp_path, 11, 10, 20, 10, 0, 0, name="odd) name")
    process(tmp_path, 12, 11, 5, 5, 0, 0)
    process(tmp_path, 13, 1, 999, 999, 0, 0)

    assert family([10], tmp_path) == {10, 11, 12}
    assert cpu_seconds(10, proc=tmp_path) == pytest.approx(200 / TICK)


def test_a_process_that_is_gone_costs_nothing_more(tmp_path: Path) -> None:
    assert cpu_seconds(10, proc=tmp_path) == 0


def test_time_that_was_really_used_is_seen() -> None:
    before = cpu_seconds(os.getpid())

    subprocess.run([sys.executable, "-c", "sum(range(10**7))"], check=True)

    assert cpu_seconds(os.getpid()) > before


def test_figures_are_kept_with_all_that_they_depend_on(tmp_path: Path) -> None:
    made = Report(
        "Something",
        ("Who", "Rate"),
        [("ours", 12_345), ("theirs", 1.25)],
        {"times": 2.0},
        {"runs": [1, 2]},
        {"times": Target(at_least=3)},
    )

    path = write(made, tmp_path / "new" / "a.json", "python -m …", "18.6", 0.5)

    kept = json.loads(path.read_text())
    assert kept["ratios"] == {"times": 2.0}
    assert kept["targets"] == {"times": {"target": "at least 3", "met": False}}
    assert kept["machine"] == {**machine(), "postgresql": "18.6"}
    assert (kept["command"], kept["scale"]) == ("python -m …", 0.5)
    assert kept["raw"] == {"runs": [1, 2]}
    assert "12,345" in made.table()
