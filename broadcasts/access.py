"""Who may do what to which broadcast. Every service that writes asks here."""

from __future__ import annotations

from broadcasts.models import Broadcast
from broadcasts.problems import Problem, ProblemCode, not_found
from messaging.access import may
from messaging.models import Organization, Right, User


def find(*, organization: Organization, broadcast_id: int) -> Broadcast:
    """Return a broadcast of this organization, or refuse with NOT_FOUND."""
    found = (
        Broadcast.objects.select_related("organization", "flow", "retry_of", "root")
        .filter(organization=organization, pk=broadcast_id)
        .first()
    )
    if found is None:
        raise not_found("broadcast")
    return found


def require_writer(person: User | None, organization_id: int) -> None:
    """Refuse whoever may not write here.

    ``None`` stands for an API client, whose rights its own door has checked.
    An operator of the server belongs to no organization and works in all.
    """
    if person is None or (person.is_superuser and person.organization_id is None):
        return
    if person.organization_id != organization_id:
        raise not_found("broadcast")
    if not may(person, Right.WRITE, organization_id):
        raise Problem(
            ProblemCode.FORBIDDEN,
            "Your role reads broadcasts. Ask an editor or an admin to do this.",
        )
