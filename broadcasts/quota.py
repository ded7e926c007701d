"""How many drafts and scheduled broadcasts an organization may have at a time."""

from __future__ import annotations

from broadcasts.clock import in_words
from broadcasts.models import Broadcast, BroadcastState
from broadcasts.models.broadcast import QUOTA_STATES
from broadcasts.problems import Problem, ProblemCode
from messaging.models import Organization


def take_slot(organization_id: int) -> Organization:
    """Refuse when no slot is free; else return the organization, locked.

    The lock makes whoever comes at the same moment wait until this transaction
    has created its broadcast, so two cannot take the last slot. Call it inside
    the transaction that creates. It lets foreign keys pass.
    """
    organization = Organization.objects.select_for_update(no_key=True).get(
        pk=organization_id
    )
    if sentence := refusal(organization):
        raise Problem(ProblemCode.QUOTA_EXCEEDED, sentence)
    return organization


def refusal(organization: Organization) -> str:
    """Say why no slot is free and which one to free; empty while there is one."""
    used = slots_used(organization.pk)
    if used < organization.broadcast_quota:
        return ""
    return (
        f"All {organization.broadcast_quota:,} slots for drafts and scheduled"
        f" broadcasts are in use ({used:,} now). {_advice(organization.pk)}"
    )


def slots_used(organization_id: int) -> int:
    """Count through the partial index of drafts and scheduled broadcasts."""
    return Broadcast.objects.filter(
        organization_id=organization_id, state__in=QUOTA_STATES
    ).count()


def _advice(organization_id: int) -> str:
    """Name the slots that are freed first."""
    mine = Broadcast.objects.filter(organization_id=organization_id)
    draft = mine.filter(state=BroadcastState.DRAFT).order_by("pk").first()
    soonest = mine.filter(state=BroadcastState.SCHEDULED).order_by("run_at").first()
    ways = []
    if draft is not None:
        ways.append(f"delete the oldest draft, “{draft.name}”")
    if soonest is not None and soonest.run_at is not None:
        when = in_words(soonest.run_at, soonest.time_zone)
        ways.append(f"cancel “{soonest.name}”, the next to run on {when}")
    return f"To free one, {', or '.join(ways)}." if ways else ""
