"""What repeats a message, shown in Django admin without its one-time codes.

Whoever looks at a message later has no business with the code that it carried: the
pages hide it, and so do the forms here, for operators too.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from messaging.models import Attempt, Message
from messaging.one_time_codes import hide
from messaging.sent_codes import codes_of


def without_codes(value: Any, codes: Collection[str]) -> SafeString | str:
    """Return a text as it stands, or JSON laid out, with these codes hidden."""
    if value in (None, "", {}, []):
        return "-"
    text = value
    if not isinstance(value, str):
        text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return format_html("<pre>{}</pre>", hide(text, codes))


def codes_of_message(message_id: int | None) -> frozenset[str]:
    """Return the codes of a message with all its attempts; none of one that is gone."""
    rows = Message.objects.select_related("content", "amended_content")
    message = rows.filter(pk=message_id).first() if message_id else None
    if message is None:
        return frozenset()
    return codes_of(message, list(message.attempts.select_related("content")))


def codes_of_attempt(attempt_id: int | None) -> frozenset[str]:
    attempt = Attempt.objects.filter(pk=attempt_id).first() if attempt_id else None
    return codes_of_message(attempt.message_id if attempt else None)
