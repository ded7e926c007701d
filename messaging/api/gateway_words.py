"""The words of WUTS: its envelope of errors, and what its bodies have in common.

Four fields in each error, as the vendor shows it: clients branch on ``error_code``,
people read ``error``, which says what is wrong with which field.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final, Literal

from django.utils import timezone
from pydantic import BaseModel, ConfigDict, Field

from messaging.api.problems import Problem
from messaging.retransmission.words import Refusal, Refused

CODES: Final = {
    "invalid_request": "VALIDATION_ERROR",
    "duplicate_field": "VALIDATION_ERROR",
    "unauthorized": "UNAUTHORIZED",
    "access_denied": "FORBIDDEN",
    "insufficient_scope": "FORBIDDEN",
}
"""Our codes that have a word of the vendor; others travel in capitals."""

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


class ErrorBody(Answer):
    success: Literal[False]
    error: str = Field(description="For people; may be reworded.")
    error_code: str = Field(description="Stable; branch on it.")
    timestamp: str


def envelope(problem: Problem, request_id: str) -> dict[str, Any]:
    """Return a refusal as the vendor writes it. The request id is in a header."""
    about = " ".join(f"{one.field}: {one.message}" for one in problem.fields)
    return {
        "success": False,
        "error": f"{problem.message} {about}".strip(),
        "error_code": CODES.get(problem.code, problem.code.upper()),
        "timestamp": wire_moment(timezone.now()),
    }


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
