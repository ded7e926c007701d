"""What a request is answered with when it is not done.

A door raises a :class:`Problem` wherever it finds one; the envelope of the
vendor whose address was called puts it on the wire.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.crypto import get_random_string

REQUEST_ID = "X-Request-Id"
_HEX = "0123456789abcdef"
_CHALLENGE = 'Basic realm="Resend Admin", charset="UTF-8", Bearer'


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field; ``field`` is a path such as ``image.link``.

    ``value`` is what stood there, for vendors whose errors repeat it.
    """

    field: str
    message: str
    value: Any = None


class Problem(Exception):  # noqa: N818 - most of them are the caller's, not errors
    """Why a request is not done: an HTTP status, a stable code and a sentence."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        fields: Sequence[FieldError] = (),
        retry_after: float | None = None,
        numbers: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = tuple(fields)
        self.retry_after = retry_after
        self.numbers = dict(numbers or {})


Envelope = Callable[[Problem, str], dict[str, Any]]
"""Makes the body of a refusal, from the problem and the id of the request."""


def invalid(
    message: str, *fields: FieldError, code: str = "invalid_request"
) -> Problem:
    """Return the problem of a request that cannot be understood as it is."""
    return Problem(400, code, message, fields=fields)


def request_id(request: HttpRequest) -> str:
    """Return the id of this request, which its log lines and its answer carry."""
    known: str | None = getattr(request, "resend_admin_id", None)
    if known is None:
        known = f"req_{get_random_string(24, _HEX)}"
        request.resend_admin_id = known  # type: ignore[attr-defined]
    return known


def as_json(status: int, body: Mapping[str, Any]) -> HttpResponse:
    """Return an answer; the keys stand in the order of ``body``."""
    return HttpResponse(
        json.dumps(body, ensure_ascii=False),
        status=status,
        content_type="application/json; charset=utf-8",
    )


def refuse(request: HttpRequest, problem: Problem, envelope: Envelope) -> HttpResponse:
    """Return the answer that tells a problem in the vendor's own shape."""
    response = as_json(problem.status, envelope(problem, request_id(request)))
    if problem.retry_after is not None:
        response["Retry-After"] = str(max(1, math.ceil(problem.retry_after)))
    if problem.status == 401:
        response["WWW-Authenticate"] = _CHALLENGE
    return response
