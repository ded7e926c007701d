"""What asks for too much is refused before anything is looked up, and in words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from graphql import get_introspection_query

from broadcasts.graphql.limits import MOST_COST
from tests.broadcasts.graphql.asking import PATH, Asker, code_of, only_error, person
from tests.factories import World

pytestmark = pytest.mark.django_db


def refused(asker: Asker, query: str, variables: Any = None, status: int = 400) -> str:
    """Return the sentence; nothing but who is asking may have been looked up."""
    with CaptureQueriesContext(
        connection,
    ) as queries:
        response = asker.send(query, variables)
    assert response.status_code == status, response.content
    assert "data" not in json.loads(response.content)
    error = only_error(response)
    assert code_of(error) == "BAD_USER_INPUT"
    assert not [one for one in queries if "broadcasts_" in one["sql"]]
    sentence: str = error["message"]
    return sentence


def deep(levels: int) -> str:
    return "{ broadcast(id: 1) { " + "retryOf { " * levels + "id" + " }" * levels + "}}"


def test_a_query_has_12_levels(ours: World, agent: Asker) -> None:
    made = ours.broadcast()

    assert agent.ask(deep(10).replace("id: 1", f"id: {made.pk}"))
    assert refused(agent, deep(11)).startswith("The query is 13 levels deep; 12 are")


def test_depth_hides_in_no_fragment(agent: Asker) -> None:
    query = deep(1).replace("id }", "...A }") + " fragment A on Broadcast { retries { "
    query += "retryOf { " * 10 + "... on Broadcast { ...B }" + " }" * 10 + " } }"
    query += " fragment B on Broadcast { id }"

    assert refused(agent, query).startswith("The query is 14 levels deep")


def test_rows_times_their_fields_are_limited(agent: Asker) -> None:
    fields = "id name status runAt createdAt counters { total failed } "
    query = "query A($n: Int!) { broadcasts(first: $n) { nodes { %s } } }"
    rows = "rows(first: 100) { nodes { messageId outcome contact { id name } } }"

    assert agent.ask(query % fields, n=100)
    sentence = refused(agent, query % (fields + rows), {"n": 100})
    assert f"and {MOST_COST:,} is the limit" in sentence
    assert agent.ask(query % (fields + rows), n=10)


@pytest.mark.parametrize(
    "query",
    [
        "query A($n: Int! = 100) { broadcasts(first: 100) { nodes { rows(first: $n)"
        " { nodes { contact { id } } } } } }",
        "{ broadcasts(first: 100) { edges { node { ...A } } } }"
        " fragment A on Broadcast { rows(first: 100) { nodes { contact { id } } } }",
        "{ broadcasts(first: 99999999999999999999) { nodes { rows(first: 100)"
        " { nodes { contact { id } } } } } }",
    ],
)
def test_cost_hides_in_no_variable_or_fragment(agent: Asker, query: str) -> None:
    assert "is the limit" in refused(agent, query)


def test_a_query_has_20_aliases(agent: Asker) -> None:
    def names(number: int) -> str:
        aliases = " ".join(f"a{one}: __typename" for one in range(number))
        return f"query {{ {aliases} ...F }} fragment F on Query {{ __typename }}"

    assert agent.ask(names(20))
    assert refused(agent, names(21)).startswith("The query names 21 aliases; 20 are")


def test_a_fragment_counts_as_often_as_it_is_spread(agent: Asker) -> None:
    doubling = "".join(
        f" fragment F{one} on Query {{ ...F{one + 1} ...F{one + 1} }}"
        for one in range(40)
    )
    query = "{ ...F0 }" + doubling + " fragment F40 on Query { a: __typename }"

    assert "aliases; 20 are allowed" in refused(agent, query)


def test_a_fragment_does_not_contain_itself(agent: Asker) -> None:
    query = "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }"

    assert refused(agent, query) == "The fragment A contains itself."


def test_a_query_has_2_000_words(agent: Asker) -> None:
    assert "token" in refused(agent, "{" + " a" * 2_001 + " }")


def test_a_query_has_20_000_characters(agent: Asker) -> None:
    query = "{ __typename } #" + "x" * 20_000

    assert refused(agent, query).startswith("Shorten the query to 20,000 characters")


def test_a_query_that_nests_without_end_is_refused(agent: Asker) -> None:
    for opening in ("{a", "[", "{a(b:{c:"):
        query = "{ viewer(x: " + opening * 900 if opening != "{a" else opening * 900
        sentence = refused(agent, query)
        assert sentence.startswith(("Syntax Error", "The query is nested too deeply"))


def test_one_request_makes_five_changes(agent: Asker) -> None:
    names = " ".join(f"a{one}: cloneBroadcast(id: 1) {{ id }}" for one in range(6))

    sentence = refused(agent, f"mutation {{ {names} }}")

    assert sentence == "One request changes at most 5 things; this one 6."


def test_changes_do_not_hide_in_a_fragment(agent: Asker) -> None:
    names = " ".join(f"a{one}: cloneBroadcast(id: 1) {{ id }}" for one in range(6))

    sentence = refused(
        agent, f"mutation {{ ...A }} fragment A on Mutation {{ {names} }}"
    )

    assert sentence == "One request changes at most 5 things; this one 6."


def test_a_body_has_256_kilobytes(agent: Asker) -> None:
    ids = ["1" * 18] * 12_000

    sentence = refused(agent, "{ __typename }", {"ids": ids}, status=413)

    assert sentence == "The body is larger than 262,144 bytes."


def post(asker: Asker, body: Any, content_type: str = "application/json") -> Any:
    return asker.client.post(PATH, body, content_type=content_type)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ('[{"query": "{ __typename }"}]', "lists of them are not taken"),
        ('"{ __typename }"', "Send one request as an object"),
        ("{", "not valid JSON"),
        ('{"query": "{ __typename }", "query": "{ a }"}', "names a field twice"),
        ("{}", "under query"),
        ('{"query": 1}', "under query"),
        ('{"query": "  "}', "under query"),
        ('{"query": "{ __typename }", "variables": []}', "as an object"),
        ('{"query": "{ __typename }", "operationName": 1}', "as text"),
        ('{"query": "{ __typename }", "operationName": "A"}', "Name the operation"),
        ('{"query": "query A { a } query B { b }"}', "Name the operation"),
        ('{"query": "fragment A on Query { a }"}', "Name the operation"),
        ('{"query": "subscription { a }"}', "subscription"),
        ('{"query": "{ nothing }"}', "Cannot query field"),
        ('{"query": "{ broadcasts }"}', "must have a selection of subfields"),
        (
            '{"query": "query A($n: Int!) { broadcasts(first: $n) { nodes { id } } }"}',
            "$n",
        ),
        (
            '{"query": "{ broadcasts(filter: {runFrom: 1}) { nodes { id } } }"}',
            "moment",
        ),
        (
            '{"query": "{ broadcasts(filter: {name: \\"a\\\\u0000\\"})'
            ' { nodes { id } } }"}',
            "cannot be stored",
        ),
        (
            '{"query": "{ __typename }", "variables": {"a": "\\u0000"}}',
            "cannot be stored",
        ),
    ],
)
def test_what_cannot_be_understood_is_refused(
    agent: Asker, body: str, word: str
) -> None:
    response = post(agent, body)

    error = only_error(response)
    assert (response.status_code, code_of(error)) == (400, "BAD_USER_INPUT")
    assert word in error["message"]


@pytest.mark.parametrize(
    "kind", ["text/plain", "multipart/form-data; boundary=x", "application/graphql"]
)
def test_a_body_is_json(agent: Asker, kind: str) -> None:
    response = post(agent, '{"query": "{ __typename }"}', kind)

    assert (response.status_code, code_of(only_error(response))) == (
        415,
        "BAD_USER_INPUT",
    )


def test_a_question_may_stand_in_the_address(ours: World, agent: Asker) -> None:
    ours.broadcast(name="News")
    query = "query A($n: Int!) { broadcasts(first: $n) { nodes { name } } }"

    told = agent.client.get(
        PATH, {"query": query, "variables": '{"n": 5}', "operationName": "A"}
    ).json()

    assert told["data"]["broadcasts"]["nodes"] == [{"name": "News"}]


@pytest.mark.parametrize(
    ("values", "status", "allowed"),
    [
        ({"query": "mutation { cloneBroadcast(id: 1) { id } }"}, 405, "POST"),
        ({"query": "{ __typename }", "variables": "{"}, 400, None),
        ({"query": ""}, 400, None),
        ({}, 400, None),
    ],
)
def test_a_change_does_not_stand_in_the_address(
    agent: Asker, values: dict[str, str], status: int, allowed: str | None
) -> None:
    response = agent.client.get(PATH, values)

    assert (response.status_code, response.get("Allow")) == (status, allowed)
    assert code_of(only_error(response)) == "BAD_USER_INPUT"


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_other_methods_are_not_allowed(agent: Asker, method: str) -> None:
    response = getattr(agent.client, method)(PATH)

    assert (response.status_code, response["Allow"]) == (405, "GET, POST")


def test_the_schema_describes_itself_to_whoever_may_ask(agent: Asker) -> None:
    told = agent.ask(get_introspection_query())

    names = {one["name"] for one in told["__schema"]["types"]}
    assert {"Broadcast", "Mutation", "DateTime"} <= names


def test_the_schema_is_not_asked_in_circles(agent: Asker) -> None:
    circle = "fields { type { " * 5 + "name" + " } }" * 5

    response = agent.send(f"{{ __schema {{ types {{ {circle} }} }} }}")

    assert response.status_code == 400
    assert {code_of(one) for one in json.loads(response.content)["errors"]} == {
        "BAD_USER_INPUT"
    }


def test_the_answer_is_of_the_kind_that_was_asked_for(ours: World) -> None:
    asker = person(ours.agent)
    modern = "application/graphql-response+json"

    plain = asker.send("{ __typename }")
    special = asker.send("{ __typename }", Accept=f"{modern}, application/json;q=0.9")

    assert plain["Content-Type"] == "application/json; charset=utf-8"
    assert special["Content-Type"] == f"{modern}; charset=utf-8"
    assert plain["Cache-Control"] == "no-store"


def test_the_door_shows_people_to_the_explorer(ours: World) -> None:
    response = Client().get(PATH, headers={"Accept": "text/html"})

    assert (response.status_code, response["Location"]) == (302, "/graphql/")
