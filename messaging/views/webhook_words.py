"""How endpoints and deliveries stand, in words and pills."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from messaging.models import (
    DeliveryState,
    OffReason,
    WebhookDelivery,
    WebhookEndpoint,
)
from messaging.webhooks import schedule, words
from resend_admin.ui.time_zones import moment_in_words


@dataclass(frozen=True, slots=True)
class Pill:
    label: str
    tone: str
    icon: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A pill, and the sentence that goes with it."""

    pill: Pill
    sentence: str


ON: Final = Pill("On", "ok", "check")
FAILING: Final = Pill("Failing", "warn", "warning")
OFF: Final = Pill("Off", "idle", "pause")
GIVEN_UP: Final = Pill("Switched off", "bad", "cross")
PILLS: Final = {
    DeliveryState.WAITING: Pill("Waiting", "idle", "clock"),
    DeliveryState.SENDING: Pill("Sending", "info", "plane"),
    DeliveryState.DELIVERED: Pill("Delivered", "ok", "check"),
    DeliveryState.FAILED: Pill("Failed", "bad", "cross"),
}
WAITING_TO_RETRY: Final = Pill("Waiting to retry", "warn", "retry")


def standing_of(endpoint: WebhookEndpoint) -> Standing:
    health = endpoint.health
    if not endpoint.is_on:
        return Standing(GIVEN_UP if endpoint.is_off_by_itself else OFF, _off(endpoint))
    if health.failing_since is not None:
        why = words.title(health.last_error, health.last_status)
        since = moment_in_words(health.failing_since)
        return Standing(FAILING, f"{why}. Nothing was delivered since {since}.")
    if health.paused_until is not None and health.paused_until > timezone.now():
        until = moment_in_words(health.paused_until)
        return Standing(ON, f"It asked to be left alone until {until}.")
    if health.delivered_at is None:
        return Standing(ON, "Nothing was delivered yet.")
    return Standing(ON, "It takes what it is sent.")


def _off(endpoint: WebhookEndpoint) -> str:
    when = moment_in_words(endpoint.off_at) if endpoint.off_at else ""
    match endpoint.off_reason:
        case OffReason.GONE:
            return f"It answered that it is gone for good, on {when}."
        case OffReason.FAILING:
            return f"It took nothing for five days, until {when}."
    return f"Switched off on {when}."


def pill_of(delivery: WebhookDelivery) -> Pill:
    if delivery.is_waiting_to_retry:
        return WAITING_TO_RETRY
    return PILLS[DeliveryState(delivery.state)]


def why(delivery: WebhookDelivery) -> str:
    """Return what is wrong with a delivery, for one line of a list."""
    if delivery.state == DeliveryState.DELIVERED:
        return ""
    return words.title(delivery.error, delivery.http_status)


def next_step(delivery: WebhookDelivery) -> str:
    """Return what happens to a delivery next, and what a person can do."""
    match delivery.state:
        case DeliveryState.DELIVERED:
            return f"It was taken at try {delivery.try_count}."
        case DeliveryState.SENDING:
            return "It is being sent at this moment."
        case DeliveryState.FAILED:
            tip = words.advice(delivery.error, delivery.http_status)
            return f"It is not tried again by itself. {tip}".strip()
    if delivery.run_tries:
        left = schedule.TRIES - delivery.run_tries
        tries = "one more try" if left == 1 else f"{left} more tries"
        when = moment_in_words(delivery.due_at)
        return f"It is tried again on {when}, and has {tries}."
    return "It leaves as soon as its turn comes."


@dataclass(frozen=True, slots=True)
class Entry:
    """One try, for the timeline."""

    key: str
    tone: str
    icon: str
    title: str
    at: datetime | None
    advice: str = ""
    facts: str = ""
    answer: str = ""
    headers: str = ""


def entry_of(webhook_id: str, made: Mapping[str, Any]) -> Entry:
    error, status = made.get("error") or "", made.get("status")
    facts = [f"Answer {status}"] if status else []
    if made.get("ms") is not None:
        facts.append(f"took {made['ms']} ms")
    if made.get("pause"):
        facts.append(f"asked for a pause of {made['pause']} s")
    at = parse_datetime(made["at"]) if made.get("at") else None
    outcome = words.title(error, status) if error else "delivered"
    return Entry(
        key=str(made.get("number")),
        tone="warn" if error else "ok",
        icon="retry" if error else "check",
        title=f"Try {made.get('number')}: {outcome[:1].lower() + outcome[1:]}",
        at=at,
        advice=words.advice(error, status),
        facts=" · ".join(facts),
        answer=made.get("answer") or "",
        headers=_headers(webhook_id, at, made.get("signature") or ""),
    )


def _headers(webhook_id: str, at: datetime | None, signature: str) -> str:
    if at is None or not signature:
        return ""
    return "\n".join(
        [
            "Content-Type: application/json",
            f"webhook-id: {webhook_id}",
            f"webhook-timestamp: {int(at.timestamp())}",
            f"webhook-signature: {signature}",
        ]
    )
