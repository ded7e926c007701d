"""Flows: edited at will, frozen when published."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection
from django.utils import timezone

from broadcasts import fill, flows, run
from broadcasts.models import BroadcastState, Flow
from broadcasts.problems import Problem, ProblemCode
from messaging.models import Content
from tests.broadcasts.factories import (
    flow_broadcast,
    make_due,
    published_flow,
    started,
    states_of,
)
from tests.factories import World

pytestmark = pytest.mark.django_db


def test_publishing_freezes_the_steps_in_their_order(ours: World) -> None:
    template, text = ours.template(), ours.text("Second")
    flow = published_flow(ours, template, text)

    content = flow.published_content

    assert flow.is_published
    assert content is not None
    assert content.kind == "flow"
    assert content.payload == {
        "parts": [
            {"kind": "template", "payload": template.payload},
            {"kind": "text", "payload": {"text": "Second"}},
        ]
    }


def test_editing_leaves_what_was_published(ours: World) -> None:
    flow = published_flow(ours, ours.text("Old"))
    before = flow.published_content

    flows.save_steps(flow=flow, person=ours.editor, contents=[ours.text("New")])

    flow.refresh_from_db()
    assert flow.published_content == before
    assert flows.publish(flow=flow, person=ours.editor) != before


def test_an_unpublished_flow_keeps_its_last_content(ours: World) -> None:
    flow = published_flow(ours)

    flows.unpublish(flow=flow, person=ours.editor)

    flow.refresh_from_db()
    assert not flow.is_published
    assert flow.published_content is not None


def test_an_empty_flow_is_not_published(ours: World) -> None:
    flow = Flow.objects.create(organization=ours.organization, name="Empty")

    with pytest.raises(Problem, match="at least one step"):
        flows.publish(flow=flow, person=ours.editor)


def test_a_flow_that_no_channel_carries_is_not_published(ours: World) -> None:
    broken = Content.objects.create(
        organization=ours.organization, kind="text", payload={"text": ""}
    )

    with pytest.raises(Problem) as caught:
        published_flow(ours, broken)

    assert (caught.value.code, caught.value.field) == (
        ProblemCode.BAD_USER_INPUT,
        "steps",
    )


def test_steps_are_own_contents_and_no_flows(ours: World, theirs: World) -> None:
    flow = published_flow(ours)
    assert flow.published_content is not None

    with pytest.raises(Problem) as caught:
        flows.save_steps(flow=flow, person=ours.editor, contents=[theirs.text()])
    assert caught.value.code == ProblemCode.NOT_FOUND
    with pytest.raises(Problem) as caught:
        flows.save_steps(
            flow=flow, person=ours.editor, contents=[flow.published_content]
        )
    assert caught.value.code == ProblemCode.BAD_USER_INPUT


def test_only_own_editors_change_flows(ours: World, theirs: World) -> None:
    flow = published_flow(ours)

    for person, code in (
        (ours.agent, ProblemCode.FORBIDDEN),
        (theirs.editor, ProblemCode.NOT_FOUND),
    ):
        with pytest.raises(Problem) as caught:
            flows.unpublish(flow=flow, person=person)
        assert caught.value.code == code


def test_the_tick_skips_what_one_request_does_not(
    ours: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flows, "BATCH", 1)
    monkeypatch.setattr(flows, "UNPUBLISH_BATCHES", 2)
    for _ in range(5):
        ours.contact(whatsapp_inbound_at=timezone.now())
    flow = published_flow(ours)
    broadcast = started(flow_broadcast(ours, flow))

    flows.unpublish(flow=flow, person=ours.editor)
    assert sorted(states_of(broadcast)) == ["queued"] * 3 + ["skipped"] * 2

    run.tick()
    assert states_of(broadcast) == ["skipped"] * 5
    run.tick()
    broadcast.refresh_from_db()
    assert broadcast.state == BroadcastState.COMPLETED


def test_the_tick_leaves_published_flows_alone(ours: World) -> None:
    ours.contact(whatsapp_inbound_at=timezone.now())
    broadcast = started(flow_broadcast(ours))

    run.tick()

    assert states_of(broadcast) == ["queued"]


def somebody_waits_for_a_row() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        found: bool = cursor.fetchone()[0]
    return found


@pytest.mark.django_db(transaction=True)
def test_a_page_that_was_being_filled_does_not_leave(
    ours: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It read the flow as published, and its rows are not there for others yet."""
    ours.contact(whatsapp_inbound_at=timezone.now())
    flow = published_flow(ours)
    broadcast = flow_broadcast(ours, flow)
    make_due(broadcast)
    run.start_due()
    is_filling, may_commit = threading.Event(), threading.Event()

    def ring_when_told() -> None:
        is_filling.set()
        assert may_commit.wait(30)

    def in_thread(call: Callable[[], object]) -> threading.Thread:
        def work() -> None:
            try:
                call()
            finally:
                connection.close()

        thread = threading.Thread(target=work)
        thread.start()
        return thread

    monkeypatch.setattr(fill, "ring_on_commit", ring_when_told)
    filling = in_thread(lambda: fill.fill_page(broadcast.pk))
    assert is_filling.wait(30)
    unpublishing = in_thread(lambda: flows.unpublish(flow=flow, person=ours.editor))
    while unpublishing.is_alive() and not somebody_waits_for_a_row():
        unpublishing.join(0.02)
    may_commit.set()
    filling.join()
    unpublishing.join()

    assert states_of(broadcast) == ["skipped"]
