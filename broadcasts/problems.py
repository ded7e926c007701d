"""Refusals: what a service says instead of doing what it was asked."""

from __future__ import annotations

from enum import StrEnum


class ProblemCode(StrEnum):
    """The words that other programs get; people get the sentence."""

    BAD_USER_INPUT = "BAD_USER_INPUT"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    QUOTA_EXCEEDED = "QUOTA_EXCEEDED"
    CONFLICT = "CONFLICT"


class Problem(Exception):  # noqa: N818 - people read it; it is no error of ours.
    """A service refuses. The sentence says what to do next.

    ``field`` names the input that is wrong, in the words of the services, so
    that a form can show the sentence beside it.
    """

    def __init__(
        self, code: ProblemCode, sentence: str, field: str | None = None
    ) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.field = field


def bad_input(sentence: str, field: str | None = None) -> Problem:
    return Problem(ProblemCode.BAD_USER_INPUT, sentence, field)


def conflict(sentence: str, field: str | None = None) -> Problem:
    return Problem(ProblemCode.CONFLICT, sentence, field)


def not_found(what: str) -> Problem:
    """Somebody else's row and no row at all give the same answer."""
    return Problem(ProblemCode.NOT_FOUND, f"There is no such {what}.")
