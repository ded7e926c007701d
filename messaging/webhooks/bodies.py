"""What stands in a request: ``{"type", "timestamp", "data"}``.

``data`` has ids, states, and the error with its words. No content and no address
is ever in it: whoever is told asks for those with a key of their own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from messaging.channels.catalogue import lookup

ORDER: Final = (
    "messageId",
    "copyOf",
    "externalId",
    "broadcastId",
    "retryOfBroadcastId",
    "integrationId",
    "chatJid",
    "name",
    "kind",
    "channel",
    "state",
    "previousState",
    "attempt",
    "askedBy",
    "dueAt",
    "runAt",
    "recoveredAt",
    "reason",
    "messages",
    "error",
)
"""PostgreSQL keeps keys by their length; people read them in this order."""


def body(event_type: str, moment: datetime, data: Mapping[str, Any]) -> str:
    """Return the body of every try of one event, as it is signed and sent."""
    return json.dumps(
        document(event_type, moment, data), ensure_ascii=False, separators=(",", ":")
    )


def document(
    event_type: str, moment: datetime, data: Mapping[str, Any]
) -> dict[str, Any]:
    told = {name: data[name] for name in ORDER if name in data}
    told |= {name: value for name, value in data.items() if name not in told}
    if told.get("error"):
        told["error"] = _in_words(told["error"])
    return {"type": event_type, "timestamp": wire_moment(moment), "data": told}


def pretty(event_type: str, moment: datetime, data: Mapping[str, Any]) -> str:
    """Return the same body with line breaks, to be read."""
    return json.dumps(document(event_type, moment, data), ensure_ascii=False, indent=2)


def wire_moment(moment: datetime) -> str:
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _in_words(error: Mapping[str, str]) -> dict[str, str]:
    entry = lookup(error["code"])
    return {
        "code": error["code"],
        "class": error["class"],
        "title": entry.title,
        "advice": entry.advice,
    }
