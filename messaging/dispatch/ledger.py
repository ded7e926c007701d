"""Credits in step with attempts: held, then charged or released."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import connection

from messaging.channels import PROVIDERS
from messaging.dispatch import statements


def lock(organization_id: int) -> int:
    """Lock the account of an organization and return what it may still spend."""
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                "SELECT available FROM messaging_creditaccount"
                " WHERE organization_id = %s FOR NO KEY UPDATE",
                [organization_id],
            )
            if (row := cursor.fetchone()) is not None:
                available: int = row[0]
                return available
            cursor.execute(
                "INSERT INTO messaging_creditaccount"
                " (organization_id, available, held, owed) VALUES (%s, 0, 0, 0)"
                " ON CONFLICT DO NOTHING",
                [organization_id],
            )


def lock_all(organization_ids: Iterable[int]) -> None:
    """Lock several accounts, always in the same order."""
    for organization_id in sorted(set(organization_ids)):
        lock(organization_id)


def settle(attempt_ids: Sequence[int]) -> None:
    """Charge or release what the present states of these attempts ask for.

    Charged once when delivered (when accepted, on channels without receipts),
    released when failed. An attempt in doubt keeps its hold.
    """
    if not attempt_ids:
        return
    statements.rows_in_binary(
        "settle_credits",
        {
            "attempt_ids": list(attempt_ids),
            "kinds_without_receipts": kinds_without_receipts(),
        },
    )


def kinds_without_receipts() -> list[str]:
    """Return the kinds of integration for which *sent* is the last word."""
    return [
        kind for kind, provider in PROVIDERS.items() if not provider.confirms_delivery
    ]
