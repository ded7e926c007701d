"""Who asks, and what a field may do in their name."""

from __future__ import annotations

from dataclasses import dataclass

import strawberry
from django.http import HttpRequest

from broadcasts import access
from broadcasts.models import Broadcast
from broadcasts.problems import Problem, ProblemCode, not_found
from messaging.access import LARGEST_ID
from messaging.api.auth import refuse_scope_to_read
from messaging.models import ApiClient, Organization, User


@dataclass(frozen=True, slots=True)
class Caller:
    """A person who is signed in, or a program: one of the two."""

    request: HttpRequest
    organization: Organization
    person: User | None = None
    client: ApiClient | None = None

    @property
    def name(self) -> str:
        if self.person is not None:
            return self.person.get_full_name() or self.person.username
        return self.client.name if self.client else ""

    @property
    def may_write(self) -> bool:
        who = self.person or self.client
        return who is not None and who.may_write

    def require_writer(self) -> None:
        """Refuse whoever only reads; a token given for reading counts as that."""
        access.require_writer(self.person, self.organization.pk)
        if self.client is None:
            return
        if not self.client.may_write:
            raise Problem(
                ProblemCode.FORBIDDEN,
                "This client has no write access to Communication."
                " Ask an admin of your organization for it.",
            )
        refuse_scope_to_read(self.request)

    def broadcast(self, broadcast_id: str) -> Broadcast:
        """Return one of the caller's own, or refuse with NOT_FOUND."""
        return access.find(
            organization=self.organization,
            broadcast_id=number(broadcast_id, "broadcast"),
        )


Info = strawberry.Info[Caller, None]


def number(typed: str, what: str) -> int:
    """Return an id as the database has it; no such id, no such row."""
    if not (typed.isascii() and typed.isdigit()) or len(typed) > 19:
        raise not_found(what)
    found = int(typed)
    if found > LARGEST_ID:
        raise not_found(what)
    return found
