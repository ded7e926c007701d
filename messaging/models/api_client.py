"""A program that speaks to us: what it may do, how fast, and what it was told."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from messaging.models.organization import Organization
from messaging.models.rights import READERS, WRITERS, HoldsRights

KEY_PATTERN = r"[A-Za-z0-9._-]{1,64}"


class ApiAccess(models.TextChoices):
    """What a client may do with communications; each includes the one before."""

    NONE = "none", "None"
    READ = "read", "Read: asks for the state of messages"
    WRITE = "write", "Write: also sends and sends again"


GROUPS_OF_ACCESS: dict[str, tuple[str, ...]] = {
    ApiAccess.NONE: (),
    ApiAccess.READ: (READERS,),
    ApiAccess.WRITE: (WRITERS,),
}


class ApiClient(HoldsRights, models.Model):
    """One program of one organization, with a key that is public and a secret.

    The same pair serves Basic and, through ``application``, the client
    credentials of OAuth 2. The secret is kept as an HMAC-SHA256, not as a
    password: it is 256 random bits, which nobody finds by trying however fast
    the hash is, and every single request has to pay for it.

    Beside the pair it may have one bearer token, a UUID of version 4 with 122
    random bits. It says who is calling all by itself, so it is looked up by its
    hash; the hash alone opens nothing.

    Whatever is rotated goes on working beside the new one for a while, so that a
    program can change over without an outage; the former hash and its end say so.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="api_clients"
    )
    application = models.OneToOneField(
        settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
        on_delete=models.PROTECT,
        editable=False,
        related_name="api_client",
        help_text="What OAuth knows of this client, but for the secret.",
    )
    name = models.CharField(max_length=100, help_text="Stands on what it sends.")
    key = models.CharField(
        max_length=64,
        unique=True,
        editable=False,
        validators=[RegexValidator(rf"\A{KEY_PATTERN}\Z")],
    )
    secret_hash = models.CharField(max_length=64, editable=False)
    bearer_hash = models.CharField(
        max_length=64, unique=True, null=True, blank=True, editable=False
    )
    former_secret_hash = models.CharField(
        max_length=64, blank=True, default="", db_default="", editable=False
    )
    former_secret_until = models.DateTimeField(
        "former secret works until", null=True, blank=True, editable=False
    )
    former_bearer_hash = models.CharField(
        max_length=64, unique=True, null=True, blank=True, editable=False
    )
    former_bearer_until = models.DateTimeField(
        "former bearer token works until", null=True, blank=True, editable=False
    )
    bearer_changed_at = models.DateTimeField(
        "bearer token changed at",
        null=True,
        blank=True,
        editable=False,
        help_text="When it was made, replaced or removed last.",
    )
    access = models.CharField(
        max_length=5,
        choices=ApiAccess.choices,
        default=ApiAccess.READ,
        verbose_name="communication access",
    )
    requests_per_minute = models.PositiveIntegerField(
        default=600,
        validators=[MinValueValidator(1)],
        help_text="Further requests are asked to come back later.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    rotated_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="To the minute."
    )

    class Meta:
        verbose_name = "API client"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "name"], name="api_client_name_once"
            ),
            models.CheckConstraint(
                condition=Q(access__in=ApiAccess.values), name="api_client_access_known"
            ),
            models.CheckConstraint(
                condition=Q(requests_per_minute__gt=0), name="api_client_rate_positive"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_revoked(self) -> bool:
        return self.revoked_at is not None

    @property
    def has_bearer(self) -> bool:
        return self.bearer_hash is not None

    @property
    def groups_of_access(self) -> tuple[str, ...]:
        return GROUPS_OF_ACCESS.get(self.access, ())

    @property
    def is_let_in(self) -> bool:
        return not self.is_revoked

    def hash_of(self, secret: str) -> str:
        """Return what is kept of a secret: an HMAC-SHA256 keyed by the key.

        It does not depend on ``SECRET_KEY``, so that one can be rotated alone.
        """
        mac = salted_hmac(
            "messaging.api_client", secret, secret=self.key, algorithm="sha256"
        )
        return mac.hexdigest()

    def has_secret(self, secret: str) -> bool:
        """Tell in constant time whether this is a secret of the client that works."""
        given = self.hash_of(secret)
        is_present = constant_time_compare(given, self.secret_hash)
        is_former = constant_time_compare(given, self.former_secret_hash)
        return is_present or (is_former and _works(self.former_secret_until))


def _works(until: datetime | None) -> bool:
    return until is not None and until > timezone.now()


class ApiClientPace(models.Model):
    """How far a client has used up its requests per minute.

    A generic cell rate algorithm on one timestamp, as for integrations; apart
    from the client, whose row is read with every request and hardly ever written.
    """

    client = models.OneToOneField(
        ApiClient, on_delete=models.CASCADE, primary_key=True, related_name="pace"
    )
    paid_until = models.DateTimeField()

    class Meta:
        verbose_name = "pace of an API client"
        verbose_name_plural = "paces of API clients"

    def __str__(self) -> str:
        return f"Pace of {self.client}"


class KeptAnswer(models.Model):
    """The first answer under an ``Idempotency-Key``; while it is made, none.

    The row is inserted before anything is done, so of two requests with the
    same key one does the work. ``request_hash`` tells the same request from
    another one under the same key.
    """

    client = models.ForeignKey(
        ApiClient,
        on_delete=models.CASCADE,
        db_index=False,
        related_name="kept_answers",
    )
    key = models.CharField(max_length=255)
    request_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField(db_default=Now())
    status = models.PositiveSmallIntegerField(null=True)
    body = models.TextField(default="", db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["client", "key"], name="kept_answer_once_per_key"
            )
        ]
        indexes = [models.Index(fields=["created_at"], name="kept_answer_by_age")]

    def __str__(self) -> str:
        return f"Answer to {self.key}"
