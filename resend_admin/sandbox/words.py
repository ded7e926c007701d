"""How a provider says what happened: its codes, statuses and sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from resend_admin.sandbox.behaviour import Outcome


@dataclass(frozen=True, slots=True)
class Words:
    """One error in one provider's words. ``status``: HTTP or SMTP."""

    code: str
    status: int
    message: str
    details: str = ""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All that a provider can answer.

    An outcome found in ``refusals`` is an immediate error, one found in ``losses``
    is accepted and reported as failed by a receipt; any other is delivered.
    ``confirms`` and ``reads``: whether receipts tell of delivery, and of reading.
    """

    channel: str
    refusals: Mapping[Outcome, Sequence[Words]]
    losses: Mapping[Outcome, Sequence[Words]] = field(default_factory=dict)
    confirms: bool = False
    reads: bool = False

    def refusal(self, outcome: Outcome, variant: int = 0) -> Words | None:
        return _pick(self.refusals, outcome, variant)

    def loss(self, outcome: Outcome, variant: int = 0) -> Words | None:
        return _pick(self.losses, outcome, variant)

    def loss_by_code(self, code: str) -> Words:
        """Return the words of a failed receipt; unknown codes get plain ones."""
        for choices in self.losses.values():
            for words in choices:
                if words.code == code:
                    return words
        return Words(code, 400, "Message failed", "The message was not delivered.")


def _pick(
    table: Mapping[Outcome, Sequence[Words]], outcome: Outcome, variant: int
) -> Words | None:
    choices = table.get(outcome)
    return choices[variant % len(choices)] if choices else None
