"""The figures of resending: what retrying brings, read from counters that never expire.

- ``report(Scope(organization, first, last, channel, integration_id, broadcast_ids))``
  returns everything that a page of figures shows: success rate by resend number, where
  the messages of each day stand, failures by cause and what retrying them brought,
  recovered messages with their time and cost, and all that by channel and integration.
- ``words`` says what each figure means, in sentences for the page.
- ``forecast`` tells what a retry is likely to bring.

No function here looks at a message or an attempt, so none gets slower with them.
"""

from __future__ import annotations

from messaging.figures.days import DayOutcomes
from messaging.figures.report import (
    CauseFigures,
    PartFigures,
    Rate,
    Recovered,
    Report,
    ResendRate,
    Span,
    report,
)
from messaging.figures.scope import Scope

__all__ = [
    "CauseFigures",
    "DayOutcomes",
    "PartFigures",
    "Rate",
    "Recovered",
    "Report",
    "ResendRate",
    "Scope",
    "Span",
    "report",
]
