"""How the phones of an organization are, and whether anything waits for one of them."""

from __future__ import annotations

from dataclasses import dataclass

from messaging.devices.checking import KIND, health_of
from messaging.models import (
    DeviceHealth,
    InboundMessage,
    InboundState,
    Integration,
    IntegrationState,
    Message,
    MessageState,
    Organization,
    Priority,
)


@dataclass(frozen=True, slots=True)
class Phone:
    """One device that is not switched off; ``health`` once anything is known of it."""

    integration: Integration
    health: DeviceHealth | None

    @property
    def is_ready(self) -> bool:
        return self.health is None or self.health.is_ready


def phones(organization: Organization) -> list[Phone]:
    """Return the phones of an organization, those that are not ready first."""
    own = (
        Integration.objects.filter(organization=organization, kind=KIND)
        .exclude(state=IntegrationState.OFF)
        .select_related("device")
        .order_by("name", "pk")
    )
    found = [Phone(one, health_of(one)) for one in own]
    return sorted(found, key=lambda one: one.is_ready)


def queue_waits(integration: Integration) -> bool:
    """Tell whether messages wait to be sent by a phone: a probe per priority."""
    return any(
        Message.objects.filter(
            integration=integration, state=MessageState.QUEUED, priority=priority
        )
        .order_by("due_at", "id")
        .values_list("pk", flat=True)
        .first()
        is not None
        for priority in Priority
    )


def unreadable_waits(organization: Organization) -> set[int]:
    """Return the devices of the newest messages that wait to be asked for."""
    newest = (
        InboundMessage.objects.filter(
            organization=organization, state=InboundState.WAITING
        )
        .order_by("-id")
        .values_list("integration_id", flat=True)[:100]
    )
    return set(newest)
