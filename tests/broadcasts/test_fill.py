"""Members become messages: by which way, or why not, and never twice."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from broadcasts import drafts, fill, flows, run, schedule
from broadcasts.audience import Audience
from broadcasts.models import Broadcast, BroadcastState, Flow
from broadcasts.summary import counters_of
from messaging.models import Contact, Message, MessageState, SkipReason
from tests.broadcasts.factories import (
    SOON,
    flow_fields,
    make_due,
    published_flow,
    route,
    rows_of,
    scheduled,
    started,
    states_of,
)
from tests.factories import World

NOWHERE = {"phone": "", "email": "", "telegram_chat_id": ""}


def flow_broadcast(world: World, flow: Flow | None = None, **values: Any) -> Broadcast:
    flow = flow or published_flow(world)
    draft = drafts.create_draft(
        organization=world.organization,
        person=world.editor,
        fields=flow_fields(world, flow, **values),
    )
    return schedule.schedule(
        broadcast=draft,
        person=world.editor,
        run_at=timezone.now() + SOON,
        time_zone="UTC",
    )


@pytest.mark.django_db
def test_each_member_gets_one_row_with_what_it_needs_to_leave(ours: World) -> None:
    template = ours.template()
    whatsapp = ours.integration()
    member = ours.contact(name="Ama Mensah", external_id="P1")

    broadcast = started(scheduled(ours, routes=[route(whatsapp, template)]))

    message = rows_of(broadcast).get()
    assert message.contact == member
    assert (message.state, message.channel) == ("queued", "whatsapp")
    assert (message.integration, message.content) == (whatsapp, template)
    assert message.recipient == member.phone
    assert message.due_at == broadcast.run_at
    assert message.root_id is None
    assert message.parameters == {
        "name": "Ama Mensah",
        "first_name": "Ama",
        "external_id": "P1",
    }
    assert (broadcast.state, broadcast.is_filled) == ("sending", True)


@pytest.mark.django_db
def test_the_day_of_the_tallies_is_the_organizations(ours: World) -> None:
    ours.organization.time_zone = "Pacific/Kiritimati"
    ours.organization.save()
    ours.contact()

    broadcast = started(scheduled(ours))

    assert broadcast.run_at is not None
    message = rows_of(broadcast).get()
    assert message.day == (broadcast.run_at + timedelta(hours=14)).date()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("audience", "expected"),
    [
        (Audience(), {"A", "B", "C"}),
        (Audience(tags=("vip", "gold")), {"A", "B"}),
        (Audience(tags=("vip",), countries=("gh",)), {"A"}),
        (Audience(languages=("fr",)), {"C"}),
        (Audience(tags=("100% %s",)), set()),
    ],
)
def test_the_audience_is_a_filter_over_own_members(
    ours: World, theirs: World, audience: Audience, expected: set[str]
) -> None:
    ours.contact(external_id="A", tags=["vip"], country="GH", language="en")
    ours.contact(external_id="B", tags=["gold", "vip"], country="NL", language="en")
    ours.contact(external_id="C", country="CI", language="fr")
    theirs.contact(external_id="T", tags=["vip"], country="GH")
    stored = Audience.from_json(audience.to_json())

    broadcast = started(scheduled(ours, audience=stored))

    reached = rows_of(broadcast).values_list("contact__external_id", flat=True)
    assert set(reached) == expected


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

    flows.unpublish(flow=flow, person=ours.editor)
    run.tick()

    assert states_of(broadcast) == ["queued", "queued", "skipped", "skipped"]


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


@pytest.mark.django_db
def test_nobody_matches_and_the_broadcast_ends(ours: World) -> None:
    broadcast = started(scheduled(ours, audience=Audience(tags=("nobody",))))

    assert broadcast.state == BroadcastState.COMPLETED


@pytest.mark.django_db(transaction=True)
def test_a_kill_between_or_within_pages_makes_no_row_twice(
    ours: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = {ours.contact().pk for _ in range(7)}
    broadcast = scheduled(ours)
    make_due(broadcast)
    run.start_due()
    assert fill.fill_page(broadcast.pk, page=3)

    def killed(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(fill, "_move_on", killed)
        with pytest.raises(KeyboardInterrupt):
            fill.fill_page(broadcast.pk, page=3)
    assert rows_of(broadcast).count() == 3

    run.tick()

    made = list(rows_of(broadcast).values_list("contact_id", flat=True))
    assert sorted(made) == sorted(members)


@pytest.mark.django_db(transaction=True)
def test_two_ticks_at_once_share_the_pages(ours: World) -> None:
    Contact.objects.bulk_create(
        Contact(organization=ours.organization, external_id=f"M{n}", phone="")
        for n in range(400)
    )
    broadcasts = [scheduled(ours) for _ in range(3)]
    for broadcast in broadcasts:
        make_due(broadcast)
    failures: list[BaseException] = []

    def tick() -> None:
        try:
            run.fail_late()
            run.start_due()
            while any(fill.fill_page(one.pk, page=20) for one in broadcasts):
                pass
        except BaseException as error:  # noqa: BLE001 - shown by the test itself.
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=tick) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run.tick()

    assert not failures
    for broadcast in broadcasts:
        assert rows_of(broadcast).count() == 400
        broadcast.refresh_from_db()
        assert broadcast.is_filled


@pytest.mark.django_db
def test_a_fill_that_stood_still_for_hours_fails_the_rest(ours: World) -> None:
    for _ in range(4):
        ours.contact()
    broadcast = scheduled(ours)
    make_due(broadcast)
    run.start_due()
    fill.fill_page(broadcast.pk, page=2)
    Broadcast.objects.filter(pk=broadcast.pk).update(
        filled_at=timezone.now() - timedelta(hours=3)
    )

    fill.fill_page(broadcast.pk, page=1)
    fill.fill_page(broadcast.pk, page=5)

    assert states_of(broadcast) == ["queued", "queued", "failed", "failed"]
    late = rows_of(broadcast).filter(state=MessageState.FAILED)
    assert {one.error_code for one in late} == {"resend_admin:missed_time"}


@pytest.mark.django_db
def test_rows_and_tallies_agree_after_a_fill(ours: World) -> None:
    ours.contact()
    ours.contact(**NOWHERE)

    broadcast = started(scheduled(ours))

    counters = counters_of(broadcast)
    assert counters.total == Message.objects.filter(broadcast_id=broadcast.pk).count()
    assert (counters.untried, counters.skipped) == (1, 1)
    assert counters.skips[0].reason == SkipReason.NO_CHANNEL
