"""Through which device a message is asked for, when an organization has several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from messaging.models import (
    InboundMessage,
    Integration,
    IntegrationState,
    Organization,
)
from messaging.retransmission.words import Refusal, Refused

KIND: Final = "device_gateway"

NONE = Refused(
    Refusal.NOT_FOUND,
    "Your organization has no device gateway that is switched on. Ask an admin to add"
    " one under Integrations.",
)


def gateways(organization: Organization) -> list[Integration]:
    """Return the devices of an organization that are not switched off."""
    return list(
        Integration.objects.filter(organization=organization, kind=KIND)
        .exclude(state=IntegrationState.OFF)
        .order_by("pk")
    )


def choose(
    organization: Organization, message_ids: Sequence[str], device: str = ""
) -> Integration | Refused:
    """Return the device that knows the messages, else the named one, else the only.

    ``device`` is a device ID of the gateway or the uid of an integration.
    """
    all_of_them = gateways(organization)
    if not all_of_them:
        return NONE
    named = [one for one in all_of_them if device in _names(one)]
    if device and not named:
        return Refused(
            Refusal.NOT_FOUND,
            f"There is no device “{device}” in your organization.",
        )
    known = _knowing(all_of_them, message_ids)
    knowing = [one for one in all_of_them if one.pk in known]
    if len(knowing) > 1 and device:
        knowing = [one for one in knowing if one in named]
    for candidates in (knowing, named, all_of_them):
        if len(candidates) == 1:
            return candidates[0]
        if candidates and candidates is knowing:
            return Refused(
                Refusal.INVALID,
                "These messages came to different devices. Ask for those of each device"
                f" by themselves, or name one as device_id: {_list(knowing)}.",
            )
    return Refused(
        Refusal.INVALID,
        "Your organization has several devices and none of them knows this message."
        f" Name one as device_id: {_list(named or all_of_them)}.",
    )


def _knowing(found: Sequence[Integration], message_ids: Sequence[str]) -> set[int]:
    """Return the devices that a message came to; a mere request counts for nothing."""
    known = InboundMessage.objects.filter(
        integration__in=found, message_id__in=message_ids, heard_at__isnull=False
    )
    return set(known.values_list("integration_id", flat=True).distinct())


def _names(integration: Integration) -> set[str]:
    return {str(integration.settings.get("device_id") or ""), str(integration.uid)}


def _list(found: Sequence[Integration]) -> str:
    named = (
        f"{one.settings.get('device_id') or one.uid} ({one.name})" for one in found[:5]
    )
    return ", ".join(named)
