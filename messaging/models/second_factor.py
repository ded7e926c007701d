"""The second step of a log-in: codes of an app, and codes on paper."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from messaging.models.encryption import decrypt, encrypt


class SecondFactor(models.Model):
    """An authenticator app that a person has set up, or is about to.

    ``last_step`` is the time step of the newest code that was taken: that code and
    all before it are void.
    """

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="second_factor",
    )
    sealed_secret = models.TextField(editable=False)
    created_at = models.DateTimeField(db_default=Now())
    confirmed_at = models.DateTimeField(
        null=True, blank=True, help_text="From then on a log-in asks for a code."
    )
    last_step = models.BigIntegerField(default=-1, editable=False)

    def __str__(self) -> str:
        return f"Second factor of {self.person}"

    @property
    def secret(self) -> bytes:
        return bytes.fromhex(decrypt(self.sealed_secret))

    @secret.setter
    def secret(self, value: bytes) -> None:
        self.sealed_secret = encrypt(value.hex())


class RecoveryCode(models.Model):
    """One way in without the app, once. Kept as a hash."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    code_hash = models.CharField(max_length=64, editable=False)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "code_hash"], name="recovery_code_once"
            )
        ]

    def __str__(self) -> str:
        return f"Recovery code of {self.person}"


class SignInPace(models.Model):
    """How far an account, or an address, has used up its wrong tries.

    A generic cell rate algorithm on one timestamp. ``key`` is a hash, because
    people type their passwords into the field for their name.
    """

    key = models.CharField(max_length=64, primary_key=True)
    paid_until = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"Pace {self.key[:8]}"
