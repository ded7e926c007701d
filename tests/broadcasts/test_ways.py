"""By which way a member is written to, or why not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from broadcasts import fill, flows, run
from broadcasts.models import Broadcast
from messaging.dispatch import pace
from messaging.dispatch.claim import claim
from messaging.models import SkipReason
from tests.broadcasts.factories import (
    NOWHERE,
    flow_broadcast,
    make_due,
    published_flow,
    route,
    rows_of,
    scheduled,
    started,
    states_of,
)
from tests.factories import World

OPEN, CLOSED, NEVER = timedelta(hours=-23), timedelta(hours=-25), None


CHOICES = [
    # member, last inbound, routes, fallbacks -> state, channel or reason
    ({}, OPEN, ["whatsapp"], [], "queued", "whatsapp"),
    ({}, CLOSED, ["whatsapp"], [], "skipped", SkipReason.WINDOW_CLOSED),
    ({}, NEVER, ["whatsapp"], [], "skipped", SkipReason.WINDOW_CLOSED),
    ({}, CLOSED, ["whatsapp", "sms"], [], "queued", "sms"),
    ({}, CLOSED, ["whatsapp"], ["whatsapp"], "fallback", "whatsapp"),
    ({}, CLOSED, ["whatsapp"], ["sms"], "fallback", "sms"),
    ({}, OPEN, ["whatsapp"], ["sms"], "queued", "whatsapp"),
    ({}, OPEN, ["sms", "whatsapp"], [], "queued", "sms"),
    (NOWHERE, OPEN, ["whatsapp"], ["sms"], "skipped", SkipReason.NO_CHANNEL),
    (
        {**NOWHERE, "email": "a@example.org"},
        OPEN,
        ["whatsapp", "telegram"],
        [],
        "skipped",
        SkipReason.NO_ROUTE,
    ),
    (
        {**NOWHERE, "telegram_chat_id": "7"},
        NEVER,
        ["whatsapp", "telegram"],
        [],
        "queued",
        "telegram",
    ),
    (
        {"opted_out_channels": ["whatsapp"]},
        OPEN,
        ["whatsapp"],
        [],
        "skipped",
        SkipReason.OPTED_OUT,
    ),
    (
        {"opted_out_channels": ["whatsapp"]},
        OPEN,
        ["whatsapp", "sms"],
        [],
        "queued",
        "sms",
    ),
    (
        {"opted_out_channels": ["sms"]},
        CLOSED,
        ["whatsapp"],
        ["sms"],
        "skipped",
        SkipReason.WINDOW_CLOSED,
    ),
]


KINDS = {
    "whatsapp": "whatsapp_cloud",
    "sms": "twilio",
    "telegram": "telegram_bot",
    "email": "smtp",
}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("member", "inbound", "routes", "fallbacks", "state", "where"), CHOICES
)
def test_the_way_of_a_flow(
    ours: World,
    member: dict[str, Any],
    inbound: timedelta | None,
    routes: list[str],
    fallbacks: list[str],
    state: str,
    where: str,
) -> None:
    last = timezone.now() + inbound if inbound else None
    ours.contact(**member, whatsapp_inbound_at=last)
    template = ours.template()

    broadcast = started(
        flow_broadcast(
            ours,
            routes=[route(ours.integration(KINDS[one])) for one in routes],
            fallbacks=[
                route(ours.integration(KINDS[one]), template) for one in fallbacks
            ],
        )
    )

    message = rows_of(broadcast).get()
    assert message.used_fallback == (state == "fallback")
    if state == "skipped":
        assert (message.state, message.reason) == (state, where)
    else:
        assert (message.state, message.channel) == ("queued", where)
        expected = template.pk if state == "fallback" else broadcast.content_id
        assert message.content_id == expected


@pytest.mark.django_db
def test_a_template_needs_no_window_and_neither_does_a_flow_that_begins_with_one(
    ours: World,
) -> None:
    ours.contact()
    flow = published_flow(ours, ours.template(), ours.text(), name="Opens itself")

    assert states_of(started(scheduled(ours))) == ["queued"]
    assert states_of(started(flow_broadcast(ours, flow=flow))) == ["queued"]


@pytest.mark.django_db
def test_a_flow_that_is_not_published_skips_everybody(ours: World) -> None:
    ours.contact(whatsapp_inbound_at=timezone.now())
    flow = published_flow(ours)
    broadcast = flow_broadcast(ours, flow=flow)
    flows.unpublish(flow=flow, person=ours.editor)

    started(broadcast)

    message = rows_of(broadcast).get()
    assert (message.state, message.reason) == ("skipped", "flow_unpublished")


@pytest.mark.django_db
def test_a_flow_unpublished_midway_skips_the_rest(ours: World) -> None:
    for _ in range(4):
        ours.contact(whatsapp_inbound_at=timezone.now())
    flow = published_flow(ours)
    broadcast = flow_broadcast(ours, flow=flow)
    make_due(broadcast)
    run.start_due()
    fill.fill_page(broadcast.pk, page=2)
    integration = rows_of(broadcast)[0].integration
    assert integration is not None
    pace.prepare(integration.pk)
    claim(integration, limit=1)

    flows.unpublish(flow=flow, person=ours.editor)
    run.tick()

    # What is leaving leaves; whoever waits, with a row or without, is skipped.
    assert states_of(broadcast) == ["sending", "skipped", "skipped", "skipped"]
    assert set(rows_of(broadcast).values_list("reason", flat=True)) == {
        "",
        "flow_unpublished",
    }


@pytest.mark.django_db
def test_what_is_sent_is_what_was_published_at_the_start(ours: World) -> None:
    ours.contact(whatsapp_inbound_at=timezone.now())
    flow = published_flow(ours)
    broadcast = started(flow_broadcast(ours, flow=flow))
    content = rows_of(broadcast).get().content

    flows.save_steps(flow=flow, person=ours.editor, contents=[ours.text("New")])
    flows.publish(flow=flow, person=ours.editor)

    broadcast.refresh_from_db()
    assert broadcast.content == content
    assert rows_of(broadcast).get().content == content


@pytest.mark.django_db
def test_what_has_expired_is_skipped(ours: World) -> None:
    ours.contact()
    broadcast = scheduled(ours)
    Broadcast.objects.filter(pk=broadcast.pk).update(
        expires_at=timezone.now() - timedelta(seconds=1)
    )

    started(broadcast)

    assert rows_of(broadcast).get().reason == SkipReason.EXPIRED
