"""What a figure was measured on, and how much processor time it cost."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from pathlib import Path

PROC = Path("/proc")


def machine() -> dict[str, object]:
    """Return the facts without which a figure means nothing."""
    return {
        "cores": os.cpu_count(),
        "cpu": _cpu_model(),
        "memory_gib": _memory_gib(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _cpu_model() -> str:
    return _value(PROC / "cpuinfo", "model name") or platform.machine()


def _memory_gib() -> float | None:
    kilobytes = _value(PROC / "meminfo", "MemTotal").split()
    return round(int(kilobytes[0]) / 1024**2, 1) if kilobytes else None


def _value(path: Path, name: str) -> str:
    if not path.exists():
        return ""
    for line in path.read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""


def cpu_seconds(*roots: int, proc: Path = PROC) -> float:
    """Return the user and system time of these processes and all their children.

    Children that have ended count too, once their parent has collected them.
    Only Linux tells.
    """
    ticks = sum(_ticks(pid, proc) for pid in family(roots, proc))
    return ticks / os.sysconf("SC_CLK_TCK")


def family(roots: Iterable[int], proc: Path = PROC) -> set[int]:
    """Return these processes and everything that descends from them."""
    children: dict[int, list[int]] = {}
    for folder in proc.iterdir():
        if folder.name.isdigit() and (fields := _stat(int(folder.name), proc)):
            children.setdefault(int(fields[1]), []).append(int(folder.name))
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting.extend(children.get(pid, ()))
    return found


def _ticks(pid: int, proc: Path) -> int:
    # utime, stime, and those of children that were waited for: fields 14 to 17.
    return sum(int(field) for field in _stat(pid, proc)[11:15])


def _stat(pid: int, proc: Path) -> list[str]:
    """Return the fields of ``/proc/<pid>/stat`` from the third, the state, on."""
    try:
        text = (proc / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    # The second field is a name in brackets, which may itself contain them.
    return text.rpartition(")")[2].split()


def resident_mb(pid: int, proc: Path = PROC) -> float:
    """Return the memory that a process holds now, in MB (of 1,000,000 bytes)."""
    return _status_mb(pid, "VmRSS", proc)


def highest_resident_mb(pid: int, proc: Path = PROC) -> float:
    """Return the most memory that a process ever held, in MB."""
    return _status_mb(pid, "VmHWM", proc)


def _status_mb(pid: int, name: str, proc: Path) -> float:
    kibibytes = _value(proc / str(pid) / "status", name).split()
    return int(kibibytes[0]) * 1024 / 1e6 if kibibytes else 0.0
