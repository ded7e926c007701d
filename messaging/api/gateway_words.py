"""The words of WUTS: its envelope of errors, and what its bodies have in common.

Four fields in each error: programs branch on ``error_code``, people read ``error``.
Where fields are wrong, ``error`` is the vendor's "validation failed" and a fifth
field, ``validation``, says what is wrong with each and repeats what stood there.
Source: the WUTS gateway's page "Errors and Status Codes".
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final, Literal

from django.utils import timezone
from pydantic import BaseModel, ConfigDict, Field

from messaging.api.problems import FieldError, Problem, invalid
from messaging.retransmission.words import Refusal, Refused

CODES: Final = {
    "invalid_request": "VALIDATION_ERROR",
    "duplicate_field": "VALIDATION_ERROR",
    "unauthorized": "UNAUTHORIZED",
    "access_denied": "FORBIDDEN",
    "insufficient_scope": "FORBIDDEN",
}
"""Our codes that have a word of the vendor; others travel in capitals."""

VALIDATION_FAILED: Final = "validation failed"
LONGEST_VALUE: Final = 200
"""Characters of a rejected text that its error repeats: some fields hold files."""

STATUSES: Final = {
    Refusal.INVALID: 400,
    Refusal.TOO_OFTEN: 400,
    Refusal.NOT_FOUND: 404,
    Refusal.NOT_READY: 503,
    Refusal.GATEWAY: 502,
    Refusal.UNCLEAR: 502,
}


class Body(BaseModel):
    """A request: known fields of exactly the right type, and no others."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Answer(BaseModel):
    """An answer, described for the documentation; doors build it by hand."""

    model_config = ConfigDict(extra="forbid")


class WrongField(Answer):
    field: str
    message: str
    value: Any = Field(description="What stood there, if it is one short value.")


class ErrorBody(Answer):
    success: Literal[False]
    error: str = Field(description="For people; may be reworded.")
    error_code: str = Field(description="Stable; branch on it.")
    timestamp: str
    validation: list[WrongField] | None = Field(
        None, description="Only where single fields are wrong."
    )


def envelope(problem: Problem, request_id: str) -> dict[str, Any]:
    """Return a refusal as the vendor writes it. The request id is in a header."""
    told: dict[str, Any] = {
        "success": False,
        "error": VALIDATION_FAILED if problem.fields else problem.message,
        "error_code": CODES.get(problem.code, problem.code.upper()),
        "timestamp": wire_moment(timezone.now()),
    }
    if problem.fields:
        told["validation"] = [
            {"field": one.field, "message": one.message, "value": _shown(one.value)}
            for one in problem.fields
        ]
    return told


def invalid_field(field: str, message: str, value: Any = None) -> Problem:
    """Return the problem of a request in which one field is wrong."""
    return invalid(VALIDATION_FAILED, FieldError(field, message, value))


def _shown(value: Any) -> Any:
    """Return a rejected value, cut if it is long; lists and objects are left out."""
    if isinstance(value, str):
        return value[:LONGEST_VALUE]
    return value if isinstance(value, bool | int | float) else None


def problem_of(refused: Refused) -> Problem:
    """Return the HTTP answer to what was not done."""
    retry_after = 30.0 if refused.code is Refusal.NOT_READY else None
    return Problem(
        STATUSES[refused.code],
        refused.code.value,
        refused.sentence,
        retry_after=retry_after,
    )


def wire_moment(moment: datetime) -> str:
    """Return a time as the vendor writes it: UTC, to the second."""
    text = moment.astimezone(UTC).isoformat(timespec="seconds")
    return text.replace("+00:00", "Z")
