"""Errors as programs get them: a sentence, and a word in ``extensions.code``."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final

from django.http import HttpRequest
from graphql import GraphQLError
from strawberry.utils.str_converters import to_camel_case

from broadcasts.problems import Problem, ProblemCode
from messaging.api.problems import Problem as Refusal
from messaging.api.problems import request_id
from resend_admin.ui import outage

logger = logging.getLogger(__name__)

CODES: Final = {
    401: "UNAUTHENTICATED",
    403: ProblemCode.FORBIDDEN,
    404: ProblemCode.NOT_FOUND,
    429: "RATE_LIMITED",
    500: "INTERNAL_SERVER_ERROR",
    503: "UNAVAILABLE",
}
"""What refuses the request as a whole; whatever else it is, it was badly put."""
AWAY: Final = Refusal(
    503,
    "unavailable",
    "The database does not answer. Try again in a moment.",
    retry_after=outage.RETRY_AFTER,
)
UNFORESEEN: Final = Refusal(
    500, "internal_error", "This went wrong on our side. Tell us the requestId."
)
FIELDS: Final = {"flow": "flowId"}
"""Inputs of the services that have another name on the wire than in camel case."""


class Misread(Exception):  # noqa: N818 - the caller's, no error of ours.
    """The query cannot be run as it is."""

    def __init__(self, faults: Sequence[GraphQLError]) -> None:
        super().__init__("the query cannot be run")
        self.faults = faults


def envelope(refusal: Refusal, request_id: str) -> dict[str, Any]:
    """Return the body of a refusal of the whole request."""
    sentences = [refusal.message, *(one.message for one in refusal.fields)]
    code = str(CODES.get(refusal.status, ProblemCode.BAD_USER_INPUT))
    return {"errors": [_error(" ".join(sentences), code, requestId=request_id)]}


def refused(problem: Problem) -> dict[str, Any]:
    """Return one refusal of a service.

    What is refused only for the state that things are in is ``BAD_USER_INPUT`` too:
    there are four words to know. ``isConflict`` tells it apart.
    """
    is_conflict = problem.code == ProblemCode.CONFLICT
    code = ProblemCode.BAD_USER_INPUT if is_conflict else problem.code
    more: dict[str, Any] = {"isConflict": True} if is_conflict else {}
    if problem.field:
        more["field"] = FIELDS.get(problem.field, to_camel_case(problem.field))
    return _error(problem.sentence, str(code), **more)


def misread(found: Misread) -> dict[str, Any]:
    """Return the body that says what is wrong with the query itself."""
    return {"errors": [_located(one, _bad(one)) for one in found.faults]}


def told(error: GraphQLError, request: HttpRequest) -> dict[str, Any]:
    """Return what became of one field; the text of a fault stays with us."""
    match error.original_error:
        case Problem() as problem:
            found = refused(problem)
        case Refusal() as refusal:
            code = str(CODES.get(refusal.status, ProblemCode.BAD_USER_INPUT))
            found = _error(refusal.message, code)
        case None | GraphQLError() | ValueError() if _is_callers(error):
            found = _bad(error)
        case fault:
            found = _unforeseen(fault or error, request)
    return _located(error, found)


def _is_callers(error: GraphQLError) -> bool:
    """Whether GraphQL itself refused a value, before any code of ours saw it."""
    return error.original_error is None or error.path is None


def of_fault(fault: BaseException) -> Refusal:
    """Return what is told of a fault: that there was one, and no more."""
    return AWAY if outage.is_away(fault) else UNFORESEEN


def _unforeseen(fault: BaseException, request: HttpRequest) -> dict[str, Any]:
    refusal = of_fault(fault)
    number = request_id(request)
    logger.error("A field failed", exc_info=fault, extra={"request_id": number})
    return _error(refusal.message, str(CODES[refusal.status]), requestId=number)


def _bad(error: GraphQLError) -> dict[str, Any]:
    message = error.message if error.message.endswith(".") else f"{error.message}."
    return _error(message, str(ProblemCode.BAD_USER_INPUT))


def _error(message: str, code: str, **more: Any) -> dict[str, Any]:
    return {"message": message, "extensions": {"code": code, **more}}


def _located(error: GraphQLError, found: dict[str, Any]) -> dict[str, Any]:
    if error.locations:
        found["locations"] = [
            {"line": one.line, "column": one.column} for one in error.locations
        ]
    if error.path:
        found["path"] = error.path
    return found
