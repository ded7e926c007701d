"""Broadcasts that are due and not in the queues, for whoever asks what stands still.

``messaging.diagnosis`` knows no broadcasts, so its callers bring them along.
"""

from __future__ import annotations

from django.urls import reverse

from broadcasts.ways import rows, statement
from messaging.diagnosis import MOST_STARTS, STUCK, Start
from messaging.dispatch.statements import part


def starts(organization_id: int | None = None) -> list[Start]:
    """Return the oldest, of one organization or of all; see ``Start``."""
    found = rows(
        statement("overdue", waits_since=part("waits_since").strip()),
        {
            "organization_id": organization_id,
            "most": MOST_STARTS,
            "stuck_seconds": STUCK.total_seconds(),
        },
    )
    return [
        Start(
            name=f"“{row['name']}”",
            has_started=row["has_started"],
            since=row["since"],
            now=row["now"],
            url=reverse("broadcasts:broadcast-detail", args=[row["id"]]),
        )
        for row in found
    ]
