"""A retry to members who are named one by one: exactly these, and nobody twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from broadcasts import chain, drafts, listing, retention, run, schedule
from broadcasts.models import Broadcast
from broadcasts.problems import ProblemCode
from messaging import audit
from messaging.models import Message
from tests.broadcasts.factories import (
    SOON,
    age,
    draft,
    finished,
    flow_broadcast,
    outcomes,
    published_flow,
    refusal,
    retried,
    rows_of,
    scheduled,
    stand,
    started,
    states_of,
)
from tests.broadcasts.views.pages import text_of, url_of
from tests.factories import World

pytestmark = pytest.mark.django_db


def listed(
    world: World,
    source: Broadcast,
    *contact_ids: int,
    include_unknown: bool = False,
) -> Broadcast:
    return listing.create(
        broadcast=source,
        person=world.editor,
        run_at=timezone.now() + SOON,
        time_zone="UTC",
        contact_ids=contact_ids,
        include_unknown=include_unknown,
    )


def sums(broadcast: Broadcast) -> dict[str, int]:
    found = chain.summary(Broadcast.objects.get(pk=broadcast.pk))
    names = ("aimed", "reached", "waiting", "failed", "skipped", "cancelled", "unknown")
    return {name: number for name in names if (number := getattr(found, name))}


def test_members_of_the_chain_go_on_from_their_row(ours: World) -> None:
    source = finished(ours, "failed", "skipped", "delivered")
    failed, skipped, _ = rows_of(source)

    made = listed(ours, source, skipped.contact_id, failed.contact_id)

    assert (made.retry_of, made.root, made.state) == (source, source, "scheduled")
    assert [(one.contact_id, one.root_id) for one in rows_of(made)] == [
        (failed.contact_id, failed.pk),
        (skipped.contact_id, skipped.pk),
    ]


def test_who_was_in_no_run_gets_the_same_way_out(ours: World) -> None:
    source = finished(ours, "delivered")
    [row] = rows_of(source)
    outsider = ours.contact(name="Ama Owusu")

    made = started(listed(ours, source, outsider.pk))

    [new] = rows_of(made)
    assert (new.state, new.root_id) == ("queued", None)
    assert (new.recipient, new.channel) == (outsider.phone, "whatsapp")
    assert (new.integration_id, new.content_id) == (row.integration_id, row.content_id)
    assert new.parameters["first_name"] == "Ama"


def test_who_got_it_is_left_in_peace(ours: World) -> None:
    source = finished(ours, "failed", "delivered")
    failed, delivered = rows_of(source)

    made = started(listed(ours, source, failed.contact_id, delivered.contact_id))

    assert [(one.state, one.reason) for one in rows_of(made)] == [
        ("queued", ""),
        ("skipped", "already_reached"),
    ]
    outcomes_of = rows_of(made).filter(state="queued")
    stand(outcomes_of, "delivered")
    assert sums(source) == {"aimed": 2, "reached": 2}


def test_who_may_have_got_it_is_refused_until_somebody_says_so(ours: World) -> None:
    source = finished(ours, "failed", "unknown", "unknown")
    failed, doubtful, _ = rows_of(source)
    ids = (failed.contact_id, doubtful.contact_id)

    problem = refusal(lambda: listed(ours, source, *ids))
    made = listed(ours, source, *ids, include_unknown=True)

    assert (problem.code, problem.field) == (ProblemCode.BAD_USER_INPUT, "contact_ids")
    assert problem.sentence.startswith(
        f"Nobody can tell whether it has reached contact {doubtful.contact_id}, so"
    )
    assert source.retries.get() == made
    assert states_of(started(made)) == ["queued", "queued"]


def test_a_refusal_names_a_handful_of_them(ours: World) -> None:
    source = finished(ours, *["unknown"] * 7)
    ids = list(rows_of(source).values_list("contact", flat=True))

    sentence = refusal(lambda: listed(ours, source, *ids)).sentence

    assert f"{ids[4]} and 2 more, so it might" in sentence
    assert str(ids[5]) not in sentence


def test_who_comes_to_be_in_doubt_meanwhile_is_left_out(ours: World) -> None:
    source = finished(ours, "failed", "failed")
    failed, doubtful = rows_of(source)
    made = listed(ours, source, failed.contact_id, doubtful.contact_id)
    stand(Message.objects.filter(pk=doubtful.pk), "unknown")

    started(made)

    states = {one.contact_id: one.state for one in rows_of(made)}
    assert states[failed.contact_id] == "queued"
    assert states[doubtful.contact_id] in {"cancelled", "skipped"}


def test_a_doubt_that_was_settled_is_none(ours: World) -> None:
    source = finished(ours, "unknown", "failed")
    doubtful, failed = rows_of(source)
    first = started(retried(source, ours, include_unknown=True))
    outcomes(first, "failed", "delivered")

    ids = (doubtful.contact_id, failed.contact_id)

    # The source knows no answer; the run that brought one does.
    assert "Nobody can tell" in refusal(lambda: listed(ours, source, *ids)).sentence
    made = started(listed(ours, first, *ids))

    states = {one.contact_id: one.state for one in rows_of(made)}
    assert states == {doubtful.contact_id: "queued", failed.contact_id: "skipped"}


def test_when_all_of_them_got_it_nothing_is_made(ours: World) -> None:
    source = finished(ours, "failed", "delivered")
    retry = started(retried(source, ours))
    outcomes(retry, "delivered")

    problem = refusal(
        lambda: listed(ours, source, *rows_of(source).values_list("contact", flat=True))
    )

    assert problem.code == ProblemCode.BAD_USER_INPUT
    assert problem.sentence.startswith("Everybody on the list has got it already.")
    assert source.retries.count() == 1


def test_the_chain_aims_at_newcomers_too(ours: World) -> None:
    source = finished(ours, "delivered", "failed", "failed")
    _, first, _ = rows_of(source)
    outsider, lost = ours.contact(), ours.contact()
    made = listed(ours, source, first.contact_id, outsider.pk, lost.pk)

    assert sums(source) == {"aimed": 5, "reached": 1, "waiting": 3, "failed": 1}

    outcomes(started(made), "delivered", "delivered", "failed")
    assert sums(source) == {"aimed": 5, "reached": 3, "failed": 2}
    assert audit.tally_differences() == audit.figure_differences() == []


def test_a_cancelled_list_leaves_everybody_where_they_stood(ours: World) -> None:
    source = finished(ours, "delivered", "failed")
    before = sums(source)
    made = listed(ours, source, rows_of(source)[1].contact_id, ours.contact().pk)

    schedule.cancel(broadcast=made, person=ours.editor)

    assert states_of(made) == ["cancelled", "cancelled"]
    assert sums(source) == before


def test_what_was_cancelled_before_it_left_is_sent_to_some(ours: World) -> None:
    contact = ours.contact()
    ours.contact()
    source = started(scheduled(ours))
    schedule.cancel(broadcast=source, person=ours.editor)
    assert sums(source) == {"aimed": 2, "cancelled": 2}

    outcomes(started(listed(ours, source, contact.pk)), "delivered")

    assert sums(source) == {"aimed": 2, "reached": 1, "cancelled": 1}


def test_rows_that_have_aged_out_do_not_matter(ours: World) -> None:
    source = finished(ours, "failed")
    contact_id = rows_of(source)[0].contact_id
    age(source)
    retention.prune(ours.organization)
    assert not Message.objects.exists()

    made = listed(ours, source, contact_id)

    assert states_of(made) == ["planned"]


def test_its_failures_are_retried_like_any_others(ours: World) -> None:
    source = finished(ours, "delivered")
    outsider = ours.contact()
    made = started(listed(ours, source, outsider.pk))
    outcomes(made, "failed")

    again = retried(made, ours)

    assert [one.contact_id for one in rows_of(again)] == [outsider.pk]
    outcomes(started(again), "delivered")
    assert sums(source) == {"aimed": 2, "reached": 2}


def test_a_flow_that_never_began_is_sent_as_it_is_now(ours: World) -> None:
    contact = ours.contact(whatsapp_inbound_at=timezone.now())
    flow = published_flow(ours)
    source = flow_broadcast(ours, flow)
    schedule.cancel(broadcast=source, person=ours.editor)

    made = started(listed(ours, source, contact.pk))

    assert states_of(made) == ["queued"]
    assert made.content_id == flow.published_content_id


@pytest.mark.parametrize("state", ["draft", "scheduled", "sending", "failed"])
def test_the_source_has_to_be_over(ours: World, state: str) -> None:
    contact = ours.contact()
    source = draft(ours) if state == "draft" else scheduled(ours)
    if state == "sending":
        started(source)
    if state == "failed":
        Broadcast.objects.filter(pk=source.pk).update(
            run_at=timezone.now() - timedelta(hours=9)
        )
        run.tick()

    problem = refusal(lambda: listed(ours, source, contact.pk))

    assert problem.code == ProblemCode.BAD_USER_INPUT
    assert source.retries.count() == 0


def test_one_retry_is_live_at_a_time(ours: World) -> None:
    source = finished(ours, "failed")
    retried(source, ours)

    problem = refusal(lambda: listed(ours, source, ours.contact().pk))

    assert problem.code == ProblemCode.CONFLICT


def test_a_list_has_an_end(ours: World) -> None:
    source = finished(ours, "failed")

    problem = refusal(lambda: listed(ours, source, *range(1, listing.MOST + 2)))

    assert problem.sentence == "Name at most 10,000 members; the list has 10,001."


def test_an_agent_may_not(ours: World) -> None:
    source = finished(ours, "failed")

    problem = refusal(
        lambda: listing.create(
            broadcast=source,
            person=ours.agent,
            run_at=timezone.now() + SOON,
            time_zone="UTC",
            contact_ids=[1],
        )
    )

    assert problem.code == ProblemCode.FORBIDDEN


def test_its_page_says_that_it_went_by_a_list(ours: World) -> None:
    source = finished(ours, "failed", name="News")
    client = Client()
    client.force_login(ours.agent)

    made = listed(ours, source, ours.contact().pk, ours.contact().pk)

    page = text_of(client.get(url_of("detail", made)))
    assert "2 members on a list" in page
    assert "missed" not in page
    copy = drafts.clone(broadcast=made, person=ours.editor)
    assert copy.audience == source.audience
