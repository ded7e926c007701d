"""Whatever the description allows, and much that it does not: never a fault of ours.

Requests are made up from the generated description; every answer must be one
that it promises, by its status and its shape.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from messaging.api.urls import api
from messaging.models import Message
from tests.factories import World
from tests.messaging.api.callers import Caller, caller
from tests.messaging.api.conftest import Fail

pytestmark = pytest.mark.django_db(transaction=True)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
BOUNDED = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@cache
def handler() -> WSGIHandler:
    return WSGIHandler()


def application(environ: Any, start_response: Any) -> Any:
    """The project as a server runs it; made when the test's settings stand."""
    return handler()(environ, start_response)


schema = schemathesis.openapi.from_dict(
    json.loads(json.dumps(api.get_openapi_schema()))
)
schema.app = application


@pytest.fixture
def program(ours: World) -> Caller:
    return caller(ours, requests_per_minute=1_000_000)


@schema.parametrize()
@BOUNDED
def test_every_answer_is_one_that_is_described(
    case: schemathesis.Case[Any], program: Caller
) -> None:
    case.call_and_validate(headers={"Authorization": program.basic}, checks=CHECKS)


@schema.parametrize()
@BOUNDED
def test_strangers_are_told_so_whatever_they_send(
    case: schemathesis.Case[Any], db: None
) -> None:
    response = case.call(headers={"Authorization": "Basic bm9ib2R5OnNlY3JldA=="})

    case.validate_response(response, checks=CHECKS)
    assert response.status_code in {401, 404, 405, 413}


@schema.parametrize()
@BOUNDED
def test_the_same_holds_when_the_message_is_there(
    case: schemathesis.Case[Any], program: Caller, failed: Fail
) -> None:
    message = Message.objects.first() or failed("unknown", code="whatsapp:timeout")
    if case.path_parameters and "messageId" in case.path_parameters:
        case.path_parameters["messageId"] = message.public_id
    if isinstance(case.body, dict):
        names = "/v2/" in case.path
        if "messageId" in case.body:
            case.body["messageId"] = message.pk if names else message.public_id
        if "to" in case.body:
            case.body["to"] = "233244000001"

    case.call_and_validate(headers={"Authorization": program.basic}, checks=CHECKS)
