"""Small runs of benchmarks with a worker: whatever their speed, all is told."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.memory import Slice, growth


def small_run(name: str, results: Path) -> dict[str, Any]:
    run = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks", name),
            *("--scale", "0.001", "--results", str(results)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    document: dict[str, Any] = json.loads((results / f"{name}.json").read_text())
    assert document["scale"] == 0.001
    return document


def test_every_failed_row_is_frozen_queued_and_sent(tmp_path: Path) -> None:
    raw = small_run("bulk", tmp_path)["raw"]

    assert raw["rows"] == 100
    assert list(raw["seconds"]) == ["verdict", "freezing", "all queued", "all sent"]
    assert raw["seconds"]["freezing"] <= raw["seconds"]["all queued"]
    assert raw["seconds"]["all queued"] <= raw["seconds"]["all sent"]


def test_memory_is_seen_before_during_and_after_every_slice(tmp_path: Path) -> None:
    document = small_run("memory", tmp_path)
    raw = document["raw"]

    assert raw["messages"] == 1_000
    assert len(raw["slices"]) == 10
    assert raw["idle_mb"] > 20
    assert raw["highest_mb"] >= max(one["after_mb"] for one in raw["slices"])
    assert document["ratios"]["memory_above_idle_mb"] == pytest.approx(
        raw["highest_mb"] - raw["idle_mb"], abs=0.2
    )


def test_retention_prunes_all_that_is_old_in_every_round(tmp_path: Path) -> None:
    raw = small_run("retention", tmp_path)["raw"]

    assert raw["old_messages"] == 3_000
    assert len(raw["rounds"]) == 3
    assert all(one["retention_seconds"] > 0 for one in raw["rounds"])
    assert all(one["alone"]["messages"] == 100 for one in raw["rounds"])


def test_growth_compares_the_last_third_with_the_one_before() -> None:
    slices = [
        Slice(1, samples=[float(held)]) for held in (900, 100, 110, 120, 130, 140)
    ]

    assert growth(slices) == pytest.approx(20)
    assert growth([Slice(1, samples=[100.0]) for _ in range(10)]) == 0
