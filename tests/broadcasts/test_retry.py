"""Retrying a broadcast: when, whom exactly, and that the source stays as it is."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from broadcasts import drafts, fill, retention, retry, retrying, run, schedule
from broadcasts.fields import fields_of
from broadcasts.models import Broadcast, BroadcastState
from broadcasts.problems import Problem, ProblemCode
from messaging.models import Attempt, Message, MessageState, SkipReason
from tests.broadcasts.factories import (
    BLOCKED,
    SOON,
    finished,
    flow_fields,
    published_flow,
    retried,
    route,
    rows_of,
    scheduled,
    stand,
    started,
    states_of,
)
from tests.factories import World

pytestmark = pytest.mark.django_db


def age(broadcast: Broadcast, days: int) -> None:
    long_ago = timezone.now() - timedelta(days=days)
    rows_of(broadcast).update(created_at=long_ago)
    Broadcast.objects.filter(pk=broadcast.pk).update(started_at=long_ago)


def refusal(call: Callable[[], object]) -> Problem:
    with pytest.raises(Problem) as caught:
        call()
    return caught.value


def only(rows: Any, place: int) -> Any:
    return Message.objects.filter(pk=list(rows)[place].pk)


# -- The button ----------------------------------------------------------------


def draft_state(world: World) -> Broadcast:
    return world.broadcast("draft")


def pruned(world: World) -> Broadcast:
    made = finished(world, "failed", "delivered")
    age(made, 31)
    retention.prune(world.organization)
    return made


def partly_pruned(world: World) -> Broadcast:
    made = finished(world, "failed", "failed", "delivered")
    only(rows_of(made), 0).update(created_at=timezone.now() - timedelta(days=31))
    Broadcast.objects.filter(pk=made.pk).update(started_at=None)
    retention.prune(world.organization)
    return made


def cancelled_midway(world: World) -> Broadcast:
    for _ in range(2):
        world.contact()
    made = started(scheduled(world))
    stand(only(rows_of(made), 0), MessageState.FAILED)
    return schedule.cancel(broadcast=made, person=world.editor)


def with_scheduled_retry(world: World) -> Broadcast:
    made = finished(world, "failed")
    retried(made, world)
    return made


def with_sending_retry(world: World) -> Broadcast:
    made = with_scheduled_retry(world)
    started(made.retries.get())
    return made


def with_cancelled_retry(world: World) -> Broadcast:
    made = with_scheduled_retry(world)
    schedule.cancel(broadcast=made.retries.get(), person=world.editor)
    return made


def with_retry_that(state: str) -> Callable[[World], Broadcast]:
    def make(world: World) -> Broadcast:
        made = with_sending_retry(world)
        again = made.retries.get()
        stand(rows_of(again), state)
        run.tick()
        return made

    return make


def reached_late_by_its_source(world: World) -> Broadcast:
    """A retry whose only failure was reached by the source after all."""
    made = with_retry_that("failed")(world)
    stand(rows_of(made), MessageState.DELIVERED)
    return made.retries.get()


TABLE = [
    (draft_state, False, "This is a draft", 0),
    (scheduled, False, "It has not run yet. Wait", 0),
    (lambda world: started(scheduled_to_one(world)), False, "still sending. Wait", 0),
    (lambda world: world.broadcast("failed"), False, "Clone it", 0),
    (lambda world: finished(world, "delivered", "sent"), False, "Nothing failed", 0),
    (lambda world: finished(world, "skipped", "delivered"), False, "Nothing failed", 0),
    (lambda world: finished(world, "unknown"), False, "nobody can tell yet", 0),
    (lambda world: finished(world, "failed", "unknown", "failed"), True, "", 2),
    (cancelled_midway, True, "", 1),
    (pruned, False, "older than 30 days", 0),
    (partly_pruned, True, "", 1),
    (with_scheduled_retry, False, "is already scheduled for", 0),
    (with_sending_retry, False, "is sending to them now", 0),
    (with_cancelled_retry, True, "", 1),
    (with_retry_that("failed"), True, "", 1),
    (with_retry_that("skipped"), True, "", 1),
    (with_retry_that("delivered"), False, "sent to again in another run", 0),
    (with_retry_that("sent"), False, "sent to again in another run", 0),
    (with_retry_that("unknown"), False, "sent to again in another run", 0),
    (reached_late_by_its_source, False, "sent to again in another run", 0),
]


def scheduled_to_one(world: World) -> Broadcast:
    world.contact()
    return scheduled(world)


@pytest.mark.parametrize(("make", "enabled", "words", "count"), TABLE)
def test_the_button_and_its_reason(
    ours: World,
    make: Callable[[World], Broadcast],
    enabled: bool,
    words: str,
    count: int,
) -> None:
    broadcast = make(ours)
    broadcast.refresh_from_db()

    state = retry.state(broadcast)

    assert (state.enabled, state.count) == (enabled, count)
    assert bool(state.reason) is not enabled
    assert words in state.reason
    # Whoever presses all the same is told the same.
    if not enabled:
        problem = refusal(lambda: retried(broadcast, ours))
        assert problem.sentence == state.reason
        is_live = state.live_retry is not None
        expected = ProblemCode.CONFLICT if is_live else ProblemCode.BAD_USER_INPUT
        assert problem.code == expected


def test_the_dialog_shows_members_by_cause(ours: World) -> None:
    source = finished(ours, "failed", "failed", "failed", "unknown", "delivered")
    stand(only(rows_of(source), 0), "failed", BLOCKED)

    offer = retry.offer(source)

    assert (offer.count, offer.unknown_count) == (3, 1)
    assert [(one.count, one.entry.error_class) for one in offer.causes] == [
        (2, "retry"),
        (1, "never"),
    ]
    assert offer.run_at >= offer.shown_at + timedelta(minutes=2)
    assert offer.run_at <= offer.shown_at + timedelta(minutes=3)
    assert (offer.run_at.second, offer.run_at.microsecond) == (0, 0)
    assert retry.offer(source, include_unknown=True).count == 4


# -- What a retry is -----------------------------------------------------------


def test_a_retry_is_the_same_to_exactly_the_failed(ours: World) -> None:
    source = finished(ours, "delivered", "failed", "skipped", "unknown", "failed")
    _, first, _, _, second = rows_of(source)
    Message.objects.filter(pk=second.pk).update(parts_sent=2)

    made = retried(source, ours)

    assert (made.state, made.retry_of, made.root) == ("scheduled", source, source)
    assert made.name == f"Retry of {source.name}"
    assert fields_of(made).routes == fields_of(source).routes
    assert (made.kind, made.flow, made.content) == (
        source.kind,
        source.flow,
        source.content,
    )
    rows = list(rows_of(made))
    assert [row.contact_id for row in rows] == [first.contact_id, second.contact_id]
    assert [row.root_id for row in rows] == [first.pk, second.pk]
    for row, original in zip(rows, (first, second), strict=True):
        assert row.state == MessageState.PLANNED
        assert row.content_id == original.content_id
        assert row.integration_id == original.integration_id
        assert row.recipient == original.recipient
        assert row.parameters == original.parameters
    assert rows[1].parts_sent == 2


def everything(broadcast: Broadcast) -> list[list[Any]]:
    return [
        list(Broadcast.objects.filter(pk=broadcast.pk).values()),
        list(broadcast.routes.values()),
        list(rows_of(broadcast).values()),
        list(Attempt.objects.filter(message__in=rows_of(broadcast)).values()),
    ]


def test_the_source_stays_as_it_is_in_every_column(ours: World) -> None:
    source = finished(ours, "delivered", "failed", "unknown")
    before = everything(source)

    made = retried(source, ours, include_unknown=True)
    started(made)
    stand(rows_of(made), MessageState.DELIVERED)
    run.tick()

    assert everything(source) == before


def test_unknown_ones_are_sent_again_only_on_request(ours: World) -> None:
    source = finished(ours, "failed", "unknown")

    made = retried(source, ours, include_unknown=True)

    assert rows_of(made).count() == 2


def test_a_retry_of_a_retry_takes_only_what_is_left(ours: World) -> None:
    source = finished(ours, "failed", "failed")
    first = started(retried(source, ours))
    stand(only(rows_of(first), 0), MessageState.DELIVERED)
    stand(only(rows_of(first), 1), MessageState.FAILED)
    run.tick()
    first.refresh_from_db()

    second = retried(first, ours)

    assert second.name == f"Retry 2 of {source.name}"
    assert (second.retry_of, second.root) == (first, source)
    (row,) = rows_of(second)
    assert row.root_id == list(rows_of(source))[1].pk
    # The source offers nobody: one was reached, the other is planned.
    assert not retry.state(source).enabled


def test_what_fails_after_the_dialog_opened_is_not_part_of_it(ours: World) -> None:
    source = finished(ours, "failed", "sent", "failed")
    offer = retry.offer(source)
    stand(only(rows_of(source), 1), MessageState.FAILED)

    made = retrying.create(
        broadcast=source,
        person=ours.editor,
        run_at=timezone.now() + SOON,
        time_zone="UTC",
        shown_count=offer.count,
        shown_at=offer.shown_at,
    )

    assert rows_of(made).count() == 2


def test_who_was_reached_meanwhile_makes_the_person_look_again(ours: World) -> None:
    source = finished(ours, "failed", "failed")
    offer = retry.offer(source)
    stand(only(rows_of(source), 1), MessageState.DELIVERED)

    problem = refusal(
        lambda: retrying.create(
            broadcast=source,
            person=ours.editor,
            run_at=timezone.now() + SOON,
            time_zone="UTC",
            shown_count=offer.count,
            shown_at=offer.shown_at,
        )
    )

    assert problem.code == ProblemCode.CONFLICT
    assert "now it is 1 member" in problem.sentence
    assert not source.retries.exists()


def test_the_time_is_checked_with_a_little_tolerance(ours: World) -> None:
    source = finished(ours, "failed")
    offer = retry.offer(source)

    def at(seconds: int) -> Broadcast:
        return retrying.create(
            broadcast=source,
            person=ours.editor,
            run_at=timezone.now() + timedelta(seconds=seconds),
            time_zone="Africa/Accra",
            shown_count=offer.count,
            shown_at=offer.shown_at,
        )

    problem = refusal(lambda: at(85))
    assert (problem.code, problem.field) == (ProblemCode.BAD_USER_INPUT, "run_at")
    assert "(Africa/Accra)" in problem.sentence
    assert at(100).state == BroadcastState.SCHEDULED


def test_a_retry_takes_a_slot_of_the_quota(ours: World) -> None:
    source = finished(ours, "failed")
    ours.organization.broadcast_quota = 1
    ours.organization.save()
    ours.broadcast("draft", name="In the way")

    problem = refusal(lambda: retried(source, ours))

    assert problem.code == ProblemCode.QUOTA_EXCEEDED
    assert "delete the oldest draft, “In the way”" in problem.sentence


def test_strangers_and_agents_retry_nothing(ours: World, theirs: World) -> None:
    source = finished(theirs, "failed")
    own = finished(ours, "failed")
    offer = retry.offer(own)

    def by(person: Any, broadcast: Broadcast) -> Broadcast:
        return retrying.create(
            broadcast=broadcast,
            person=person,
            run_at=timezone.now() + SOON,
            time_zone="UTC",
            shown_count=offer.count,
            shown_at=offer.shown_at,
        )

    assert refusal(lambda: by(ours.editor, source)).code == ProblemCode.NOT_FOUND
    assert refusal(lambda: by(ours.agent, own)).code == ProblemCode.FORBIDDEN
    assert not Broadcast.objects.filter(retry_of__isnull=False).exists()


@pytest.mark.django_db(transaction=True)
def test_of_many_who_press_at_once_one_gets_the_retry(ours: World) -> None:
    source = finished(ours, "failed", "failed")
    offer = retry.offer(source)
    refused: list[Problem] = []
    start = threading.Barrier(4)

    def press() -> None:
        try:
            start.wait()
            retrying.create(
                broadcast=source,
                person=ours.editor,
                run_at=timezone.now() + SOON,
                time_zone="UTC",
                shown_count=offer.count,
                shown_at=offer.shown_at,
            )
        except Problem as problem:
            refused.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    made = source.retries.get()
    assert rows_of(made).count() == 2
    assert [one.code for one in refused] == [ProblemCode.CONFLICT] * 3
    assert all("is already scheduled for" in one.sentence for one in refused)


# -- Its start -----------------------------------------------------------------


def test_a_retry_goes_to_where_the_member_is_now(ours: World) -> None:
    source = finished(ours, "failed", "failed", "failed")
    moved, opted_out, gone = (row.contact for row in rows_of(source))
    made = retried(source, ours)
    moved.phone = "+233201234567"
    moved.save()
    opted_out.opted_out_channels = ["whatsapp"]
    opted_out.save()
    gone.phone = ""
    gone.save()

    started(made)

    first, second, third = rows_of(made)
    assert (first.state, first.recipient) == ("queued", "+233201234567")
    assert (second.state, second.reason) == ("skipped", SkipReason.OPTED_OUT)
    assert (third.state, third.reason) == ("skipped", SkipReason.NO_CHANNEL)


def test_whoever_a_late_receipt_reached_is_left_in_peace(ours: World) -> None:
    source = finished(ours, "failed", "failed")
    made = retried(source, ours)
    stand(only(rows_of(source), 0), MessageState.DELIVERED)

    started(made)

    assert states_of(made) == ["skipped", "queued"]
    assert rows_of(made)[0].reason == SkipReason.ALREADY_REACHED


def closed_window_source(world: World) -> Broadcast:
    """A flow that WhatsApp refused although we believed the window open."""
    world.contact(whatsapp_inbound_at=timezone.now() - timedelta(hours=1))
    draft = drafts.create_draft(
        organization=world.organization,
        person=world.editor,
        fields=flow_fields(world, published_flow(world)),
    )
    source = started(
        schedule.schedule(
            broadcast=draft,
            person=world.editor,
            run_at=timezone.now() + SOON,
            time_zone="UTC",
        )
    )
    stand(rows_of(source), "failed", "whatsapp:131047")
    run.tick()
    source.refresh_from_db()
    return source


def test_a_fallback_added_to_the_retry_opens_a_closed_window(ours: World) -> None:
    source = closed_window_source(ours)
    template = ours.template()
    made = retried(source, ours)
    fields = fields_of(made)
    whatsapp = rows_of(source).get().integration
    assert whatsapp is not None
    schedule.edit(
        broadcast=made,
        person=ours.editor,
        fields=dataclasses.replace(fields, fallbacks=[route(whatsapp, template)]),
    )

    started(made)

    message = rows_of(made).get()
    assert (message.state, message.used_fallback) == ("queued", True)
    assert message.content == template


def test_without_a_fallback_the_refused_window_stays_closed(ours: World) -> None:
    source = closed_window_source(ours)
    made = started(retried(source, ours))

    assert rows_of(made).get().reason == SkipReason.WINDOW_CLOSED


def test_a_member_who_wrote_again_opens_the_window(ours: World) -> None:
    source = closed_window_source(ours)
    made = retried(source, ours)
    member = rows_of(source).get().contact
    member.whatsapp_inbound_at = timezone.now()
    member.save()

    started(made)

    message = rows_of(made).get()
    assert message.state == MessageState.QUEUED
    assert message.content == rows_of(source).get().content


def test_an_unpublished_flow_skips_its_retry(ours: World) -> None:
    source = closed_window_source(ours)
    made = retried(source, ours)
    assert source.flow is not None
    source.flow.is_published = False
    source.flow.save()

    started(made)

    assert rows_of(made).get().reason == SkipReason.FLOW_UNPUBLISHED


def two_routes(world: World) -> Broadcast:
    first, second = world.template("first"), world.template("second")
    return finished(
        world,
        "failed",
        routes=[
            route(world.integration(), first),
            route(world.integration("twilio"), second),
        ],
    )


def test_the_same_way_is_kept_unless_routes_were_changed(ours: World) -> None:
    source = two_routes(ours)
    sms = fields_of(source).routes[1]
    rows_of(source).update(
        integration_id=sms.integration_id, content_id=sms.content_id, channel="sms"
    )

    made = started(retried(source, ours))

    message = rows_of(made).get()
    assert (message.channel, message.content_id) == ("sms", sms.content_id)


def test_changed_routes_of_a_retry_choose_again(ours: World) -> None:
    source = two_routes(ours)
    made = retried(source, ours)
    fields = fields_of(made)
    schedule.edit(
        broadcast=made,
        person=ours.editor,
        fields=dataclasses.replace(fields, routes=fields.routes[::-1]),
    )

    started(made)

    message = rows_of(made).get()
    assert message.channel == "sms"
    assert message.content_id == fields.routes[1].content_id
    assert rows_of(source).get().channel == "whatsapp"


def test_a_source_edited_before_its_retry_starts_hands_the_change_over(
    ours: World,
) -> None:
    source = two_routes(ours)
    made = retried(source, ours)
    routes = fields_of(source).routes[::-1]

    schedule.edit_routes(
        broadcast=source, person=ours.editor, routes=routes, fallbacks=[]
    )

    assert fields_of(made).routes == routes
    started(made)
    assert rows_of(made).get().channel == "sms"
    problem = refusal(
        lambda: schedule.edit_routes(
            broadcast=source, person=ours.editor, routes=routes, fallbacks=[]
        )
    )
    assert problem.code == ProblemCode.CONFLICT
    assert "Clone it" in problem.sentence


def test_a_source_edited_before_its_retry_is_made_counts_too(ours: World) -> None:
    source = two_routes(ours)
    schedule.edit_routes(
        broadcast=source,
        person=ours.editor,
        routes=fields_of(source).routes[::-1],
        fallbacks=[],
    )

    made = started(retried(source, ours))

    assert rows_of(made).get().channel == "sms"


def test_a_retry_moves_but_keeps_its_members_and_kind(ours: World) -> None:
    source = finished(ours, "failed")
    made = retried(source, ours)
    later = timezone.now() + timedelta(days=3)
    fields = dataclasses.replace(
        fields_of(made), name="Third time lucky", run_at=later, kind="flow", flow_id=7
    )

    moved = schedule.edit(broadcast=made, person=ours.editor, fields=fields)

    assert (moved.name, moved.kind, moved.run_at) == (
        "Third time lucky",
        source.kind,
        later,
    )
    message = rows_of(made).get()
    assert (message.due_at, message.day) == (later, later.date())


def test_a_retry_forgotten_midway_takes_the_rest_back(ours: World) -> None:
    source = finished(ours, "failed", "failed", "failed")
    made = retried(source, ours)
    Broadcast.objects.filter(pk=made.pk).update(run_at=timezone.now())
    run.start_due()
    fill.fill_page(made.pk, page=1)
    assert states_of(made) == ["queued", "planned", "planned"]
    stand(only(rows_of(made), 0), MessageState.DELIVERED)
    Broadcast.objects.filter(pk=made.pk).update(
        filled_at=timezone.now() - timedelta(hours=5)
    )

    run.tick()

    assert states_of(made) == ["delivered", "cancelled", "cancelled"]
    made.refresh_from_db()
    assert made.state == BroadcastState.COMPLETED
    assert retry.state(source).count == 2
