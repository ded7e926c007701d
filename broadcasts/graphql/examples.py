"""Questions to begin with, one click away. Nothing runs before somebody presses Run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from broadcasts.models import Broadcast, BroadcastState
from messaging.models import Organization

OVER: Final = (BroadcastState.COMPLETED, BroadcastState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Example:
    name: str
    label: str
    query: str
    about_broadcast: bool = True
    """Whether it asks about one broadcast, by the variable ``id``."""

    def variables(self, broadcast_id: int) -> str:
        if not self.about_broadcast:
            return ""
        return json.dumps({"id": str(broadcast_id)}, indent=2)


LIST: Final = """query NewestBroadcasts {
  broadcasts(first: 10) {
    nodes {
      id
      name
      status
      runAt
      counters { total delivered failed }
    }
    pageInfo { hasNextPage endCursor }
  }
}"""

EVERYTHING: Final = """query WhyAnythingFailed {
  causes {
    title
    count
    help
    verdict
    advice
    resendable
    broadcasts(first: 5) { count broadcast { id name } }
  }
}"""

CAUSES: Final = """query WhyItFailed($id: ID!) {
  broadcast(id: $id) {
    name
    counters { total delivered failed unknown skipped }
    failuresByCause {
      title
      count
      errorClass
      verdict
      advice
    }
  }
}"""

ROWS: Final = """query WhoFailed($id: ID!) {
  broadcast(id: $id) {
    rows(first: 25, outcomes: [FAILED]) {
      nodes {
        contact { id externalId name }
        channel
        errorReason
        answer
        outcomeAt
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}"""

CHAIN: Final = """query Chain($id: ID!) {
  broadcast(id: $id) {
    name
    retryOfBroadcastId
    retries { id name status }
    chain {
      sentence
      runs { broadcastId reachedFirst counters { total failed } }
    }
  }
}"""

STATE: Final = """query MayItBeRetried($id: ID!) {
  retryState(broadcastId: $id) {
    enabled
    reason
    contactCount
    runAt
  }
}"""

RETRY: Final = """mutation RetryFailedContacts($id: ID!) {
  retryFailedContacts(broadcastId: $id) {
    id
    name
    status
    runAt
    retryOfBroadcastId
  }
}"""

WAYS: Final = """query WhatABroadcastIsMadeOf {
  flows { id name }
  templates { id name language }
  integrations { id name channel status }
  quota { used limit }
}"""

EXAMPLES: Final = (
    Example("list", "Newest broadcasts", LIST, about_broadcast=False),
    Example("everything", "All failures by cause", EVERYTHING, about_broadcast=False),
    Example("causes", "Failures of a broadcast", CAUSES),
    Example("rows", "Who failed", ROWS),
    Example("chain", "Chain of retries", CHAIN),
    Example("state", "May it be retried?", STATE),
    Example("retry", "Retry failed contacts", RETRY),
    Example("ways", "Flows and templates", WAYS, about_broadcast=False),
)


def broadcast_to_ask_about(organization: Organization) -> int:
    """Return the newest broadcast that is over; 1 where there is none."""
    over = Broadcast.objects.filter(organization=organization, state__in=OVER)
    newest: int | None = over.order_by("-pk").values_list("pk", flat=True).first()
    return newest or 1
