"""Strangers find nothing, agents change nothing."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.utils import timezone

from broadcasts import access, drafts, schedule
from broadcasts.models import Broadcast
from broadcasts.problems import ProblemCode
from messaging.models import Role
from tests.broadcasts.factories import (
    SOON,
    draft,
    flow_fields,
    published_flow,
    refusal,
    route,
    template_fields,
)
from tests.factories import World


def at(world: World, broadcast: Broadcast, run_at: datetime, zone: str) -> Broadcast:
    return schedule.schedule(
        broadcast=broadcast, person=world.editor, run_at=run_at, time_zone=zone
    )


@pytest.mark.django_db
def test_nothing_of_another_organization_can_be_named(
    ours: World, theirs: World
) -> None:
    foreign = theirs.integration()
    template = theirs.template()
    flow = published_flow(theirs)
    broadcast = draft(theirs)
    for call in (
        lambda: access.find(organization=ours.organization, broadcast_id=broadcast.pk),
        lambda: draft(ours, routes=[route(foreign, ours.template())]),
        lambda: draft(ours, routes=[route(ours.integration(), template)]),
        lambda: drafts.create_draft(
            organization=ours.organization,
            person=ours.editor,
            fields=flow_fields(ours, flow),
        ),
        lambda: at(ours, broadcast, timezone.now() + SOON, "UTC"),
        lambda: drafts.clone(broadcast=broadcast, person=ours.editor),
        lambda: drafts.delete_draft(broadcast=broadcast, person=ours.editor),
        lambda: schedule.cancel(broadcast=broadcast, person=ours.editor),
        lambda: schedule.edit_routes(
            broadcast=broadcast, person=ours.editor, routes=[], fallbacks=[]
        ),
        lambda: schedule.edit(
            broadcast=broadcast, person=ours.editor, fields=template_fields(ours)
        ),
    ):
        assert refusal(call).code == ProblemCode.NOT_FOUND
    assert not ours.organization.broadcasts.exists()


@pytest.mark.django_db
def test_agents_read_and_editors_write(ours: World) -> None:
    broadcast = draft(ours)
    for call in (
        lambda: drafts.clone(broadcast=broadcast, person=ours.agent),
        lambda: drafts.delete_draft(broadcast=broadcast, person=ours.agent),
        lambda: schedule.cancel(broadcast=broadcast, person=ours.agent),
    ):
        assert refusal(call).code == ProblemCode.FORBIDDEN
    operator = ours.person("operator", Role.AGENT, is_superuser=True)
    operator.organization = None
    operator.save()
    assert drafts.clone(broadcast=broadcast, person=operator)
    assert drafts.clone(broadcast=broadcast, person=None)
