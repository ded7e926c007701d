"""Whatever the schema allows, and much that it does not: never a fault of ours.

Questions and changes are made up from the schema, and every answer must be one that a
program can read: data, or an error with one of the words that are promised.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broadcasts.graphql.schema import FILE
from broadcasts.models import Broadcast
from tests.broadcasts.factories import finished, retried, scheduled
from tests.broadcasts.graphql.asking import PATH, program
from tests.factories import World
from tests.messaging.api.callers import Caller, caller

pytestmark = pytest.mark.django_db(transaction=True)

CODES = {"BAD_USER_INPUT", "FORBIDDEN", "NOT_FOUND", "QUOTA_EXCEEDED"}
BOUNDED = settings(
    max_examples=40,
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


schemathesis.graphql.scalar(
    "DateTime",
    st.sampled_from(
        ["2026-12-01T18:30:00Z", "2031-01-01T00:00:00", "9999-12-31T23:59:59-23:59", ""]
    ).map(schemathesis.graphql.nodes.String),
)
schema = schemathesis.graphql.from_file(FILE.read_text())
schema.app = application
schema.config.update(base_url=f"http://testserver{PATH}")


@pytest.fixture
def known(ours: World) -> Caller:
    """A program that may do all, and rows for it to find."""
    retried(finished(ours, "failed", "delivered", "unknown"), ours)
    scheduled(ours)
    return caller(ours, requests_per_minute=1_000_000)


def check(status: int, content: bytes) -> None:
    assert status in {200, 400, 413}, (status, content)
    body = json.loads(content)
    assert set(body) <= {"data", "errors"}
    for error in body.get("errors", ()):
        assert error["message"].endswith(".")
        assert error["extensions"]["code"] in CODES, error


@schema.parametrize()
@BOUNDED
def test_no_question_and_no_change_breaks_it(
    case: schemathesis.Case[Any], known: Caller
) -> None:
    response = case.call(headers={"Authorization": known.basic})

    check(response.status_code, response.content)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
QUERIES = st.text() | st.text('{}()[]$:!@"\\#., \naviewr0123', max_size=60)


@settings(BOUNDED, max_examples=150)
@given(query=QUERIES, variables=JSON, name=JSON)
def test_no_text_breaks_it(
    known: Caller, query: str, variables: Any, name: Any
) -> None:
    asker = program(known)
    body = {"query": query, "variables": variables, "operationName": name}

    response = asker.client.post(
        PATH,
        json.dumps(body),
        content_type="application/json",
        headers=asker.headers,
    )

    check(response.status_code, response.content)


@settings(BOUNDED, max_examples=100)
@given(
    broadcast_id=st.text() | st.integers().map(str),
    run_at=JSON,
    contact_ids=JSON | st.lists(st.text() | st.integers()),
    zone=JSON,
)
def test_no_variable_breaks_the_retry(
    known: Caller, broadcast_id: Any, run_at: Any, contact_ids: Any, zone: Any
) -> None:
    source = finished_id(known)
    query = """mutation A($id: ID!, $at: DateTime, $ids: [ID!], $zone: String) {
      retryFailedContacts(broadcastId: $id, runAt: $at, contactIds: $ids,
                          timeZone: $zone) { id }
    }"""
    for one in (broadcast_id, source):
        values = {"id": one, "at": run_at, "ids": contact_ids, "zone": zone}
        response = program(known).send(query, values)

        check(response.status_code, response.content)


def finished_id(known: Caller) -> str:
    found = Broadcast.objects.filter(
        organization=known.client.organization, state="completed"
    )
    return str(found.get().pk)
