"""Tokens that open one member's communication inside another product.

Whoever shows the tab asks for a token on their server and puts it into the address
of a frame. The token is the whole proof: no log-in, no cookie. It names one member,
says whether messages may be sent again, and is good for minutes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils import timezone

from messaging.models import ApiClient, Organization

SALT: Final = "messaging.embed"
MINUTES: Final = 10
MOST_MINUTES: Final = 60
LONGEST_NAME: Final = 60
LONGEST_TOKEN: Final = 2_000


class Access(StrEnum):
    READ = "read"
    WRITE = "write"
    """Also sends messages again."""


class TokenError(Exception):
    """The token opens nothing: forged, expired, or of somebody else."""

    def __init__(self, *, expired: bool = False) -> None:
        super().__init__("expired" if expired else "not valid")
        self.expired = expired


class NotAllowed(Exception):  # noqa: N818 - it is an answer
    """An API client asked for more than it may do itself."""


@dataclass(frozen=True, slots=True)
class Pass:
    """What a token says. ``person`` works in ``host``, the other product."""

    organization_id: int
    external_id: str
    access: Access
    person: str = ""
    host: str = ""
    expires_at: datetime | None = None

    @property
    def may_write(self) -> bool:
        return self.access is Access.WRITE

    @property
    def asked_by(self) -> str:
        """Who sends again, for the record: “Ama Owusu in CareDesk”."""
        return f"{self.person or 'Somebody'} in {self.host or 'another product'}"


def make_token(
    organization: Organization,
    external_id: str,
    *,
    access: Access = Access.READ,
    minutes: int = MINUTES,
    person: str = "",
    host: str = "",
) -> str:
    """Return a token for the communication of one member.

    ``person`` is who looks at it, ``host`` the product they look from; both stand
    on what is sent again. Raises ``ValueError`` when it is to live for too long.
    """
    if not 1 <= minutes <= MOST_MINUTES:
        message = f"A token lives between 1 and {MOST_MINUTES} minutes."
        raise ValueError(message)
    claims = {
        "o": organization.pk,
        "m": external_id,
        "a": access.value,
        "p": person[:LONGEST_NAME],
        "h": host[:LONGEST_NAME],
        "e": int(timezone.now().timestamp()) + minutes * 60,
    }
    return signing.dumps(claims, salt=SALT, compress=True)


def token_for_client(
    client: ApiClient,
    external_id: str,
    *,
    access: Access = Access.READ,
    minutes: int = MINUTES,
    person: str = "",
) -> str:
    """Return a token on behalf of an API client, which cannot give what it has not.

    Raises :class:`NotAllowed` unless the client may do itself what the token allows.
    """
    allowed = client.may_write if access is Access.WRITE else client.may_read
    if client.is_revoked or not allowed:
        message = f"{client} has no {access.value} access to communications."
        raise NotAllowed(message)
    return make_token(
        client.organization,
        external_id,
        access=access,
        minutes=minutes,
        person=person,
        host=client.name,
    )


def read_token(token: str, external_id: str) -> Pass:
    """Return what the token says, if it is ours, in time, and about this member.

    Raises :class:`TokenError` otherwise, with no word about why but the time.
    """
    if not token or len(token) > LONGEST_TOKEN:
        raise TokenError
    try:
        claims: dict[str, Any] = signing.loads(
            token, salt=SALT, max_age=MOST_MINUTES * 60
        )
        found = Pass(
            organization_id=claims["o"],
            external_id=claims["m"],
            access=Access(claims["a"]),
            person=claims["p"],
            host=claims["h"],
            expires_at=datetime.fromtimestamp(claims["e"], UTC),
        )
    except signing.SignatureExpired as error:
        raise TokenError(expired=True) from error
    except (signing.BadSignature, KeyError, TypeError, ValueError) as error:
        raise TokenError from error
    if found.external_id != external_id:
        raise TokenError
    if found.expires_at is None or timezone.now() >= found.expires_at:
        raise TokenError(expired=True)
    return found


def address(token: str, external_id: str) -> str:
    """Return the address for the frame."""
    path = reverse(
        "messaging:embedded-communications", kwargs={"external_id": external_id}
    )
    return f"{settings.PUBLIC_URL}{path}?{urlencode({'token': token})}"
