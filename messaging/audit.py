"""Proof, by recomputing from rows, that counters and credits tell the truth."""

from __future__ import annotations

from typing import Any

from messaging.dispatch import ledger, statements


def tally_differences() -> list[dict[str, Any]]:
    """Return every tally that differs from its rows; none is the only good answer.

    Reads every row once: a command for operators, never part of a page.
    """
    return statements.rows("tally_differences", {})


def recovery_differences() -> list[dict[str, Any]]:
    """Return every count of recovered messages that differs from its rows."""
    return statements.rows("recovery_differences", {})


def figure_differences() -> list[dict[str, Any]]:
    """Return every daily figure that differs from the tallies it adds up."""
    return statements.rows("figure_differences", {})


def bulk_outcome_differences() -> list[dict[str, Any]]:
    """Return what bulk resends brought, where it differs from their attempts."""
    return statements.rows("bulk_outcome_differences", {})


def ledger_differences() -> list[dict[str, Any]]:
    """Return the accounts and attempts whose ledger does not add up."""
    return statements.rows(
        "ledger_differences",
        {"kinds_without_receipts": ledger.kinds_without_receipts()},
    )
