"""How a phone is, and what to do next, in words for a support person."""

from __future__ import annotations

from typing import Final

from messaging.devices.health import Phone
from messaging.models import DeviceHealth, DeviceState
from resend_admin.ui.pills import Pill
from resend_admin.ui.time_zones import moment_in_words

PILLS: Final = {
    DeviceState.CONNECTED.value: Pill("Connected", "ok", "check"),
    DeviceState.DISCONNECTED.value: Pill("Not connected", "bad", "cross"),
    DeviceState.LOGGED_OUT.value: Pill("Not linked", "bad", "link"),
    DeviceState.NO_DEVICE.value: Pill("Unknown to the gateway", "bad", "question"),
    DeviceState.REFUSED.value: Pill("Token refused", "bad", "key"),
    DeviceState.SILENT.value: Pill("Gateway silent", "warn", "question"),
    DeviceState.UNCLEAR.value: Pill("Not known", "warn", "question"),
}
NOT_ASKED: Final = Pill("Not asked yet", "idle", "clock")
TITLES: Final = {
    DeviceState.DISCONNECTED.value: "has no connection",
    DeviceState.LOGGED_OUT.value: "is not linked",
    DeviceState.NO_DEVICE.value: "is unknown to its gateway",
    DeviceState.REFUSED.value: "cannot be asked: its token is refused",
    DeviceState.SILENT.value: "cannot be asked: its gateway is silent",
    DeviceState.UNCLEAR.value: "cannot be asked",
}
"""After the name of the phone, as the heading of a line."""

_SENTENCES: Final = {
    DeviceState.CONNECTED.value: "It sends and receives.",
    DeviceState.DISCONNECTED.value: (
        "The phone has no connection, so nothing is sent or received. Switch it on and"
        " see that it is online; only if it stays away, link it again at the gateway."
    ),
    DeviceState.LOGGED_OUT.value: (
        "The phone is not linked, so nothing is sent or received. Let the gateway show"
        " a new QR code and scan it with the phone: WhatsApp, Linked devices, Link a"
        " device."
    ),
    DeviceState.NO_DEVICE.value: (
        "The gateway has no phone with this device ID. Correct the ID in the"
        " integration, or add the phone at the gateway."
    ),
    DeviceState.REFUSED.value: (
        "The gateway does not accept our API token, so nothing is sent. Enter the"
        " present one in the integration."
    ),
    DeviceState.SILENT.value: (
        "The gateway does not answer, so nobody can tell how the phone is. See whether"
        " it runs, and whether its address in the integration is right."
    ),
}


def pill_of(health: DeviceHealth | None) -> Pill:
    return PILLS[health.state] if health else NOT_ASKED


def sentence_of(health: DeviceHealth | None) -> str:
    """Say how a phone is and, if it is not well, what to do."""
    if health is None:
        return "The gateway is asked every minute; it has not answered yet."
    known = _SENTENCES.get(health.state)
    if known is not None:
        return known
    said = f" It says: {health.detail.rstrip('.')}." if health.detail else ""
    return (
        "The gateway answers, and does not say how the phone is."
        f"{said} Ask whoever runs the gateway."
    )


def title_of(phone: Phone) -> str:
    """Return the heading of a line about a phone that is not ready."""
    state = phone.health.state if phone.health else ""
    return f"“{phone.integration.name}” {TITLES.get(state, 'is not ready')}"


def standing_of(integration_name: str, health: DeviceHealth | None) -> str:
    """Return how a phone is in one sentence or two, for a message to who asked."""
    if health is None:
        return f"“{integration_name}” has not been asked yet."
    word = PILLS[health.state].label.lower()
    since = moment_in_words(health.since)
    return f"“{integration_name}”: {word} since {since}. {sentence_of(health)}"
