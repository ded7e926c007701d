"""API clients: made, rotated, revoked, recognised, and slowed down."""

from __future__ import annotations

import hashlib
import re
import secrets
import uuid
from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone
from django.utils.crypto import get_random_string
from oauth2_provider.models import AccessToken, Application

from messaging.models import ApiAccess, ApiClient, Organization
from messaging.models.api_client import KEY_PATTERN

READ_SCOPE = "communication.read"
WRITE_SCOPE = "communication.write"
OVERLAP = timedelta(hours=24)
"""How long what was rotated goes on working beside its successor."""
LAST_USED_EVERY = timedelta(minutes=1)
_KEY = re.compile(KEY_PATTERN)
_UUID_4 = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
)
_LOWER_CASE = "abcdefghijklmnopqrstuvwxyz0123456789"


@transaction.atomic
def create(
    *,
    organization: Organization,
    name: str,
    access: str = ApiAccess.READ,
    requests_per_minute: int = 600,
    key: str = "",
    secret: str = "",
) -> tuple[ApiClient, str]:
    """Make a client; return it with its secret, which nobody can read again."""
    key = key or f"rak_{get_random_string(20, _LOWER_CASE)}"
    application = Application.objects.create(
        client_id=key,
        # Never asked for, so that the secret stands in one place: as our hash.
        client_secret=f"!{new_secret()}",
        hash_client_secret=False,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
        name=f"{organization}: {name}"[:255],
    )
    client = ApiClient(
        organization=organization,
        application=application,
        name=name,
        key=key,
        access=access,
        requests_per_minute=requests_per_minute,
    )
    secret = secret or new_secret()
    client.secret_hash = client.hash_of(secret)
    client.save()
    return client, secret


@transaction.atomic
def rotate(client: ApiClient, *, at_once: bool = False) -> str:
    """Give the client another secret and return it.

    The present one, and the tokens that are given for it, go on working for
    :data:`OVERLAP`; or, because somebody else may have it, stop ``at_once``.
    """
    _lock(client)
    secret = new_secret()
    client.former_secret_hash = "" if at_once else client.secret_hash
    client.former_secret_until = None if at_once else timezone.now() + OVERLAP
    client.secret_hash = client.hash_of(secret)
    client.rotated_at = timezone.now()
    client.save(
        update_fields=[
            "secret_hash",
            "former_secret_hash",
            "former_secret_until",
            "rotated_at",
        ]
    )
    if at_once:
        AccessToken.objects.filter(application=client.application_id).delete()
    return secret


def _lock(client: ApiClient) -> None:
    """Hold a client, with its hashes as they are now: of two who rotate at the same
    time the second one makes a former one of what the first one made."""
    client.refresh_from_db(
        fields=["secret_hash", "bearer_hash"],
        from_queryset=ApiClient.objects.select_for_update(no_key=True),
    )


@transaction.atomic
def revoke(client: ApiClient) -> None:
    """Shut the client out for good. It stays on record for what it has sent."""
    client.revoked_at = timezone.now()
    client.save(update_fields=["revoked_at"])
    AccessToken.objects.filter(application=client.application_id).delete()


def with_secret(key: str, secret: str) -> ApiClient | None:
    """Return the client whose key and secret these are, unless it is revoked."""
    if not _KEY.fullmatch(key):
        return None
    client = (
        ApiClient.objects.select_related("organization")
        .filter(key=key, revoked_at=None)
        .first()
    )
    if client is None or not client.has_secret(secret):
        return None
    return client


@transaction.atomic
def rotate_bearer(client: ApiClient, token: str = "", *, at_once: bool = False) -> str:
    """Give the client a bearer token, its first or another one, and return it.

    The present one goes on working for :data:`OVERLAP`, or stops ``at_once``; the
    secret stays. Raises :class:`ValueError` for a ``token`` that is no UUID of
    version 4.
    """
    token = token.lower() or str(uuid.uuid4())
    if not _UUID_4.fullmatch(token):
        message = "A bearer token is a UUID of version 4."
        raise ValueError(message)
    _lock(client)
    hashed = _hash_of_bearer(token)
    former = None if at_once or client.bearer_hash == hashed else client.bearer_hash
    _keep_bearer(client, hashed, former)
    return token


