"""Where other programs want to be told, what about, and how that goes."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from messaging.models.encryption import decrypt, encrypt
from messaging.models.organization import Organization


class WebhookType(models.TextChoices):
    """What an endpoint can choose to be told; the test comes when asked for."""

    MESSAGE_SENT = "message.sent", "A provider accepted a message"
    MESSAGE_DELIVERED = "message.delivered", "A message arrived"
    MESSAGE_FAILED = "message.failed", "A message failed"
    MESSAGE_UNKNOWN = "message.unknown", "Unclear whether a message left"
    MESSAGE_RESENT = "message.resent", "A message is to be sent again"
    BROADCAST_SCHEDULED = "broadcast.scheduled", "A broadcast got its time"
    BROADCAST_STARTED = "broadcast.started", "A broadcast began to send"
    BROADCAST_COMPLETED = "broadcast.completed", "A broadcast has tried everybody"
    BROADCAST_CANCELLED = "broadcast.cancelled", "A person stopped a broadcast"
    BROADCAST_FAILED = "broadcast.failed", "A broadcast could not run"
    INTEGRATION_PAUSED = "integration.paused", "An integration was paused"
    RETRANSMISSION_RECOVERED = "retransmission.recovered", "A message can be read"
    TEST = "webhook.test", "A test from the page of the endpoint"


def type_choices() -> list[tuple[str, str]]:
    """Return the events there are, so that adding one needs no migration."""
    return WebhookType.choices


CHOSEN_TYPES = tuple(one for one in WebhookType if one is not WebhookType.TEST)
FREQUENT_TYPES = (WebhookType.MESSAGE_SENT, WebhookType.MESSAGE_DELIVERED)
"""Nearly all of a log; whatever else is looked for has an index of its own."""


class EndpointState(models.TextChoices):
    ON = "on", "On"
    OFF = "off", "Off"


class OffReason(models.TextChoices):
    PERSON = "person", "Switched off by a person"
    FAILING = "failing", "Switched off after five days of failure"
    GONE = "gone", "Switched off because it answered “410 Gone”"


class WebhookEndpoint(models.Model):
    """One address of one organization, and the events it is told about.

    A removed endpoint is told nothing and shown to nobody; its log goes in
    batches, and the row after it.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="webhook_endpoints"
    )
    name = models.CharField(max_length=100, help_text="What it is for.")
    url = models.URLField(max_length=500, verbose_name="address")
    events: ArrayField[list[str], list[str]] = ArrayField(
        models.CharField(max_length=40), size=len(CHOSEN_TYPES)
    )
    state = models.CharField(
        max_length=3, choices=EndpointState.choices, default=EndpointState.ON
    )
    off_reason = models.CharField(
        max_length=10, choices=OffReason.choices, blank=True, default=""
    )
    off_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    created_by_name = models.CharField(max_length=150, blank=True, default="")
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "webhook endpoint"
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "name"],
                condition=Q(removed_at__isnull=True),
                name="webhook_endpoint_name_once",
            ),
            models.CheckConstraint(
                condition=Q(state="on", off_reason="", off_at__isnull=True)
                | Q(state="off", off_at__isnull=False) & ~Q(off_reason=""),
                name="webhook_endpoint_off_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(removed_at__isnull=True) | Q(state="off"),
                name="webhook_endpoint_removed_is_off",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization"],
                condition=Q(state="on"),
                name="webhook_endpoint_on",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_on(self) -> bool:
        return self.state == EndpointState.ON

    @property
    def is_off_by_itself(self) -> bool:
        """Whether it was we who switched it off."""
        return self.off_reason in {OffReason.FAILING, OffReason.GONE}


class WebhookSecret(models.Model):
    """What deliveries of one endpoint are signed with; encrypted at rest.

    While a secret is replaced, both sign, until the old one expires.
    """

    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.CASCADE, related_name="secrets"
    )
    encrypted = models.TextField(editable=False)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(
        null=True, blank=True, help_text="Signs no more from then on."
    )

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint"],
                condition=Q(expires_at__isnull=True),
                name="webhook_secret_one_lasts",
            )
        ]

    def __str__(self) -> str:
        return f"Secret of {self.endpoint}"

    @property
    def text(self) -> str:
        return decrypt(self.encrypted)

    @text.setter
    def text(self, secret: str) -> None:
        self.encrypted = encrypt(secret)


class WebhookHealth(models.Model):
    """How the latest deliveries of an endpoint went.

    Apart from the endpoint, whose row every change of a message reads.
    """

    endpoint = models.OneToOneField(
        WebhookEndpoint,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="health",
    )
    delivered_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(
        null=True, blank=True, help_text="Nothing was delivered since."
    )
    last_status = models.PositiveSmallIntegerField(null=True, blank=True)
    last_error = models.CharField(max_length=20, blank=True, default="", db_default="")
    paused_until = models.DateTimeField(
        null=True, blank=True, help_text="It asked to be left alone until then."
    )

    class Meta:
        verbose_name = "webhook health"
        verbose_name_plural = "webhook health"

    def __str__(self) -> str:
        return f"Health of {self.endpoint}"
