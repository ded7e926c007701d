"""What travels as text: moments, and the words that others compare with."""

from __future__ import annotations

from datetime import UTC, datetime

import strawberry
from strawberry.types.scalar import ScalarDefinition

from broadcasts.causes import Help
from broadcasts.models import BroadcastKind, BroadcastState
from messaging.channels.catalogue import ErrorClass
from messaging.channels.contract import Channel
from messaging.models import IntegrationState, MessageState

EXAMPLE = "Write a moment as 2026-12-01T18:30:00Z."


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _read(text: object) -> datetime:
    """Read ISO 8601; what names no offset is the wall clock of the zone beside it."""
    if not isinstance(text, str):
        raise ValueError(EXAMPLE)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(EXAMPLE) from None


DATE_TIME: ScalarDefinition = strawberry.scalar(
    name="DateTime",
    description=(
        "A moment by ISO 8601. Answers are in UTC with `Z`. A moment without an offset"
        " is the wall clock of the time zone that is given beside it."
    ),
    serialize=_written,
    parse_value=_read,
)

strawberry.enum(BroadcastState, name="BroadcastStatus")
strawberry.enum(BroadcastKind, description="What is sent: a flow, or a template.")
strawberry.enum(Channel)
strawberry.enum(IntegrationState, name="IntegrationStatus")
strawberry.enum(
    ErrorClass,
    description=(
        "What a failure means for the next try: RETRY (send again), WAIT (later),"
        " FIX_FIRST (after a fix), NEVER, UNKNOWN."
    ),
)
strawberry.enum(
    Help,
    name="CauseHelp",
    description=(
        "What sending again takes: FIX (something first), NOW (as it is), UNCLEAR (look"
        " first), NEVER (it fails again)."
    ),
)
strawberry.enum(
    MessageState, name="Outcome", description="Where one member's message stands."
)