@transaction.atomic
def remove_bearer(client: ApiClient) -> None:
    """Leave the client with its key and secret alone."""
    _keep_bearer(client, None, None)


def with_bearer(token: str) -> ApiClient | None:
    """Return the client whose bearer token this is, unless it is revoked.

    Whatever is no UUID of version 4 is nobody's. What is compared are hashes, by
    the index, so that how long it takes tells nothing about the token.
    """
    token = token.lower()
    if not _UUID_4.fullmatch(token):
        return None
    hashed = _hash_of_bearer(token)
    living = ApiClient.objects.select_related("organization").filter(revoked_at=None)
    present = living.filter(bearer_hash=hashed).first()
    if present is not None:
        return present
    return living.filter(
        former_bearer_hash=hashed, former_bearer_until__gt=timezone.now()
    ).first()


def prune_tokens() -> int:
    """Remove the tokens that have expired; return how many there were."""
    return int(AccessToken.objects.filter(expires__lt=timezone.now()).delete()[0])


def new_secret() -> str:
    """Return 256 random bits, as text that survives every configuration file."""
    return secrets.token_urlsafe(32)


def scopes_of(client: ApiClient) -> list[str]:
    """Return the OAuth scopes that the client may ask for."""
    scopes = [READ_SCOPE] if client.may_read else []
    return [*scopes, WRITE_SCOPE] if client.may_write else scopes


def note_use(client: ApiClient) -> None:
    """Remember when the client was last here; one write a minute is enough."""
    now = timezone.now()
    if client.last_used_at is None or client.last_used_at < now - LAST_USED_EVERY:
        ApiClient.objects.filter(pk=client.pk).update(last_used_at=now)


def seconds_to_wait(client: ApiClient) -> float:
    """Count one request; return 0, or after how many seconds it may come again.

    A minute's worth may come at once, and after that as many as the rate allows.
    What is refused costs nothing. One statement, so any number of processes
    share the limit through PostgreSQL alone.
    """
    values = {"client_id": client.pk, "share": 60 / client.requests_per_minute}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO messaging_apiclientpace AS pace (client_id, paid_until)
            VALUES (%(client_id)s, clock_timestamp() + %(share)s * interval '1 second')
            ON CONFLICT (client_id) DO UPDATE
            SET paid_until = greatest(pace.paid_until, clock_timestamp())
                + %(share)s * interval '1 second'
            WHERE greatest(pace.paid_until, clock_timestamp())
                + %(share)s * interval '1 second'
                <= clock_timestamp() + interval '1 minute 1 millisecond'
            RETURNING 0
            """,
            values,
        )
        if cursor.fetchone() is not None:
            return 0.0
        cursor.execute(
            "SELECT extract(epoch FROM paid_until - clock_timestamp()) + %(share)s - 60"
            " FROM messaging_apiclientpace WHERE client_id = %(client_id)s",
            values,
        )
        row = cursor.fetchone()
    return max(float(row[0]), 0.001) if row else 0.001


def _hash_of_bearer(token: str) -> str:
    return hashlib.sha256(f"messaging.bearer:{token}".encode()).hexdigest()


def _keep_bearer(client: ApiClient, hashed: str | None, former: str | None) -> None:
    now = timezone.now()
    client.bearer_hash, client.bearer_changed_at = hashed, now
    client.former_bearer_hash = former
    client.former_bearer_until = now + OVERLAP if former else None
    client.save(
        update_fields=[
            "bearer_hash",
            "bearer_changed_at",
            "former_bearer_hash",
            "former_bearer_until",
        ]
    )
