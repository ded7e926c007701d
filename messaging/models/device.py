"""How the phone behind a device gateway is, as far as anybody knows."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from messaging.models.integration import Integration


class DeviceState(models.TextChoices):
    CONNECTED = "connected", "Connected"
    DISCONNECTED = "disconnected", "Not connected"
    LOGGED_OUT = "logged_out", "Not linked"
    NO_DEVICE = "no_device", "Unknown to the gateway"
    REFUSED = "refused", "Token refused"
    SILENT = "silent", "Gateway does not answer"
    UNCLEAR = "unclear", "Not known"


class DeviceHealth(models.Model):
    """The last word about one phone: from the gateway's answer, or an event of it.

    ``since`` is when the state began, as far as anybody knows; ``known_at`` is the
    moment that the last word speaks of, so that an older one changes nothing.
    ``checked_at`` is when the gateway was asked last. ``detail`` is what the gateway
    said, if it said no.
    """

    integration = models.OneToOneField(
        Integration, on_delete=models.CASCADE, primary_key=True, related_name="device"
    )
    state = models.CharField(max_length=12, choices=DeviceState.choices)
    since = models.DateTimeField()
    known_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True, blank=True)
    phone = models.CharField(max_length=20, blank=True, default="")
    detail = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        verbose_name_plural = "device health"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=DeviceState.values), name="device_state_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()}: {self.integration}"

    @property
    def is_ready(self) -> bool:
        return self.state == DeviceState.CONNECTED
