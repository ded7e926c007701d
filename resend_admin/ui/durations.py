"""How long something took, as people say it."""

from __future__ import annotations

from datetime import timedelta

from resend_admin.ui.numbers import NARROW_SPACE

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def duration_text(duration: timedelta) -> str:
    """``45 s``, ``2.1 min``, ``34 min``, ``5 h``, ``1.5 d``; one decimal below ten."""
    seconds = max(duration.total_seconds(), 0)
    for size, word in _UNITS:
        if seconds >= size:
            value = seconds / size
            text = f"{value:.1f}".removesuffix(".0") if value < 9.95 else f"{value:.0f}"
            return f"{text}{NARROW_SPACE}{word}"
    return f"{seconds:.0f}{NARROW_SPACE}s"
