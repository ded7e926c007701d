"""The doors of programs, put together and described at ``/api/docs``."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from messaging.api import (
    capillary,
    embedding,
    gateway,
    gateway_audio,
    gateway_jobs,
    gateway_words,
    oauth,
    sendexa,
    sendexa_words,
)
from messaging.api.bodies import MOST_BYTES, StrictParser, check_size, read_json
from messaging.api.problems import (
    REQUEST_ID,
    Envelope,
    FieldError,
    Problem,
    invalid,
    refuse,
    request_id,
)
from resend_admin.ui import outage

logger = logging.getLogger(__name__)
View = Callable[..., HttpResponse]
LARGER_BODIES = {"/send/audio": 5 * 1024 * 1024}
"""Doors that take files, and how many bytes they take."""

DESCRIPTION = """Send messages and send them again, from your own programs.

Every request needs the key and the secret of an API client by Basic
(`Authorization: Basic base64(key:secret)`), its bearer token
(`Authorization: Bearer <UUID v4>`), or an OAuth 2 bearer token from
`POST /oauth/token` with `grant_type=client_credentials`. A client has read or
write access to Communication and a limit of requests per minute (429 with
`Retry-After`). Bodies are JSON of at most
64 kB, those with audio of 5 MB.
"""
ENVELOPES: dict[str, Envelope] = {
    "/v1/": sendexa_words.envelope,
    "/v2/": capillary.envelope,
    "/messages/": gateway_words.envelope,
    "/send/": gateway_words.envelope,
    "/jobs/": gateway_words.envelope,
}
"""Whose words an address answers in."""


class Doors(NinjaAPI):
    """Ninja, mounted on the root without an address there."""

    def get_root_path(self, path_params: dict[str, Any]) -> str:
        return "/"


api = Doors(
    title="Resend Admin",
    version="1",
    description=DESCRIPTION,
    urls_namespace="api",
    docs_url="/api/docs",
    openapi_url="/api/openapi.json",
    parser=StrictParser(),
)
api.add_router("/v1/whatsapp", sendexa.router)
api.add_router("/v2/communications", capillary.router)
api.add_router("/embed", embedding.router)
api.add_router("", gateway.router)
api.add_router("", gateway_audio.router)
api.add_router("", gateway_jobs.router)

WORDS = {
    "missing": "This field is required.",
    "extra_forbidden": "This field is not supported.",
    "string_type": "This must be a text.",
    "int_type": "This must be a whole number.",
    "bool_type": "This must be true or false.",
    "list_type": "This must be a list.",
    "model_type": "This must be an object.",
    "model_attributes_type": "This must be an object.",
}
"""The checker's kinds of errors as a person would put them."""


AWAY = Problem(
    503,
    "unavailable",
    "The database does not answer. Ask for the state of the message before you repeat"
    " a request that sends something.",
    retry_after=outage.RETRY_AFTER,
)


@api.exception_handler(Problem)
def tell_problem(request: HttpRequest, problem: Any) -> HttpResponse:
    logger.info(
        "A request was refused",
        extra={
            "request_id": request_id(request),
            "status": problem.status,
            "code": problem.code,
        },
    )
    return refuse(request, problem, _envelope(request))


@api.exception_handler(AuthenticationError)
def tell_stranger(request: HttpRequest, error: Any) -> HttpResponse:
    message = (
        "The credentials are missing or wrong. Send Authorization: Basic with"
        " base64(key:secret), or Authorization: Bearer with the client's token or one"
        " from /oauth/token that has not expired."
    )
    return tell_problem(request, Problem(401, "unauthorized", message))


@api.exception_handler(ValidationError)
def tell_invalid(request: HttpRequest, error: Any) -> HttpResponse:
    fields = [
        FieldError(_place(one["loc"]), _sentence(one), _value(request, one["loc"]))
        for one in error.errors[:20]
    ]
    return tell_problem(request, invalid("The request is not valid.", *fields))


@api.exception_handler(HttpError)
def tell_http_error(request: HttpRequest, error: Any) -> HttpResponse:
    """Unwrap what the parser raised: the framework puts its own error around it."""
    problem = error.__cause__
    if not isinstance(problem, Problem):
        problem = Problem(error.status_code, "invalid_request", str(error))
    return tell_problem(request, problem)


@api.exception_handler(Exception)
def tell_fault(request: HttpRequest, error: Any) -> HttpResponse:
    if outage.is_away(error):
        logger.warning(
            "PostgreSQL does not answer", extra={"request_id": request_id(request)}
        )
        return refuse(request, AWAY, _envelope(request))
    logger.exception(
        "A request failed",
        exc_info=error,
        extra={"request_id": request_id(request)},
    )
    message = "This went wrong on our side. Tell us the requestId."
    problem = Problem(500, "internal_error", message)
    return refuse(request, problem, _envelope(request))


def door(view: View) -> View:
    """Open an address to programs: no log-in, a request id, every answer in words."""

    @wraps(view)
    def opened(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            check_size(request, LARGER_BODIES.get(request.path, MOST_BYTES))
            response = view(request, *args, **kwargs)
        except Problem as problem:
            response = tell_problem(request, problem)
        if response.status_code == 405 and response.has_header("Allow"):
            allowed = response["Allow"]
            wrong = Problem(405, "method_not_allowed", f"Use {allowed} here.")
            response = tell_problem(request, wrong)
            response["Allow"] = allowed
        response[REQUEST_ID] = request_id(request)
        response["Cache-Control"] = "no-store"
        return response

    return login_not_required(opened)


def _patterns() -> list[URLPattern]:
    """Return the generated addresses, opened to programs; its root is ours."""
    found = []
    for pattern in api.urls[0]:
        if not isinstance(pattern, URLPattern) or pattern.name == "api-root":
            continue
        if pattern.name in {"openapi-json", "openapi-view"}:
            pattern.callback = login_not_required(pattern.callback)
        else:
            pattern.callback = door(pattern.callback)
        found.append(pattern)
    return found


def _envelope(request: HttpRequest) -> Envelope:
    for prefix, envelope in ENVELOPES.items():
        if request.path.startswith(prefix):
            return envelope
    return sendexa_words.envelope


def _place(where: tuple[str | int, ...]) -> str:
    """Return the path of a field within the body; ``body`` for all of it.

    Before it stand where it was looked for and the name of the parameter.
    """
    steps = where[2 if where[0] == "body" else 1 :]
    return ".".join(str(step) for step in steps) or "body"


def _value(request: HttpRequest, where: tuple[str | int, ...]) -> Any:
    """Return what stands at a place in the body; the checker keeps it to itself."""
    if where[0] != "body" or not request.body:
        return None
    value = read_json(request.body)
    for step in where[2:]:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _sentence(error: dict[str, Any]) -> str:
    known = WORDS.get(error["type"])
    if known is not None:
        return known
    message = str(error["msg"]).removeprefix("Value error, ")
    return message if message.endswith(".") else f"{message}."


app_name = "api"
urlpatterns = [*_patterns(), path("oauth/token", oauth.token, name="oauth-token")]
