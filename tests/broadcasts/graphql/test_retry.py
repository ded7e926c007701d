"""``retryFailedContacts``, word by word as the vendor describes it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from broadcasts import retention
from broadcasts.models import Broadcast
from tests.broadcasts.factories import (
    age,
    draft,
    finished,
    outcomes,
    retried,
    rows_of,
    scheduled,
    started,
)
from tests.broadcasts.graphql.asking import Asker, code_of
from tests.factories import World

pytestmark = pytest.mark.django_db

RETRY = """
mutation Retry($id: ID!, $runAt: DateTime, $ids: [ID!], $unknown: Boolean,
               $zone: String) {
  retryFailedContacts(broadcastId: $id, runAt: $runAt, contactIds: $ids,
                      includeUnknown: $unknown, timeZone: $zone) {
    id name status kind runAt timeZone createdBy retryOfBroadcastId
    routes { integration { id } template { id } }
    counters { total untried }
    rows { nodes { contact { id } outcome } }
  }
}
"""


def made_by(asker: Asker, source: Broadcast, **variables: object) -> dict[str, object]:
    values = {"unknown": False, **variables}
    told: dict[str, object] = asker.ask(RETRY, id=str(source.pk), **values)[
        "retryFailedContacts"
    ]
    return told


def refused(asker: Asker, source: Broadcast, **variables: object) -> tuple[str, str]:
    values = {"unknown": False, **variables}
    error = asker.error(RETRY, id=str(source.pk), **values)
    return code_of(error), error["message"]


def members(told: dict[str, object]) -> set[int]:
    nodes = told["rows"]["nodes"]  # type: ignore[index]
    return {int(one["contact"]["id"]) for one in nodes}


def test_a_retry_is_a_new_broadcast_to_those_who_failed(
    ours: World, editor: Asker
) -> None:
    source = finished(ours, "delivered", "failed", "skipped", "failed", name="News")
    before = Broadcast.objects.filter(pk=source.pk).values().get()

    told = made_by(editor, source)

    assert told["status"] == "SCHEDULED"
    assert told["retryOfBroadcastId"] == str(source.pk)
    assert told["name"] == "Retry of News"
    assert told["createdBy"] == ours.editor.username
    assert told["counters"] == {"total": 2, "untried": 2}
    _, first, _, second = rows_of(source)
    assert members(told) == {first.contact_id, second.contact_id}
    assert Broadcast.objects.filter(pk=source.pk).values().get() == before


def test_without_a_time_it_runs_in_two_minutes(ours: World, writer: Asker) -> None:
    source = finished(ours, "failed")

    told = made_by(writer, source)

    ahead = datetime.fromisoformat(str(told["runAt"])) - timezone.now()
    assert timedelta(minutes=1, seconds=50) < ahead < timedelta(minutes=3)
    assert told["createdBy"] is None


def test_it_is_scheduled_days_ahead_on_a_wall_clock(ours: World, writer: Asker) -> None:
    source = finished(ours, "failed")
    day = timezone.now().date() + timedelta(days=9)

    told = made_by(writer, source, runAt=f"{day}T18:30:00", zone="Pacific/Kiritimati")

    assert told["runAt"] == f"{day}T04:30:00Z"
    assert told["timeZone"] == "Pacific/Kiritimati"


def test_unknown_ones_only_on_request(ours: World, writer: Asker) -> None:
    source = finished(ours, "failed", "unknown")

    told = made_by(writer, source, unknown=True)

    assert told["counters"] == {"total": 2, "untried": 2}


def test_the_retry_of_a_retry_takes_its_failures_only(
    ours: World, writer: Asker
) -> None:
    source = finished(ours, "failed", "failed", name="News")
    first = started(retried(source, ours))
    _, still = outcomes(first, "delivered", "failed")

    told = made_by(writer, first)

    assert told["name"] == "Retry 2 of News"
    assert told["retryOfBroadcastId"] == str(first.pk)
    assert members(told) == {still.contact_id}


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("draft", "This is a draft: nobody has been sent anything yet."),
        ("scheduled", "It has not run yet. Wait until it has finished."),
        ("sending", "It is still sending. Wait until it has finished, or cancel it."),
        ("completed", "Nothing failed, so there is nothing to retry."),
    ],
)
def test_the_reasons_are_those_of_the_page(
    ours: World, writer: Asker, state: str, sentence: str
) -> None:
    ours.contact()
    source = {
        "draft": lambda: draft(ours),
        "scheduled": lambda: scheduled(ours),
        "sending": lambda: started(scheduled(ours)),
        "completed": lambda: finished(ours, "delivered"),
    }[state]()

    assert refused(writer, source) == ("BAD_USER_INPUT", sentence)


def test_rows_that_have_aged_out_cannot_be_looked_up(
    ours: World, writer: Asker
) -> None:
    source = finished(ours, "failed")
    age(source)
    retention.prune(ours.organization)

    code, sentence = refused(writer, source)

    assert code == "BAD_USER_INPUT"
    assert sentence.startswith("There are no failed contacts to look up. ")
    assert "older than 30 days" in sentence
    assert "Clone the broadcast" in sentence


def test_a_second_live_retry_is_refused(ours: World, writer: Asker) -> None:
    source = finished(ours, "failed")
    retried(source, ours)

    error = writer.error(RETRY, id=str(source.pk), unknown=False)

    assert code_of(error) == "BAD_USER_INPUT"
    assert error["extensions"]["isConflict"] is True
    assert "is already scheduled for" in error["message"]


def test_a_retry_takes_a_slot(ours: World, writer: Asker) -> None:
    source = finished(ours, "failed")
    ours.organization.broadcast_quota = 1
    ours.organization.save()
    scheduled(ours, name="In the way")

    code, sentence = refused(writer, source)

    assert code == "QUOTA_EXCEEDED"
    assert "cancel “In the way”" in sentence
    assert Broadcast.objects.filter(retry_of=source).count() == 0


@pytest.mark.parametrize(
    ("run_at", "word"),
    [
        ("2020-01-01T00:00:00Z", "at least 2 minutes ahead"),
        ("0001-01-01T00:00:00Z", "between the years"),
        ("9999-12-31T23:59:59-14:00", "between the years"),
    ],
)
def test_a_time_that_cannot_be_is_refused(
    ours: World, writer: Asker, run_at: str, word: str
) -> None:
    source = finished(ours, "failed")

    error = writer.error(RETRY, id=str(source.pk), unknown=False, runAt=run_at)

    assert (code_of(error), error["extensions"]["field"]) == (
        "BAD_USER_INPUT",
        "runAt",
    )
    assert word in error["message"]


def test_the_list_of_contacts_replaces_the_failed_ones(
    ours: World, writer: Asker
) -> None:
    source = finished(ours, "failed", "skipped", "delivered")
    failed, skipped, delivered = rows_of(source)
    outsider = ours.contact()
    ids = [skipped.contact_id, outsider.pk, delivered.contact_id, outsider.pk]

    told = made_by(writer, source, ids=[str(one) for one in ids])

    assert members(told) == set(ids)
    assert failed.contact_id not in members(told)
    assert told["counters"] == {"total": 3, "untried": 3}


def test_the_list_reaches_nobody_twice_by_accident(ours: World, writer: Asker) -> None:
    source = finished(ours, "unknown", "delivered", "failed")
    doubtful, delivered, failed = rows_of(source)
    ids = [str(one.contact_id) for one in (doubtful, delivered, failed)]

    code, sentence = refused(writer, source, ids=ids)
    made_by(writer, source, ids=ids, unknown=True)

    assert code == "BAD_USER_INPUT"
    assert f"reached contact {doubtful.contact_id}, so it might" in sentence
    run = started(source.retries.get())
    states = {one.contact_id: one.state for one in rows_of(run)}
    assert states == {
        doubtful.contact_id: "queued",
        delivered.contact_id: "skipped",
        failed.contact_id: "queued",
    }


def test_another_organization_s_contact_is_not_found(
    ours: World, theirs: World, writer: Asker
) -> None:
    source = finished(ours, "failed")
    mine, foreign = ours.contact(), theirs.contact()

    for strange in (str(foreign.pk), "999999999", "abc", "-1", "9" * 30, ""):
        answer = refused(writer, source, ids=[str(mine.pk), strange])
        assert answer == ("NOT_FOUND", "There is no such contact.")
    assert Broadcast.objects.filter(retry_of=source).count() == 0


def test_an_empty_list_names_nobody(ours: World, writer: Asker) -> None:
    source = finished(ours, "failed")

    code, sentence = refused(writer, source, ids=[])

    assert code == "BAD_USER_INPUT"
    assert sentence.startswith("The list names nobody.")
