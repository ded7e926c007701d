"""Topping up, and giving back what nobody ever confirmed."""

from __future__ import annotations

from typing import NamedTuple

from django.db import transaction

from messaging.dispatch import ledger, statements
from messaging.models import (
    Attempt,
    CreditAccount,
    CreditEntry,
    CreditStep,
    Organization,
)

HOLD_DAYS = 30
"""How long credits stay held for a message of which nothing is heard."""


@transaction.atomic
def top_up(*, organization: Organization, amount: int, note: str = "") -> CreditEntry:
    """Add credits; what is owed for late deliveries is paid first.

    Raises ``ValueError`` for an amount that is not positive.
    """
    if amount <= 0:
        message = "Enter a number of credits above 0."
        raise ValueError(message)
    ledger.lock(organization.pk)
    owed = CreditAccount.objects.get(pk=organization.pk).owed
    paid = min(owed, amount)
    return CreditEntry.objects.create(
        organization=organization,
        step=CreditStep.TOP_UP,
        amount=amount,
        available_change=amount - paid,
        held_change=0,
        owed_change=-paid,
        note=note,
    )


def attempts_for(message_id: int) -> set[int]:
    """Return the attempts of a message that the ledger knows; it outlives them.

    Only what was charged or released is indexed by its message: an index of the holds
    would be written with every message that leaves.
    """
    kept = Attempt.objects.filter(message_id=message_id).values_list("pk", flat=True)
    settled = CreditEntry.objects.filter(
        message_id=message_id, step__in=[CreditStep.CHARGE, CreditStep.RELEASE]
    ).values_list("attempt_id", flat=True)
    return {*kept, *(one for one in settled if one is not None)}


class Released(NamedTuple):
    """What one batch gave back. ``goes_on`` tells that more may follow at once."""

    number: int
    goes_on: bool


@statements.again_after_deadlock
def release_old_holds(organization: Organization, *, limit: int = 1_000) -> Released:
    """Release the holds whose receipt never came, among so many lines of the ledger.

    After 30 days, or earlier where rows are kept for less: a pruned attempt could
    not be settled any more. A delivery that is reported later still charges. Each line
    is looked at once, however many there are: the account remembers up to which.
    """
    with transaction.atomic():
        ledger.lock(organization.pk)
        [walk] = statements.rows(
            "release_old_holds",
            {
                "organization_id": organization.pk,
                "days": min(HOLD_DAYS, organization.retention_days),
                "limit": limit,
            },
        )
        moved = CreditAccount.objects.filter(
            pk=organization.pk, settled_to__lt=walk["settled_to"]
        ).update(settled_to=walk["settled_to"])
    return Released(walk["released"], goes_on=moved > 0 and walk["walked"] == limit)
