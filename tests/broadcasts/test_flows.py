"""Flows: edited at will, frozen when published."""

from __future__ import annotations

import pytest

from broadcasts import flows
from broadcasts.models import Flow
from broadcasts.problems import Problem, ProblemCode
from messaging.models import Content
from tests.broadcasts.factories import published_flow
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
