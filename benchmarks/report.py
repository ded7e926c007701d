"""The figures of a benchmark: as a table for people, as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.machine import machine


@dataclass(frozen=True, slots=True)
class Target:
    """What a ratio has to reach."""

    at_least: float | None = None
    at_most: float | None = None

    def is_met(self, value: float) -> bool:
        return (self.at_least is None or value >= self.at_least) and (
            self.at_most is None or value <= self.at_most
        )

    def __str__(self) -> str:
        if self.at_least is not None:
            return f"at least {self.at_least:g}"
        return f"at most {self.at_most:g}"


@dataclass
class Report:
    """What one benchmark found.

    ``columns`` and ``rows`` are the table; ``raw`` are the figures behind it, in
    full; ``ratios`` compare, and ``targets`` name what some of them must reach.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    ratios: Mapping[str, float]
    raw: Mapping[str, Any]
    targets: Mapping[str, Target] = field(default_factory=dict)
    notes: Sequence[str] = ()

    def table(self) -> str:
        cells = [
            list(self.columns),
            *([_text(one) for one in row] for row in self.rows),
        ]
        widths = [max(len(row[i]) for row in cells) for i in range(len(self.columns))]
        lines = [
            "  ".join(
                text.ljust(width) if i == 0 else text.rjust(width)
                for i, (text, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in cells
        ]
        lines.insert(1, "  ".join("-" * width for width in widths))
        return "\n".join(
            ["", self.title, "", *lines, "", *map(self._line, self.ratios), *self.notes]
        )

    def _line(self, name: str) -> str:
        value, target = self.ratios[name], self.targets.get(name)
        if target is None:
            return f"{name}: {value:.2f}"
        verdict = "reached" if target.is_met(value) else "MISSED"
        return f"{name}: {value:.2f} ({target}: {verdict})"

    def document(self, command: str, postgres: str, scale: float) -> dict[str, Any]:
        return {
            "title": self.title,
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "command": command,
            "scale": scale,
            "machine": {**machine(), "postgresql": postgres},
            "ratios": {name: round(value, 3) for name, value in self.ratios.items()},
            "targets": {
                name: {
                    "target": str(target),
                    "met": target.is_met(self.ratios[name]),
                }
                for name, target in self.targets.items()
            },
            "raw": self.raw,
            "notes": list(self.notes),
        }


def write(
    report: Report, path: Path, command: str, postgres: str, scale: float
) -> Path:
    """Write the figures as JSON; return where."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = report.document(command, postgres, scale)
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return path


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.1f}" if abs(value) < 100 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
