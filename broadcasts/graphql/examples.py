"""Questions to begin with, one click away. Nothing runs before somebody presses Run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Example:
    name: str
    label: str
    query: str
    about_broadcast: bool = True
    """Whether it asks about one broadcast, by the variable ``id``."""


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
    Example("causes", "Failures by cause", CAUSES),
    Example("rows", "Who failed", ROWS),
    Example("chain", "Chain of retries", CHAIN),
    Example("state", "May it be retried?", STATE),
    Example("retry", "Retry failed contacts", RETRY),
    Example("ways", "Flows and templates", WAYS, about_broadcast=False),
)
