"""Who gets in, and what they may: people by role, programs by access, strangers not."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from django.test import Client
from graphql import build_schema
from pytest_django import DjangoAssertNumQueries

from broadcasts import retry
from broadcasts.graphql.schema import written
from broadcasts.models import Broadcast
from messaging import api_clients
from messaging.models import ApiAccess, Role, User
from tests.broadcasts.factories import draft, finished, scheduled
from tests.broadcasts.graphql.asking import (
    Asker,
    code_of,
    only_error,
    person,
    program,
)
from tests.broadcasts.graphql.test_mutations import (
    CANCEL,
    CLONE,
    CREATE,
    DELETE,
    ROUTES,
    SCHEDULE,
    UPDATE,
    later,
    template_input,
)
from tests.broadcasts.graphql.test_queries import CHAIN, NAMES, ONE, ROWS, STATE
from tests.broadcasts.graphql.test_retry import RETRY
from tests.factories import World
from tests.messaging.api.callers import caller

pytestmark = pytest.mark.django_db

VIEWER = "{ viewer { name mayWrite } }"


def changes(world: World) -> dict[str, tuple[str, dict[str, Any]]]:
    """Every mutation with what it needs, about rows of this organization."""
    source, waiting = finished(world, "failed"), scheduled(world)
    routes = template_input(world)["routes"]
    ways = {"routes": routes, "fallbacks": routes}
    return {
        "retryFailedContacts": (RETRY, {"id": str(source.pk), "unknown": False}),
        "createBroadcast": (CREATE, {"input": template_input(world, runAt=later())}),
        "updateBroadcast": (UPDATE, {"id": str(waiting.pk), "changes": {"name": "A"}}),
        "updateBroadcastRoutes": (ROUTES, {"id": str(source.pk), **ways}),
        "scheduleBroadcast": (SCHEDULE, {"id": str(waiting.pk), "runAt": later()}),
        "cancelBroadcast": (CANCEL, {"id": str(waiting.pk)}),
        "cloneBroadcast": (CLONE, {"id": str(source.pk)}),
        "deleteDraft": (DELETE, {"id": str(draft(world).pk)}),
    }


MUTATIONS = [
    "retryFailedContacts",
    "createBroadcast",
    "updateBroadcast",
    "updateBroadcastRoutes",
    "scheduleBroadcast",
    "cancelBroadcast",
    "cloneBroadcast",
    "deleteDraft",
]


def test_every_mutation_is_in_the_list() -> None:
    written_type = build_schema(written()).mutation_type
    assert written_type is not None

    assert set(written_type.fields) == set(MUTATIONS)


@pytest.mark.parametrize("name", MUTATIONS)
def test_an_agent_changes_nothing(ours: World, agent: Asker, name: str) -> None:
    query, variables = changes(ours)[name]
    before = list(Broadcast.objects.order_by("pk").values())

    error = agent.error(query, **variables)

    assert code_of(error) == "FORBIDDEN"
    assert error["message"] == (
        "Your role reads broadcasts. Ask an editor or an admin to do this."
    )
    assert list(Broadcast.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_client_with_read_access_changes_nothing(
    ours: World, reader: Asker, name: str
) -> None:
    query, variables = changes(ours)[name]
    before = list(Broadcast.objects.order_by("pk").values())

    error = reader.error(query, **variables)

    assert code_of(error) == "FORBIDDEN"
    assert "no write access" in error["message"]
    assert list(Broadcast.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("name", MUTATIONS)
@pytest.mark.parametrize("who", ["editor", "admin", "client"])
def test_whoever_may_write_does(ours: World, who: str, name: str) -> None:
    asker = program(caller(ours)) if who == "client" else person(getattr(ours, who))
    query, variables = changes(ours)[name]

    assert asker.ask(query, **variables)[name]


@pytest.mark.parametrize("name", [one for one in MUTATIONS if one != "createBroadcast"])
@pytest.mark.parametrize("who", ["person", "client"])
def test_what_another_organization_owns_is_not_found(
    ours: World, theirs: World, who: str, name: str
) -> None:
    asker = person(theirs.admin) if who == "person" else program(caller(theirs))
    query, variables = changes(ours)[name]
    before = list(Broadcast.objects.order_by("pk").values())

    error = asker.error(query, **variables)

    assert (code_of(error), error["message"]) == (
        "NOT_FOUND",
        "There is no such broadcast.",
    )
    assert list(Broadcast.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("query", [ONE, CHAIN, ROWS, STATE])
def test_another_organization_s_broadcast_is_not_shown(
    ours: World, stranger: Asker, query: str
) -> None:
    source = finished(ours, "failed")

    error = stranger.error(query, id=str(source.pk), first=5)

    assert code_of(error) == "NOT_FOUND"
    assert ours.organization.name not in json.dumps(error)


@pytest.mark.parametrize("typed", ["abc", "-1", "", "1.5", "９", "9" * 19, "9" * 400])
def test_an_id_that_is_none_is_not_found(agent: Asker, typed: str) -> None:
    assert code_of(agent.error(ONE, id=typed)) == "NOT_FOUND"


def test_everybody_of_the_organization_reads(
    ours: World, theirs: World, agent: Asker, editor: Asker, reader: Asker
) -> None:
    ours.broadcast(name="Mine")
    theirs.broadcast(name="Theirs")

    for asker in (agent, editor, reader):
        nodes = asker.ask(NAMES, first=5)["broadcasts"]["nodes"]
        assert nodes == [{"name": "Mine"}]


def refusal(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.content
    assert "data" not in json.loads(response.content)
    return only_error(response)


@pytest.mark.parametrize("query", [VIEWER, "{ __schema { queryType { name } } }", "{"])
def test_a_stranger_is_told_nothing(db: None, query: str) -> None:
    error = refusal(Asker().send(query), 401)

    assert code_of(error) == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    "authorization", ["Basic bm9ib2R5OnNlY3JldA==", "Bearer nothing", "Basic", "x"]
)
def test_wrong_credentials_are_refused_even_beside_a_session(
    ours: World, authorization: str
) -> None:
    asker = person(ours.admin)

    error = refusal(asker.send(VIEWER, Authorization=authorization), 401)

    assert code_of(error) == "UNAUTHENTICATED"


def test_a_client_without_access_does_not_even_read(ours: World) -> None:
    asker = program(caller(ours, ApiAccess.NONE))

    error = refusal(asker.send(VIEWER), 403)

    assert code_of(error) == "FORBIDDEN"
    assert "no read access" in error["message"]


def test_an_operator_belongs_to_no_organization(db: None) -> None:
    operator = User.objects.create_superuser("operator", password=None)

    error = refusal(person(operator).send(VIEWER), 403)

    assert code_of(error) == "FORBIDDEN"


def test_a_role_without_rights_sees_nothing(ours: World) -> None:
    asker = person(ours.person("nobody", Role.NONE))

    error = refusal(asker.send(VIEWER), 403)

    assert code_of(error) == "FORBIDDEN"
    assert "role agent" in error["message"]


def test_a_bearer_token_opens_the_door(ours: World) -> None:
    known = caller(ours)
    token = api_clients.rotate_bearer(known.client)
    asker = Asker(headers={"Authorization": f"Bearer {token}"})

    assert asker.ask(VIEWER)["viewer"]["mayWrite"] is True
    assert asker.ask(CLONE, id=str(scheduled(ours).pk))


@pytest.mark.parametrize("scope", ["communication.read", "communication.write"])
def test_a_token_writes_only_if_it_was_given_for_it(ours: World, scope: str) -> None:
    token = Client().post(
        "/oauth/token",
        {"grant_type": "client_credentials", "scope": scope},
        headers={"Authorization": caller(ours).basic},
    )
    asker = Asker(headers={"Authorization": f"Bearer {token.json()['access_token']}"})
    made = scheduled(ours)

    assert asker.ask(VIEWER)
    response = json.loads(asker.send(CLONE, {"id": str(made.pk)}).content)
    if scope == "communication.read":
        assert code_of(response["errors"][0]) == "FORBIDDEN"
    else:
        assert "errors" not in response


def test_a_client_keeps_to_its_pace(ours: World) -> None:
    asker = program(caller(ours, requests_per_minute=2))
    for _ in range(2):
        asker.ask(VIEWER)

    response = asker.send(VIEWER)

    assert code_of(refusal(response, 429)) == "RATE_LIMITED"
    assert int(response["Retry-After"]) > 0


def test_a_session_must_prove_that_the_page_is_ours(ours: World) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ours.editor)
    asker = Asker(browser)

    error = refusal(asker.send(VIEWER), 403)
    browser.get("/broadcasts/new/")
    token = browser.cookies["csrftoken"].value

    assert code_of(error) == "FORBIDDEN"
    assert "X-CSRFToken" in error["message"]
    assert asker.send(VIEWER, X_CSRFToken=token).status_code == 200
    assert asker.send(VIEWER, X_CSRFToken="x" * 32).status_code == 403


def test_a_program_needs_no_such_proof(ours: World) -> None:
    known = caller(ours)
    asker = Asker(Client(enforce_csrf_checks=True), {"Authorization": known.basic})

    assert asker.ask(VIEWER)


class BrokenError(Exception):
    pass


@pytest.mark.parametrize("who", ["person", "client"])
def test_a_fault_is_told_without_its_text(
    ours: World,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    who: str,
) -> None:
    def breaks(*_: object) -> None:
        raise BrokenError("password=hunter2")

    monkeypatch.setattr(retry, "state", breaks)
    asker = person(ours.editor) if who == "person" else program(caller(ours))

    with caplog.at_level(logging.ERROR):
        response = asker.send(STATE, {"id": str(finished(ours, "failed").pk)})

    error = only_error(response)
    assert code_of(error) == "INTERNAL_SERVER_ERROR"
    assert b"hunter2" not in response.content
    assert error["extensions"]["requestId"] == response["X-Request-Id"]
    assert "hunter2" in caplog.text


def test_a_fault_of_the_door_itself_is_told_the_same_way(
    ours: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise BrokenError("password=hunter2")

    monkeypatch.setattr("broadcasts.graphql.limits.check", breaks)

    response = person(ours.editor).send(VIEWER)

    assert response.status_code == 500
    assert code_of(only_error(response)) == "INTERNAL_SERVER_ERROR"
    assert b"hunter2" not in response.content


def test_the_same_key_does_it_once(ours: World, writer: Asker) -> None:
    made = scheduled(ours)
    variables = {"id": str(made.pk)}

    first = writer.send(CLONE, variables, Idempotency_Key="k1")
    again = writer.send(CLONE, variables, Idempotency_Key="k1")
    other = writer.send(CANCEL, variables, Idempotency_Key="k1")

    assert json.loads(first.content) == json.loads(again.content)
    assert again["Idempotency-Replayed"] == "true"
    assert Broadcast.objects.filter(name__startswith="Copy of").count() == 1
    assert code_of(refusal(other, 422)) == "BAD_USER_INPUT"


def test_a_question_is_asked_anew_under_the_same_key(
    ours: World, writer: Asker
) -> None:
    first = writer.send(NAMES, {"first": 5}, Idempotency_Key="k1")
    ours.broadcast(name="New")
    again = writer.send(NAMES, {"first": 5}, Idempotency_Key="k1")

    assert first.content != again.content


def test_a_look_costs_few_queries(
    ours: World, agent: Asker, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    # The session, the person with the organization, and the rights.
    with django_assert_num_queries(3):
        agent.ask(VIEWER)
