"""One person over all runs of a chain: reached once, counted once."""

from __future__ import annotations

from collections.abc import Sequence

from messaging.dispatch import statements


def note_reached(message_ids: Sequence[int]) -> None:
    """Mark whoever was reached by more than one run, so that tallies count once."""
    if message_ids:
        statements.rows("note_reached", {"message_ids": list(message_ids)})


def cancel_waiting_tries(message_ids: Sequence[int]) -> None:
    """Take back what still waits for persons whom these messages reached."""
    if message_ids:
        statements.rows("cancel_reached", {"message_ids": list(message_ids)})
