"""Who is calling, whether they may, and whether they call too often."""

from __future__ import annotations

import binascii
import hashlib
from base64 import b64decode

from django.http import HttpRequest
from ninja.security.base import AuthBase
from oauth2_provider.models import AccessToken

from messaging import api_clients
from messaging.access import may
from messaging.api.problems import Problem
from messaging.models import ApiClient, Right


class _Auth(AuthBase):
    """Recognises a client by the header ``Authorization``.

    ``write`` tells whether the door behind it sends something.
    """

    scheme: str
    may_be_bare = False
    """Whether the credentials may stand there without the name of the scheme."""

    def __init__(self, *, write: bool) -> None:
        self.write = write
        super().__init__()

    def __call__(self, request: HttpRequest) -> ApiClient | None:
        given = request.headers.get("Authorization", "").strip()
        scheme, space, credentials = given.partition(" ")
        if not space and self.may_be_bare:
            scheme, credentials = self.scheme, given
        if scheme.lower() != self.scheme:
            return None
        client = self.recognise(credentials.strip())
        if client is not None:
            _let_in(client, write=self.write)
        return client

    def recognise(self, credentials: str) -> ApiClient | None:
        raise NotImplementedError


class ApiKey(_Auth):
    """Basic: ``base64(key:secret)``."""

    openapi_type = "http"
    openapi_scheme = "basic"
    openapi_description = "`Authorization: Basic base64(key:secret)` of an API client."
    scheme = "basic"

    def recognise(self, credentials: str) -> ApiClient | None:
        try:
            key, colon, secret = (
                b64decode(credentials, validate=True).decode("utf-8").partition(":")
            )
        except (binascii.Error, ValueError):
            return None
        return api_clients.with_secret(key, secret) if colon else None


class OAuth2(_Auth):
    """A bearer token from ``/oauth/token``, by client credentials."""

    openapi_type = "oauth2"
    openapi_flows = {
        "clientCredentials": {
            "tokenUrl": "/oauth/token",
            "scopes": {
                api_clients.READ_SCOPE: "Ask for the state of messages.",
                api_clients.WRITE_SCOPE: "Send messages, and send them again.",
            },
        }
    }
    scheme = "bearer"

    def recognise(self, credentials: str) -> ApiClient | None:
        """Return the client of a living token; writing includes reading."""
        token = (
            AccessToken.objects.select_related("application__api_client__organization")
            .filter(token_checksum=hashlib.sha256(credentials.encode()).hexdigest())
            .first()
        )
        if token is None or token.is_expired() or token.application is None:
            return None
        client: ApiClient | None = getattr(token.application, "api_client", None)
        if client is None or client.is_revoked:
            return None
        scopes = set(token.scope.split())
        needed = api_clients.WRITE_SCOPE if self.write else api_clients.READ_SCOPE
        if not scopes & {needed, api_clients.WRITE_SCOPE}:
            message = f"The token was not given the scope {needed}."
            raise Problem(403, "insufficient_scope", message)
        return client


class Bearer(_Auth):
    """A bearer token that does not expire: a UUID of version 4."""

    openapi_type = "http"
    openapi_scheme = "bearer"
    openapi_bearerFormat = "UUID v4"  # noqa: N815 - OpenAPI spells it like this
    openapi_description = (
        "`Authorization: Bearer <UUID v4>` of an API client. It does not expire and"
        " has all of the client's access."
    )
    scheme = "bearer"
    # As WUTS has it: "bare token accepted".
    may_be_bare = True

    def recognise(self, credentials: str) -> ApiClient | None:
        return api_clients.with_bearer(credentials)


def client_of(request: HttpRequest) -> ApiClient:
    """Return who is calling. Only behind :func:`readers` or :func:`writers`."""
    client = getattr(request, "auth", None)
    if not isinstance(client, ApiClient):
        message = "This door has no lock, so there is no client to return."
        raise TypeError(message)
    return client


def readers() -> list[_Auth]:
    """Return the locks of a door that only tells something."""
    return [ApiKey(write=False), Bearer(write=False), OAuth2(write=False)]


def writers() -> list[_Auth]:
    """Return the locks of a door that sends something."""
    return [ApiKey(write=True), Bearer(write=True), OAuth2(write=True)]


def refuse_scope_to_read(request: HttpRequest) -> None:
    """Raise a :class:`Problem` for a bearer token that was given for reading only.

    For a door whose lock is for readers, before it lends somebody a writer's hand.
    """
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == OAuth2.scheme:
        OAuth2(write=True).recognise(credentials.strip())


def _let_in(client: ApiClient, *, write: bool) -> None:
    """Raise a :class:`Problem` if the client comes too often, or may not."""
    wait = api_clients.seconds_to_wait(client)
    if wait:
        raise Problem(
            429,
            "rate_limited",
            f"This client may make {client.requests_per_minute} requests a minute."
            " Wait for as many seconds as Retry-After says.",
            retry_after=wait,
        )
    api_clients.note_use(client)
    right = Right.WRITE if write else Right.READ
    if not may(client, right, client.organization_id):
        needed = "write" if write else "read"
        raise Problem(
            403,
            "access_denied",
            f"This client has no {needed} access to Communication."
            " Ask an admin of your organization for it.",
        )
