"""``POST /graphql``: one question or one change, from a person or a program."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from ninja.utils import check_csrf

from broadcasts.graphql import errors
from broadcasts.graphql.context import Caller
from broadcasts.graphql.execution import Asked, execute
from broadcasts.problems import Problem
from messaging.access import may
from messaging.api.auth import readers
from messaging.api.bodies import StrictParser, check_size, read_json
from messaging.api.once import once
from messaging.api.problems import (
    REQUEST_ID,
    invalid,
    refuse,
    request_id,
)
from messaging.api.problems import Problem as Refusal
from messaging.models import Right, User

logger = logging.getLogger(__name__)

MOST_BYTES: Final = 256 * 1024
"""Room for a list of ten thousand contacts."""
ANSWER: Final = "application/graphql-response+json"


@csrf_exempt
@login_not_required
def graphql(request: HttpRequest) -> HttpResponse:
    """Answer a query or a mutation; show people who only look to the explorer."""
    if _only_looks(request):
        return HttpResponseRedirect(reverse("graphql-explorer"))
    try:
        response = _answer(request)
    except Refusal as refusal:
        response = _refuse(request, refusal)
    except Problem as problem:
        body = {"errors": [errors.refused(problem)]}
        response = _as_json(request, HTTPStatus.BAD_REQUEST, body)
    except errors.Misread as misread:
        body = errors.misread(misread)
        response = _as_json(request, HTTPStatus.BAD_REQUEST, body)
    except Exception as fault:
        logger.exception("A request failed", extra={"request_id": request_id(request)})
        response = _refuse(request, errors.of_fault(fault))
    response[REQUEST_ID] = request_id(request)
    response["Cache-Control"] = "no-store"
    return response


def _answer(request: HttpRequest) -> HttpResponse:
    if request.method not in {"GET", "POST"}:
        raise Refusal(405, "method_not_allowed", "Use POST here.")
    is_get = request.method == "GET"
    check_size(request, MOST_BYTES)
    caller = _caller(request)
    asked = Asked.of(_in_address(request) if is_get else _in_body(request))
    if not asked.is_change:
        return _executed(caller, asked)
    if is_get:
        raise Refusal(405, "method_not_allowed", "Send a mutation by POST.")
    if caller.client is None:
        return _executed(caller, asked)
    return once(request, errors.envelope, lambda: _executed(caller, asked))


def _caller(request: HttpRequest) -> Caller:
    """Return who asks. Credentials of a program win over a session."""
    if "Authorization" in request.headers:
        for lock in readers():
            client = lock(request)
            if client is not None:
                request.auth = client  # type: ignore[attr-defined]
                return Caller(request, client.organization, client=client)
        raise _stranger("These credentials are wrong, or have expired.")
    person = request.user
    if not isinstance(person, User):
        raise _stranger("Sign in, or send the credentials of an API client.")
    if request.method == "POST" and check_csrf(request) is not None:
        raise Refusal(
            403,
            "csrf",
            "The request does not come from a page of ours. Send the header X-CSRFToken"
            " with the value of the cookie csrftoken.",
        )
    if person.organization is None:
        raise Refusal(403, "no_organization", "An operator belongs to no organization.")
    if not may(person, Right.READ, person.organization_id):
        raise Refusal(
            403,
            "access_denied",
            "Your role sees no communications. Ask an admin of your organization for"
            " the role agent.",
        )
    return Caller(request, person.organization, person=person)


def _stranger(sentence: str) -> Refusal:
    return Refusal(
        401,
        "unauthorized",
        f"{sentence} It is Authorization: Basic with base64(key:secret), or a bearer"
        " token.",
    )


def _executed(caller: Caller, asked: Asked) -> HttpResponse:
    told = execute(caller, asked)
    return _as_json(caller.request, told.status, told.body)


def _only_looks(request: HttpRequest) -> bool:
    """Whether this is a browser that somebody typed the address into."""
    return (
        request.method == "GET"
        and "query" not in request.GET
        and "Authorization" not in request.headers
        and "text/html" in request.headers.get("Accept", "")
    )


def _in_body(request: HttpRequest) -> Mapping[str, Any]:
    body = StrictParser().parse_body(request)
    if not isinstance(body, dict):
        raise invalid("Send one request as an object; lists of them are not taken.")
    return body


def _in_address(request: HttpRequest) -> Mapping[str, Any]:
    body: dict[str, Any] = {
        name: request.GET[name]
        for name in ("query", "operationName")
        if request.GET.get(name)
    }
    if request.GET.get("variables"):
        body["variables"] = read_json(request.GET["variables"].encode())
    return body


def _refuse(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    response = refuse(request, refusal, errors.envelope)
    if refusal.status == HTTPStatus.METHOD_NOT_ALLOWED:
        response["Allow"] = "POST" if request.method == "GET" else "GET, POST"
    return response


def _as_json(
    request: HttpRequest, status: HTTPStatus, body: Mapping[str, Any]
) -> HttpResponse:
    accepted = request.headers.get("Accept", "")
    kind = ANSWER if ANSWER in accepted else "application/json"
    return HttpResponse(
        json.dumps(body, ensure_ascii=False),
        status=status,
        content_type=f"{kind}; charset=utf-8",
    )
