"""What a paused integration means for what waits behind it."""

from __future__ import annotations

from typing import Final

from messaging.diagnosis import paused_in_words
from messaging.models import Integration, IntegrationState

LEAVES: Final = (
    "Nothing is lost: it leaves as soon as somebody resumes the integration."
)
LEAVES_IN_TIME: Final = (
    "Nothing is lost: it leaves at its time, or as soon as somebody resumes the"
    " integration after that."
)


def pause_in_words(integration: Integration | None) -> str:
    """Say that an integration is paused, and why; nothing unless it is."""
    if integration is None or integration.state != IntegrationState.PAUSED:
        return ""
    return paused_in_words(integration.name, integration.state_reason)
