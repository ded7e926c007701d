"""Failures by cause across everything: the page's own numbers, and few queries."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from broadcasts.causes import groups
from broadcasts.models import Broadcast
from messaging.channels.catalogue import lookup
from messaging.models import BulkResend
from tests.broadcasts.factories import (
    BLOCKED,
    TIMED_OUT,
    finished,
    retried,
    rows_of,
    stand,
    started,
)
from tests.broadcasts.graphql.asking import Asker, code_of
from tests.broadcasts.test_causes import CLOSED, single
from tests.factories import World

pytestmark = pytest.mark.django_db

CAUSES = """
query Causes($first: Int! = 25) {
  causes {
    code errorReasons count title diagnosis advice errorClass verdict waitSeconds
    help resendable singleMessages channels { channel count } firstAt lastAt readyAt
    seenToAt failedSince needsAPerson
    broadcasts(first: $first) {
      count isExact isRetryable
      broadcast { id name counters { failed } routes { integration { name } } }
    }
  }
}
"""


def causes(asker: Asker, **variables: Any) -> dict[str, dict[str, Any]]:
    return {one["code"]: one for one in asker.ask(CAUSES, **variables)["causes"]}


def test_it_tells_what_the_page_tells(ours: World, agent: Asker) -> None:
    news = finished(ours, "failed", "failed", "delivered", name="News")
    stand(rows_of(finished(ours, "failed", name="Offer")), "failed", CLOSED)
    single(ours, CLOSED)

    told = causes(agent)

    shown = {one.entry.code: one for one in groups(ours.organization)}
    assert list(told) == list(shown)
    for code, one in told.items():
        assert one["count"] == shown[code].number
        assert one["advice"] == shown[code].entry.advice
        assert one["errorReasons"] == list(shown[code].codes)
        assert one["resendable"] == shown[code].resendable
        assert one["needsAPerson"] is shown[code].needs_a_person
    closed, timed_out = told[CLOSED], told[TIMED_OUT]
    assert (closed["help"], timed_out["help"]) == ("FIX", "NOW")
    assert (closed["count"], closed["singleMessages"]) == (2, 1)
    assert closed["channels"] == [{"channel": "WHATSAPP", "count": 2}]
    [place] = timed_out["broadcasts"]
    assert place["broadcast"]["id"] == str(news.pk)
    assert place["broadcast"]["counters"] == {"failed": 2}
    assert (place["count"], place["isRetryable"]) == (2, True)


def test_whoever_a_retry_took_over_counts_there_alone(
    ours: World, agent: Asker
) -> None:
    source = finished(ours, "failed", "failed", name="News")
    retry = started(retried(source, ours))
    stand(rows_of(retry), "failed", TIMED_OUT)

    [cause] = causes(agent).values()

    assert cause["count"] == 2
    assert [one["broadcast"]["name"] for one in cause["broadcasts"]] == [retry.name]


def test_it_tells_that_somebody_saw_to_it(ours: World, agent: Asker) -> None:
    finished(ours, "failed")
    seen = BulkResend.objects.create(
        organization=ours.organization,
        created_by_name="Ada",
        chosen="All that failed of one cause",
        cause=TIMED_OUT,
    )

    [cause] = causes(agent).values()

    moment = seen.created_at.isoformat().replace("+00:00", "Z")
    assert cause["seenToAt"] == moment
    assert (cause["failedSince"], cause["needsAPerson"]) == (0, False)


def test_another_organization_s_causes_are_not_among_them(
    ours: World, theirs: World, agent: Asker, stranger: Asker
) -> None:
    finished(ours, "failed", "failed")
    stand(rows_of(finished(theirs, "failed")), "failed", BLOCKED)

    assert list(causes(agent)) == [TIMED_OUT]
    assert list(causes(stranger)) == [lookup(BLOCKED).code]


def test_nothing_failed(agent: Asker) -> None:
    assert causes(agent) == {}


@pytest.mark.parametrize("first", [0, -1, 101])
def test_its_broadcasts_come_in_pages(ours: World, agent: Asker, first: int) -> None:
    finished(ours, "failed", "failed", name="Most")
    finished(ours, "failed", name="Fewest")

    [cause] = causes(agent, first=1).values()

    assert [one["broadcast"]["name"] for one in cause["broadcasts"]] == ["Most"]
    error = agent.error(f"{{ causes {{ broadcasts(first: {first}) {{ count }} }} }}")
    assert code_of(error) == "BAD_USER_INPUT"
    assert error["message"] == f"Ask for 1 to 100 rows; first is {first}."


def test_it_is_weighed(agent: Asker) -> None:
    def several(number: int) -> str:
        aliases = (f"a{one}: causes {{ count }}" for one in range(number))
        return f"{{ {' '.join(aliases)} }}"

    inner = "broadcast { counters { total } failuresByCause { code } }"
    wide = f"{{ causes {{ broadcasts(first: 100) {{ {inner} }} }} }}"

    assert agent.ask(several(6))["a5"] == []
    assert "is the limit" in agent.error(several(7))["message"]
    assert "is the limit" in agent.error(wide)["message"]


def test_it_costs_the_same_however_many_broadcasts_failed(
    ours: World, agent: Asker
) -> None:
    query = (
        "{ causes { count firstAt channels { count } broadcasts(first: 50)"
        " { count broadcast { name counters { failed } } } } }"
    )

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            [cause] = agent.ask(query)["causes"]
        assert len(cause["broadcasts"]) == Broadcast.objects.count()
        return len(asked)

    finished(ours, "failed")
    one = queries()
    for _ in range(49):
        made = ours.broadcast()
        ours.message(
            broadcast_id=made.pk,
            state="failed",
            error_code=TIMED_OUT,
            error_class="retry",
            attempt_count=1,
            due_at=None,
            state_at=timezone.now(),
        )

    assert queries() == one


def test_it_costs_the_same_however_many_causes_there_are(
    ours: World, agent: Asker
) -> None:
    query = "{ causes { code broadcasts { count broadcast { name } } } }"

    def queries(number: int) -> int:
        with CaptureQueriesContext(connection) as asked:
            told = agent.ask(query)["causes"]
        assert len(told) == number
        assert all(cause["broadcasts"] for cause in told)
        return len(asked)

    finished(ours, "failed")
    one = queries(1)
    for code in ("whatsapp:131026", "whatsapp:131047", "whatsapp:131049"):
        ours.message(
            broadcast_id=ours.broadcast().pk,
            state="failed",
            error_code=code,
            error_class="permanent",
            attempt_count=1,
            due_at=None,
            state_at=timezone.now(),
        )

    assert queries(4) == one
