"""However many broadcasts are asked, and however much of each: so many queries."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from tests.broadcasts.factories import finished, outcomes, retried, started
from tests.broadcasts.graphql.asking import Asker
from tests.factories import World
from tests.test_doors import COUNTS_ROWS

pytestmark = pytest.mark.django_db

CALLER = 3
"""The session, the person with the organization, and the rights."""
LIST = "query List($first: Int!) { broadcasts(first: $first) { nodes { %s } } }"
COUNTERS = "counters { total failed } failuresByCause { code verdict } skips { reason }"
ROWS = "rows(first: 2) { nodes { messageId contact { name } answer } }"
FAILED = 'rows(first: 2, cause: "whatsapp:131016") { nodes { messageId } }'
FAILED_ALONE = f"failed: {FAILED}"
CHAIN = "chain { aimed reached runs { broadcastId counters { total } } }"
RUNS = "chain { runs { broadcast { name createdBy flow { name } } } }"
WAYS = "routes { integration { name } template { name } } fallbacks { position }"


@pytest.fixture(autouse=True)
def news(ours: World) -> None:
    """Three broadcasts, two of them with a retry that has run."""
    for number in range(3):
        source = finished(ours, "delivered", "failed", "failed", name=f"News {number}")
        if number:
            outcomes(started(retried(source, ours)), "delivered", "failed")


@pytest.mark.parametrize("first", [2, 5])
@pytest.mark.parametrize(
    ("fields", "queries"),
    [
        (
            "name status flow { name } createdBy retryOfBroadcastId audience { tags }",
            1,
        ),
        (COUNTERS, 2),
        (WAYS, 2),
        ("retries { name status }", 2),
        (f"retries {{ {COUNTERS} {WAYS} }}", 4),
        (CHAIN, 3),
        (RUNS, 4),
        (ROWS, 4),
        (FAILED, 4),
        (f"{COUNTERS} {WAYS} retries {{ id }} {CHAIN}", 6),
    ],
)
def test_a_list_costs_the_same_however_long(
    agent: Asker,
    django_assert_num_queries: DjangoAssertNumQueries,
    first: int,
    fields: str,
    queries: int,
) -> None:
    with django_assert_num_queries(CALLER + queries):
        told = agent.ask(LIST % fields, first=first)

    assert len(told["broadcasts"]["nodes"]) == first


def test_fifty_cost_what_one_costs(ours: World, agent: Asker) -> None:
    fields = f"name {COUNTERS} {WAYS} retryOf {{ name }} {RUNS} {ROWS} {FAILED_ALONE}"

    def queries(first: int) -> int:
        with CaptureQueriesContext(connection) as asked:
            told = agent.ask(LIST % fields, first=first)
        nodes = told["broadcasts"]["nodes"]
        assert len(nodes) == first
        assert all(one["counters"]["failed"] == 1 for one in nodes)
        assert all(len(one["failed"]["nodes"]) == 1 for one in nodes)
        return len(asked)

    outcomes(started(retried(finished(ours, "failed"), ours)), "failed")
    one = queries(1)
    for _ in range(24):
        source = finished(ours, "failed")
        outcomes(started(retried(source, ours)), "failed")

    assert queries(50) == one


def test_sources_are_looked_up_together(
    agent: Asker, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(CALLER + 3):
        told = agent.ask(LIST % "name retryOf { name counters { failed } }", first=5)

    sources = {
        one["name"]: one["retryOf"] and one["retryOf"]["name"]
        for one in told["broadcasts"]["nodes"]
    }
    assert sources == {
        "Retry of News 2": "News 2",
        "News 2": None,
        "Retry of News 1": "News 1",
        "News 1": None,
        "News 0": None,
    }


def test_each_broadcast_gets_its_own(agent: Asker) -> None:
    told = agent.ask(
        LIST % f"name {COUNTERS} {CHAIN} retries {{ name }} {ROWS}", first=5
    )

    by_name = {one["name"]: one for one in told["broadcasts"]["nodes"]}
    retry, source, alone = (
        by_name[name] for name in ("Retry of News 1", "News 1", "News 0")
    )
    assert source["retries"] == [{"name": "Retry of News 1"}]
    assert alone["retries"] == retry["retries"] == []
    assert (source["counters"]["failed"], retry["counters"]["failed"]) == (2, 1)
    assert source["chain"] == retry["chain"]
    assert (source["chain"]["aimed"], source["chain"]["reached"]) == (3, 2)
    assert (alone["chain"]["aimed"], alone["chain"]["reached"]) == (3, 1)
    ids = [row["messageId"] for one in by_name.values() for row in one["rows"]["nodes"]]
    assert len(ids) == len(set(ids)) == 10


def test_nothing_is_counted_row_by_row(agent: Asker) -> None:
    fields = f"{COUNTERS} {WAYS} retries {{ id }} {RUNS} {ROWS}"

    with CaptureQueriesContext(connection) as queries:
        agent.ask(LIST % fields, first=5)

    assert [one["sql"] for one in queries if COUNTS_ROWS.search(one["sql"])] == []
