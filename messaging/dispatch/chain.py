"""One person over all runs of a chain: reached once, counted once."""

from __future__ import annotations

from collections.abc import Sequence

from messaging.dispatch import statements


def hold_chains(message_ids: Sequence[int]) -> None:
    """Hold these messages, and of each the first of its chain, until the commit.

    Before another run goes to a person, and before it is said that one arrived: of two
    who do so at once, the second one sees what the first one did. A statement of its
    own, so that the next one looks after the wait and not before it.
    """
    if message_ids:
        statements.rows_in_binary("hold_messages", {"message_ids": list(message_ids)})


def hold_chains_of_attempts(attempt_ids: Sequence[int]) -> None:
    """Do the same for messages of these attempts, if one of them is in a chain.

    A message that is the first of its chain is held by whoever changes it.
    """
    found = statements.rows_in_binary("in_chains", {"attempt_ids": list(attempt_ids)})
    for one in found:
        hold_chains(one["message_ids"])


def note_reached(message_ids: Sequence[int]) -> None:
    """Mark whoever was reached by more than one run, so that tallies count once."""
    if message_ids:
        statements.rows("note_reached", {"message_ids": list(message_ids)})


def cancel_waiting_tries(message_ids: Sequence[int]) -> None:
    """Take back what still waits for persons whom these messages reached."""
    if message_ids:
        statements.rows("cancel_reached", {"message_ids": list(message_ids)})


def cancel_returned_tries(message_ids: Sequence[int]) -> None:
    """Take back what came back, for persons whom another run reached meanwhile.

    Under the lock of the account: whoever says that somebody arrived has it, too.
    """
    if message_ids:
        statements.rows("cancel_returned", {"message_ids": list(message_ids)})
