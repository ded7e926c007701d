"""Topping up, and proof that the ledger and the accounts agree."""

from __future__ import annotations

from django.db import transaction

from messaging.dispatch import ledger
from messaging.models import CreditAccount, CreditEntry, CreditStep, Organization


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
