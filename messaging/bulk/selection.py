"""What a person chose: messages that were ticked, or all that a list matches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import QuerySet

from messaging.dispatch.again import RESENDABLE_AT_RISK
from messaging.models import Message

MOST: Final = 100_000
"""Messages that one bulk resend covers at most: the newest of the selection."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Messages of one organization, and the choice in words.

    ``messages`` is narrowed to the organization already. ``is_filter`` tells that
    all that match were chosen, so that what came to match later is no part of it.
    """

    messages: QuerySet[Message]
    words: str
    is_filter: bool = False

    def ids(self, shown_at: datetime | None = None) -> QuerySet[Message, Any]:
        """Return the ids, newest first, as they were chosen at ``shown_at``."""
        chosen = self.messages
        if self.is_filter and shown_at is not None:
            chosen = chosen.filter(created_at__lte=shown_at).exclude(
                state__in=RESENDABLE_AT_RISK, state_at__gt=shown_at
            )
        return chosen.order_by("-id").values("id")[:MOST]
