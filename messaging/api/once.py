"""``Idempotency-Key``: the first answer again, for the same request only."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from messaging import idempotency
from messaging.api.auth import client_of
from messaging.api.problems import (
    Envelope,
    FieldError,
    Problem,
    invalid,
    refuse,
)
from messaging.idempotency import Answer, Begun

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
DESCRIBED: dict[str, Any] = {
    "in": "header",
    "name": HEADER,
    "required": False,
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    "description": (
        "The same request under the same key is done once: for 24 hours it gets the"
        " first answer again, with `Idempotency-Replayed: true`. 409 while the first"
        " one is being done; 422 when another request comes under the key."
    ),
}
"""The header, for the description of a door."""
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def once(
    request: HttpRequest, envelope: Envelope, work: Callable[[], HttpResponse]
) -> HttpResponse:
    """Do the work, or repeat the answer that the same request got before.

    A refusal is an answer too. Only 409 is not kept: nothing was decided then,
    and the same request may well be done a moment later.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return work()
    if not _KEY.fullmatch(key):
        sentence = "It is 1 to 255 visible ASCII characters."
        raise invalid(f"{HEADER} cannot be used.", FieldError(HEADER, sentence))
    client = client_of(request)
    digest = idempotency.hash_of(request.method or "", request.path, request.body)
    match idempotency.begin(client, key, digest):
        case Answer(status, body):
            response = HttpResponse(
                body, status=status, content_type="application/json; charset=utf-8"
            )
            response[REPLAYED] = "true"
            return response
        case Begun.OTHER_REQUEST:
            raise Problem(
                422,
                "idempotency_key_reused",
                f"Another request came under this {HEADER} before."
                " Use a new key for a new request.",
            )
        case Begun.IN_PROGRESS:
            raise Problem(
                409,
                "idempotency_in_progress",
                f"The request with this {HEADER} is being done, or broke off before"
                " its answer was kept. Ask for the message's status before you use"
                " a new key.",
            )
    try:
        response = work()
    except Problem as problem:
        response = refuse(request, problem, envelope)
    if response.status_code == 409:
        idempotency.forget(client, key)
    else:
        answer = Answer(response.status_code, response.content.decode())
        idempotency.keep(client, key, answer)
    return response
