"""One account at one provider on one channel."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from messaging.channels import PROVIDERS, provider
from messaging.channels.contract import Account, Provider
from messaging.models.contact import channel_choices
from messaging.models.encryption import decrypt, encrypt
from messaging.models.organization import Organization


def kind_choices() -> list[tuple[str, str]]:
    """Return the providers there are, so that adding one needs no migration."""
    return [(kind, entry.name) for kind, entry in PROVIDERS.items()]


class IntegrationState(models.TextChoices):
    ACTIVE = "active", "Active"
    PAUSED = "paused", "Paused: its queue is kept"
    OFF = "off", "Switched off: its messages are skipped"


class Integration(models.Model):
    """Credentials, health and rate of one sender.

    The credentials are encrypted at rest with the keys in ``CREDENTIAL_KEYS``;
    read and write them through :attr:`credentials`.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="integrations"
    )
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=30, choices=kind_choices)
    channel = models.CharField(max_length=10, choices=channel_choices, editable=False)
    settings = models.JSONField(default=dict, blank=True)
    encrypted_credentials = models.TextField(default="", blank=True, editable=False)
    state = models.CharField(
        max_length=10,
        choices=IntegrationState.choices,
        default=IntegrationState.ACTIVE,
    )
    state_reason = models.CharField(max_length=300, blank=True, default="")
    state_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="When it was last paused or resumed by the engine or a page.",
    )
    rate_per_second = models.FloatField(
        default=10, validators=[MinValueValidator(0.01)]
    )
    credit_price = models.PositiveSmallIntegerField(
        default=1, help_text="Credits for one delivered message; 0 means free."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["channel", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "name"], name="integration_name_once"
            ),
            models.CheckConstraint(
                condition=Q(rate_per_second__gt=0), name="integration_rate_positive"
            ),
            models.CheckConstraint(
                condition=Q(state__in=IntegrationState.values),
                name="integration_state_known",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.channel = self.provider.channel.value
        super().save(*args, **kwargs)

    @property
    def provider(self) -> Provider:
        return provider(self.kind)

    @property
    def credentials(self) -> dict[str, str]:
        """The secrets in the clear. Never log them, never put them on a page."""
        if not self.encrypted_credentials:
            return {}
        values: dict[str, str] = json.loads(decrypt(self.encrypted_credentials))
        return values

    @credentials.setter
    def credentials(self, values: dict[str, str]) -> None:
        self.encrypted_credentials = encrypt(json.dumps(values))

    @property
    def hook_url(self) -> str:
        """The address that the provider must be told for its receipts."""
        return f"{settings.PUBLIC_URL}/hooks/{self.uid}"

    @property
    def account(self) -> Account:
        """What the channel needs to send and to understand receipts."""
        return Account(
            uid=str(self.uid),
            credentials=self.credentials,
            settings=self.settings,
            hook_url=self.hook_url,
        )


class IntegrationPace(models.Model):
    """The part of an integration that changes with every chunk.

    ``paid_until`` is the theoretical arrival time of the generic cell rate
    algorithm: how far into the future the messages already claimed have used up
    the rate. The lease keeps a second pump from starting beside a living one;
    it saves work and guards nothing.
    """

    integration = models.OneToOneField(
        Integration, on_delete=models.CASCADE, primary_key=True, related_name="pace"
    )
    paid_until = models.DateTimeField(null=True)
    paused_until = models.DateTimeField(
        null=True, help_text="The provider asked for silence until then."
    )
    lease_holder = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(lease_holder__isnull=True, lease_until__isnull=True)
                | Q(lease_holder__isnull=False, lease_until__isnull=False),
                name="pace_lease_whole",
            )
        ]

    def __str__(self) -> str:
        return f"Pace of {self.integration}"
