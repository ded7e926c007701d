"""What is asked is answered: lists, one broadcast, rows, causes, the chain."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from broadcasts import run
from broadcasts.audience import Audience
from broadcasts.models import Broadcast
from messaging.channels import catalogue
from tests.broadcasts.factories import (
    BLOCKED,
    TIMED_OUT,
    draft,
    finished,
    flow_broadcast,
    only,
    outcomes,
    published_flow,
    retried,
    route,
    rows_of,
    scheduled,
    stand,
    started,
    template_fields,
)
from tests.broadcasts.graphql.asking import Asker, code_of
from tests.factories import World

pytestmark = pytest.mark.django_db

NAMES = """
query Names($first: Int!, $after: String, $filter: BroadcastFilter) {
  broadcasts(first: $first, after: $after, filter: $filter) {
    nodes { name }
    edges { cursor }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""


def names(asker: Asker, **variables: Any) -> list[str]:
    found = asker.ask(NAMES, **{"first": 25, **variables})["broadcasts"]
    return [one["name"] for one in found["nodes"]]


def test_broadcasts_come_newest_first_page_by_page(ours: World, agent: Asker) -> None:
    for number in range(5):
        ours.broadcast(name=f"B{number}")

    first = agent.ask(NAMES, first=2)["broadcasts"]
    second = agent.ask(NAMES, first=2, after=first["pageInfo"]["endCursor"])
    last = names(agent, after=second["broadcasts"]["pageInfo"]["endCursor"])

    assert [one["name"] for one in first["nodes"]] == ["B4", "B3"]
    assert first["pageInfo"]["hasNextPage"] is True
    assert first["pageInfo"]["hasPreviousPage"] is False
    assert first["edges"][-1]["cursor"] == first["pageInfo"]["endCursor"]
    assert [one["name"] for one in second["broadcasts"]["nodes"]] == ["B2", "B1"]
    assert second["broadcasts"]["pageInfo"]["hasPreviousPage"] is True
    assert last == ["B0"]


def test_a_broadcast_made_meanwhile_moves_nothing(ours: World, agent: Asker) -> None:
    for number in range(3):
        ours.broadcast(name=f"B{number}")
    first = agent.ask(NAMES, first=2)["broadcasts"]

    ours.broadcast(name="B3")

    assert names(agent, after=first["pageInfo"]["endCursor"]) == ["B0"]


def test_the_list_is_narrowed(ours: World, theirs: World, agent: Asker) -> None:
    theirs.broadcast(name="Theirs")
    long_ago = ours.broadcast(name="Spring 100%")
    Broadcast.objects.filter(pk=long_ago.pk).update(
        created_at=timezone.now() - timedelta(days=40)
    )
    ours.broadcast("draft", name="Summer")
    by_mail = scheduled(
        ours,
        name="By mail",
        routes=[route(ours.integration("smtp"), ours.template())],
    )
    source = finished(ours, "failed", name="Autumn")
    retried(source, ours)
    week_ago = (timezone.now() - timedelta(days=7)).isoformat()

    def found(**wanted: Any) -> list[str]:
        return names(agent, filter=wanted)

    assert found(name="SUM") == ["Summer"]
    assert found(name="100%") == ["Spring 100%"]
    assert found(statuses=["DRAFT", "SCHEDULED"]) == [
        "Retry of Autumn",
        "By mail",
        "Summer",
    ]
    assert found(statuses=[]) == []
    assert found(channel="EMAIL") == ["By mail"]
    assert found(createdBefore=week_ago) == ["Spring 100%"]
    assert "Spring 100%" not in found(createdFrom=week_ago)
    assert found(isRetry=True) == ["Retry of Autumn"]
    assert "Retry of Autumn" not in found(isRetry=False)
    assert by_mail.run_at is not None
    moment = by_mail.run_at
    assert found(
        runFrom=moment.isoformat(),
        runBefore=(moment + timedelta(microseconds=1)).isoformat(),
    ) == ["By mail"]


ONE = """
query One($id: ID!) {
  broadcast(id: $id) {
    id name kind status statusReason runAt timeZone expiresAt createdAt startedAt
    finishedAt createdBy retryOfBroadcastId url
    flow { id name isPublished }
    audience { tags countries languages sentence }
    routes { position integration { id name channel status }
             template { id name language } }
    fallbacks { position template { name } }
    counters { total delivered deliveredAfterRetry read sent sending waiting untried
               failed unknown skipped cancelled failedKept }
    failuresByCause { code errorReasons count title diagnosis advice errorClass verdict
                      waitSeconds }
    skips { reason words count }
    retryOf { id }
    retries { id }
  }
}
"""


def test_one_broadcast_tells_everything_about_itself(ours: World, agent: Asker) -> None:
    source = finished(ours, "delivered", "failed", "skipped", "unknown", "failed")
    stand(only(rows_of(source), 4), "failed", BLOCKED)

    told = agent.ask(ONE, id=str(source.pk))["broadcast"]

    assert (told["status"], told["kind"]) == ("COMPLETED", "TEMPLATE")
    assert told["createdBy"] == ours.editor.username
    assert told["finishedAt"].endswith("Z")
    assert told["url"].endswith(f"/broadcasts/{source.pk}/")
    assert told["counters"] == {
        "total": 5,
        "delivered": 1,
        "deliveredAfterRetry": 0,
        "read": 0,
        "sent": 0,
        "sending": 0,
        "waiting": 0,
        "untried": 0,
        "failed": 2,
        "unknown": 1,
        "skipped": 1,
        "cancelled": 0,
        "failedKept": 2,
    }
    causes = {one["errorReasons"][0]: one for one in told["failuresByCause"]}
    assert {one["count"] for one in causes.values()} == {1}
    assert causes[TIMED_OUT]["errorClass"] == "RETRY"
    assert causes[BLOCKED]["errorClass"] == "NEVER"
    assert causes[BLOCKED]["verdict"] == "No, they blocked the bot"
    assert causes[BLOCKED]["errorReasons"] == [BLOCKED]
    assert all(one["advice"] and one["diagnosis"] for one in causes.values())
    assert told["skips"] == [
        {"reason": "opted_out", "words": "The member opted out", "count": 1}
    ]
    [way] = told["routes"]
    assert way["integration"]["channel"] == "WHATSAPP"
    assert way["template"]["language"] == "en"
    assert told["audience"]["sentence"].startswith("tagged of ")
    assert (told["retryOf"], told["retries"], told["fallbacks"]) == (None, [], [])


def test_a_flow_names_its_flow_and_its_fallbacks(ours: World, agent: Asker) -> None:
    made = flow_broadcast(
        ours,
        published_flow(ours, name="Welcome"),
        fallbacks=[route(ours.integration(), ours.template("again"))],
        audience=Audience(tags=("vip",), countries=("GH",), languages=("en",)),
    )

    told = agent.ask(ONE, id=str(made.pk))["broadcast"]

    assert told["flow"]["name"] == "Welcome"
    assert told["fallbacks"] == [{"position": 1, "template": {"name": "again"}}]
    assert told["routes"][0]["template"] is None
    assert told["audience"] == {
        "tags": ["vip"],
        "countries": ["GH"],
        "languages": ["en"],
        "sentence": "tagged vip, in GH, speaking en",
    }


CHAIN = """
query Chain($id: ID!) {
  broadcast(id: $id) {
    retryOfBroadcastId
    retryOf { name }
    retries { name retryOfBroadcastId }
    audience { sentence }
    chain {
      aimed reached waiting failed unknown skipped cancelled sentence
      failuresByCause { code count }
      runs { broadcastId reachedFirst counters { total failed } broadcast { name } }
    }
  }
}
"""


def test_the_chain_counts_each_person_once(ours: World, agent: Asker) -> None:
    source = finished(ours, *["delivered"] * 3, "failed", "failed", name="News")
    retry = started(retried(source, ours))
    outcomes(retry, "delivered", "failed")

    told = agent.ask(CHAIN, id=str(retry.pk))["broadcast"]

    assert told["retryOfBroadcastId"] == str(source.pk)
    assert told["retryOf"] == {"name": "News"}
    assert told["audience"]["sentence"] == "the members whom “News” missed"
    chain = told["chain"]
    assert (chain["aimed"], chain["reached"], chain["failed"]) == (5, 4, 1)
    assert chain["sentence"].startswith("5 aimed, 4 reached in 2 runs, 1 failed")
    assert chain["failuresByCause"] == [{"code": TIMED_OUT, "count": 1}]
    assert [
        (one["broadcast"]["name"], one["reachedFirst"], one["counters"]["failed"])
        for one in chain["runs"]
    ] == [("News", 3, 2), ("Retry of News", 1, 1)]
    above = agent.ask(CHAIN, id=str(source.pk))["broadcast"]
    assert above["retries"] == [
        {"name": "Retry of News", "retryOfBroadcastId": str(source.pk)}
    ]


ROWS = """
query Rows($id: ID!, $first: Int, $after: String, $outcomes: [Outcome!],
           $cause: String) {
  broadcast(id: $id) {
    rows(first: $first, after: $after, outcomes: $outcomes, cause: $cause) {
      nodes {
        messageId contact { id externalId name } channel recipient outcome errorReason
        errorClass reason reasonInWords attemptCount usedFallback createdAt outcomeAt
        sentAt deliveredAt readAt answer
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""


def rows(asker: Asker, broadcast: Broadcast, **wanted: Any) -> Any:
    variables = {"first": 25, "id": str(broadcast.pk), **wanted}
    return asker.ask(ROWS, **variables)["broadcast"]["rows"]


def test_rows_come_newest_first_and_of_some_outcomes(ours: World, agent: Asker) -> None:
    source = finished(ours, "delivered", "failed", "skipped", "failed")
    delivered, first, skipped, second = rows_of(source)
    stand(only(rows_of(source), 1), "failed", BLOCKED)

    everyone = rows(agent, source)["nodes"]
    failed = rows(agent, source, outcomes=["FAILED"])["nodes"]
    others = rows(agent, source, outcomes=["SKIPPED", "DELIVERED"])["nodes"]

    assert [one["messageId"] for one in everyone] == [
        one.public_id for one in (second, skipped, first, delivered)
    ]
    assert [one["errorReason"] for one in failed] == [TIMED_OUT, BLOCKED]
    assert [one["errorClass"] for one in failed] == ["RETRY", "NEVER"]
    assert failed[0]["contact"] == {
        "id": str(second.contact_id),
        "externalId": second.contact.external_id,
        "name": second.contact.name,
    }
    assert [one["outcome"] for one in others] == ["SKIPPED", "DELIVERED"]
    assert others[0]["reasonInWords"] == "The member opted out"
    blocked = catalogue.lookup(BLOCKED).code
    assert rows(agent, source, cause=blocked)["nodes"] == [failed[1]]
    assert rows(agent, source, cause="nobody:knows")["nodes"] == []
    assert rows(agent, source, outcomes=[])["nodes"] == []


def test_rows_are_paged(ours: World, agent: Asker) -> None:
    source = finished(ours, *["failed"] * 5)
    seen: list[str] = []
    after = None

    for _ in range(3):
        page = rows(agent, source, first=2, after=after, outcomes=["FAILED"])
        seen += [one["messageId"] for one in page["nodes"]]
        after = page["pageInfo"]["endCursor"]

    assert seen == [one.public_id for one in rows_of(source).order_by("-pk")]
    assert page["pageInfo"]["hasNextPage"] is False


STATE = """
query State($id: ID!) {
  retryState(broadcastId: $id) {
    enabled reason contactCount isExact runAt liveRetry { name status }
  }
}
"""


def test_the_state_of_the_button_is_the_page_s(ours: World, agent: Asker) -> None:
    source = finished(ours, "delivered", "failed", "failed", name="News")
    running = started(scheduled(ours))

    state = agent.ask(STATE, id=str(source.pk))["retryState"]
    waits = agent.ask(STATE, id=str(running.pk))["retryState"]
    retried(source, ours)
    taken = agent.ask(STATE, id=str(source.pk))["retryState"]

    assert (state["enabled"], state["contactCount"], state["reason"]) == (True, 2, None)
    assert waits["reason"].startswith("It is still sending.")
    assert (taken["enabled"], taken["liveRetry"]["status"]) == (False, "SCHEDULED")
    assert "is already scheduled for" in taken["reason"]


def test_what_a_broadcast_is_made_of_is_listed(
    ours: World, theirs: World, writer: Asker
) -> None:
    for world in (ours, theirs):
        published_flow(world, name=f"Flow of {world.organization.name}")
        template_fields(world)
    draft(ours)

    told = writer.ask(
        "{ flows { name } templates { name } integrations { id channel status }"
        " quota { used limit refusal } viewer { name organizationName mayWrite } }"
    )

    assert told["flows"] == [{"name": "Flow of Ours"}]
    assert {one["name"] for one in told["templates"]} == {"renewal"}
    assert len(told["integrations"]) == 2
    assert told["quota"] == {"used": 1, "limit": 25, "refusal": None}
    assert told["viewer"] == {
        "name": "Shop (write)",
        "organizationName": "Ours",
        "mayWrite": True,
    }


def test_a_failed_broadcast_says_why_it_could_not_run(
    ours: World, agent: Asker
) -> None:
    late = scheduled(ours)
    Broadcast.objects.filter(pk=late.pk).update(
        run_at=timezone.now() - timedelta(hours=12)
    )
    run.tick()

    told = agent.ask(ONE, id=str(late.pk))["broadcast"]

    assert told["status"] == "FAILED"
    assert told["statusReason"].startswith("It was due on")


@pytest.mark.parametrize("first", [0, -1, 101, 2**31 - 1])
def test_a_page_has_1_to_100_rows(agent: Asker, first: int) -> None:
    error = agent.error(NAMES, first=first)

    assert code_of(error) == "BAD_USER_INPUT"
    assert error["message"] == f"Ask for 1 to 100 rows; first is {first}."
    assert error["extensions"]["field"] == "first"


@pytest.mark.parametrize("after", ["", "nonsense", "WzFdWzFd", "W10", "WyJhIl0", "é"])
def test_a_cursor_of_something_else_is_refused(agent: Asker, after: str) -> None:
    error = agent.error(NAMES, first=5, after=after)

    assert code_of(error) == "BAD_USER_INPUT"
    assert "Leave after out" in error["message"]
