"""Pills: a state as icon, word and colour, never colour alone.

The words are those a person reads; the names of the states are those of the
database. States come in as plain strings, because this package knows no models.
"""

from __future__ import annotations

from typing import NamedTuple

from django.utils.html import format_html
from django.utils.safestring import SafeString

from .icons import icon_svg


class Pill(NamedTuple):
    """``tone`` is one of ok, info, warn, bad, idle."""

    label: str
    tone: str
    icon: str


MESSAGE_PILLS: dict[str, Pill] = {
    "planned": Pill("Scheduled", "info", "clock"),
    "queued": Pill("Queued", "idle", "inbox"),
    "sending": Pill("Sending", "info", "plane"),
    "sent": Pill("Sent", "info", "plane"),
    "delivered": Pill("Delivered", "ok", "check"),
    "read": Pill("Delivered", "ok", "check"),
    "failed": Pill("Failed", "bad", "cross"),
    "unknown": Pill("Unknown", "warn", "question"),
    "skipped": Pill("Skipped", "idle", "skip"),
    "cancelled": Pill("Cancelled", "idle", "ban"),
}
WAITING_TO_RETRY = Pill("Waiting to retry", "warn", "retry")

BROADCAST_PILLS: dict[str, Pill] = {
    "draft": Pill("Draft", "idle", "edit"),
    "scheduled": Pill("Scheduled", "info", "clock"),
    "sending": Pill("Sending", "info", "plane"),
    "completed": Pill("Finished", "ok", "check"),
    "cancelled": Pill("Cancelled", "idle", "ban"),
    "failed": Pill("Could not run", "bad", "cross"),
}

VERDICT_PILLS: dict[str, Pill] = {
    "retry": Pill("Likely", "ok", "check"),
    "wait": Pill("Yes, later", "info", "clock"),
    "fix_first": Pill("After a fix", "warn", "wrench"),
    "never": Pill("No", "bad", "cross"),
    "unknown": Pill("Not known", "idle", "question"),
}
"""Will sending again help? By error class."""
NOT_NEEDED = Pill("Not needed", "ok", "check")
"""It might help, but the person has it, or belongs to another run that may send it."""

CHANNELS: dict[str, tuple[str, str]] = {
    "whatsapp": ("WhatsApp", "chat"),
    "telegram": ("Telegram", "plane"),
    "sms": ("SMS", "phone"),
    "email": ("E-mail", "mail"),
}


def message_pill(state: str, attempt_count: int = 0) -> Pill:
    """A queued message that was tried before waits to retry."""
    if state == "queued" and attempt_count:
        return WAITING_TO_RETRY
    return _known_or_plain(MESSAGE_PILLS, state)


def broadcast_pill(state: str) -> Pill:
    return _known_or_plain(BROADCAST_PILLS, state)


def verdict_pill(error_class: str) -> Pill:
    return _known_or_plain(VERDICT_PILLS, error_class)


def channel_name(channel: str) -> str:
    return CHANNELS.get(channel, (channel.capitalize(), ""))[0]


def pill_html(pill: Pill) -> SafeString:
    return format_html(
        '<span class="pill {}">{}{}</span>', pill.tone, icon_svg(pill.icon), pill.label
    )


def _known_or_plain(pills: dict[str, Pill], state: str) -> Pill:
    """A word this version does not know is shown as it is, not hidden."""
    unknown = Pill(str(state).replace("_", " ").capitalize(), "idle", "question")
    return pills.get(str(state), unknown)
