"""The start of a retry: the same way, unless something says otherwise."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from django.utils import timezone

from broadcasts import run, schedule
from broadcasts.fields import fields_of
from broadcasts.models import Broadcast
from broadcasts.problems import ProblemCode
from messaging.models import MessageState, SkipReason
from tests.broadcasts.factories import (
    finished,
    flow_broadcast,
    only,
    refusal,
    retried,
    route,
    rows_of,
    stand,
    started,
    states_of,
)
from tests.factories import World

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("each_way_of_making"),
]


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
    source = started(flow_broadcast(world))
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
    run.tick()
    message = rows_of(made).get()
    assert (message.due_at, message.day) == (later, later.date())
