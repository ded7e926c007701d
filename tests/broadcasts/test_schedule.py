"""When it runs, what may change, how many there may be, and taking it back."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone

from broadcasts import access, drafts, fill, run, schedule
from broadcasts.audience import Audience, choices, preview
from broadcasts.clock import check_lead, local_moment
from broadcasts.fields import BroadcastFields, fields_of
from broadcasts.models import Broadcast, BroadcastKind, BroadcastState
from broadcasts.problems import Problem, ProblemCode
from messaging.models import Message, MessageState, Role
from tests.broadcasts.factories import (
    SOON,
    draft,
    finished,
    flow_fields,
    make_due,
    published_flow,
    retried,
    route,
    rows_of,
    scheduled,
    stand,
    started,
    states_of,
    template_fields,
)
from tests.factories import World

AMSTERDAM = "Europe/Amsterdam"


def refusal(call: Callable[[], object]) -> Problem:
    with pytest.raises(Problem) as caught:
        call()
    return caught.value


def at(world: World, broadcast: Broadcast, run_at: datetime, zone: str) -> Broadcast:
    return schedule.schedule(
        broadcast=broadcast, person=world.editor, run_at=run_at, time_zone=zone
    )


@pytest.mark.django_db
def test_a_wall_clock_counts_in_its_named_zone(ours: World) -> None:
    wall = datetime(2031, 7, 1, 9, 30)

    made = at(ours, draft(ours), wall, AMSTERDAM)

    assert made.state == BroadcastState.SCHEDULED
    assert made.run_at == wall.replace(tzinfo=ZoneInfo(AMSTERDAM))
    assert made.time_zone == AMSTERDAM


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("wall", "words"),
    [
        (datetime(2031, 3, 30, 2, 30), "02:30 does not exist on that day"),
        (datetime(2031, 10, 26, 2, 30), "02:30 happens twice on that day"),
    ],
)
def test_wall_clocks_that_summer_time_skips_or_repeats_are_refused(
    wall: datetime, words: str
) -> None:
    problem = refusal(lambda: local_moment(wall, AMSTERDAM))

    assert words in problem.sentence
    assert (problem.code, problem.field) == (ProblemCode.BAD_USER_INPUT, "run_at")


def test_the_hour_after_a_gap_is_proposed() -> None:
    problem = refusal(lambda: local_moment(datetime(2031, 3, 30, 2, 30), AMSTERDAM))

    assert "Choose 03:30" in problem.sentence


@pytest.mark.django_db
def test_a_time_too_near_is_refused_in_the_named_zone(ours: World) -> None:
    soon = timezone.now() + timedelta(seconds=110)

    problem = refusal(lambda: at(ours, draft(ours), soon, AMSTERDAM))

    assert problem.field == "run_at"
    assert "at least 2 minutes ahead" in problem.sentence
    assert f"({AMSTERDAM}) or later" in problem.sentence
    check_lead(soon, AMSTERDAM, timedelta(seconds=30))


@pytest.mark.django_db
def test_an_unknown_zone_is_refused(ours: World) -> None:
    problem = refusal(
        lambda: at(ours, draft(ours), timezone.now() + SOON, "Mars/Olympus")
    )

    assert problem.field == "time_zone"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "n" * 201}, "name"),
        ({"kind": "carrier pigeon"}, "kind"),
        ({"kind": "flow"}, "flow"),
        ({"time_zone": "Nowhere"}, "time_zone"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    ours: World, values: dict[str, object], field: str
) -> None:
    problem = refusal(lambda: draft(ours, **values))

    assert (problem.code, problem.field) == (ProblemCode.BAD_USER_INPUT, field)


@pytest.mark.django_db
def test_a_draft_without_routes_cannot_be_scheduled(ours: World) -> None:
    problem = refusal(
        lambda: at(ours, draft(ours, routes=[]), timezone.now() + SOON, "UTC")
    )

    assert problem.field == "routes"


@pytest.mark.django_db
def test_routes_name_templates_and_flows_name_none(ours: World) -> None:
    whatsapp, text, template = ours.integration(), ours.text(), ours.template()
    flow = published_flow(ours)

    def of_flow(**values: object) -> object:
        return drafts.create_draft(
            organization=ours.organization,
            person=ours.editor,
            fields=flow_fields(ours, flow, **values),
        )

    for call, field in (
        (lambda: draft(ours, routes=[route(whatsapp)]), "routes"),
        (lambda: draft(ours, routes=[route(whatsapp, text)]), "routes"),
        (lambda: draft(ours, fallbacks=[route(whatsapp)]), "fallbacks"),
        (lambda: of_flow(routes=[route(whatsapp, template)]), "routes"),
        (lambda: of_flow(fallbacks=[route(whatsapp, text)]), "fallbacks"),
    ):
        assert refusal(call).field == field
    assert of_flow(fallbacks=[route(whatsapp, template)])


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


@pytest.mark.django_db
def test_scheduled_broadcasts_change_in_everything_but_their_kind(
    ours: World,
) -> None:
    broadcast = scheduled(ours)
    flow = published_flow(ours)
    later = timezone.now() + timedelta(days=2)
    changed = dataclasses.replace(
        fields_of(broadcast),
        name="New name",
        run_at=later,
        audience=Audience(tags=("vip",)),
    )

    edited = schedule.edit(broadcast=broadcast, person=ours.editor, fields=changed)

    assert fields_of(edited) == changed
    problem = refusal(
        lambda: schedule.edit(
            broadcast=broadcast,
            person=ours.editor,
            fields=flow_fields(ours, flow, run_at=later),
        )
    )
    assert problem.field == "kind"
    other_kind = schedule.edit(
        broadcast=draft(ours), person=ours.editor, fields=flow_fields(ours, flow)
    )
    assert other_kind.kind == BroadcastKind.FLOW


@pytest.mark.django_db
def test_an_unchanged_time_may_come_near_while_something_else_is_edited(
    ours: World,
) -> None:
    broadcast = scheduled(ours)
    near = timezone.now() + timedelta(seconds=20)
    Broadcast.objects.filter(pk=broadcast.pk).update(run_at=near)
    broadcast.refresh_from_db()

    edited = schedule.edit(
        broadcast=broadcast,
        person=ours.editor,
        fields=dataclasses.replace(fields_of(broadcast), name="Typo corrected"),
    )

    assert edited.name == "Typo corrected"


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["sending", "completed", "cancelled", "failed"])
def test_what_has_started_is_not_edited(ours: World, state: str) -> None:
    broadcast = ours.broadcast(state)
    fields = template_fields(ours, run_at=timezone.now() + SOON)

    for call in (
        lambda: schedule.edit(broadcast=broadcast, person=ours.editor, fields=fields),
        lambda: at(ours, broadcast, timezone.now() + SOON, "UTC"),
        lambda: drafts.delete_draft(broadcast=broadcast, person=ours.editor),
    ):
        assert refusal(call).code == ProblemCode.CONFLICT


@pytest.mark.django_db
def test_an_end_before_the_start_is_refused(ours: World) -> None:
    soon = timezone.now() + SOON
    problem = refusal(
        lambda: draft(ours, run_at=soon, expires_at=soon - timedelta(seconds=1))
    )
    assert problem.field == "expires_at"

    ends_first = draft(ours, expires_at=soon)
    problem = refusal(lambda: at(ours, ends_first, soon + SOON, "UTC"))
    assert problem.field == "expires_at"


@pytest.mark.django_db
def test_a_clone_is_a_draft_of_the_same(ours: World) -> None:
    source = finished(ours, "delivered", "failed")
    retry = retried(source, ours)

    for original in (source, retry):
        copy = drafts.clone(broadcast=original, person=ours.editor)

        assert copy.name == f"Copy of {original.name}"
        assert (copy.state, copy.retry_of, copy.root) == ("draft", None, None)
        assert fields_of(copy).routes == fields_of(source).routes
        assert copy.audience == source.audience
        assert not rows_of(copy).exists()


@pytest.mark.django_db
def test_drafts_are_deleted(ours: World) -> None:
    broadcast = draft(ours)

    drafts.delete_draft(broadcast=broadcast, person=ours.editor)

    assert not Broadcast.objects.filter(pk=broadcast.pk).exists()


# -- Quota ---------------------------------------------------------------------


@pytest.mark.django_db
def test_the_quota_counts_drafts_and_scheduled_and_names_what_to_free(
    ours: World, theirs: World
) -> None:
    ours.organization.broadcast_quota = 2
    ours.organization.save()
    ours.broadcast("sending")
    draft(theirs)
    oldest = draft(ours, name="Oldest draft")
    soonest = scheduled(ours, name="Soonest")

    problem = refusal(lambda: draft(ours))

    assert problem.code == ProblemCode.QUOTA_EXCEEDED
    assert "All 2 slots" in problem.sentence
    assert "“Oldest draft”" in problem.sentence
    assert "cancel “Soonest”, the next to run on" in problem.sentence
    drafts.delete_draft(broadcast=oldest, person=ours.editor)
    assert draft(ours)
    schedule.cancel(broadcast=soonest, person=ours.editor)
    assert draft(ours)


@pytest.mark.django_db(transaction=True)
def test_ten_threads_cannot_take_more_slots_than_there_are(ours: World) -> None:
    ours.organization.broadcast_quota = 3
    ours.organization.save()
    fields = template_fields(ours)
    refused: list[ProblemCode] = []
    start = threading.Barrier(10)

    def create() -> None:
        try:
            start.wait()
            drafts.create_draft(
                organization=ours.organization, person=ours.editor, fields=fields
            )
        except Problem as problem:
            refused.append(problem.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=create) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert Broadcast.objects.count() == 3
    assert refused == [ProblemCode.QUOTA_EXCEEDED] * 7


# -- Cancelling ----------------------------------------------------------------


@pytest.mark.django_db
def test_a_scheduled_broadcast_is_cancelled_at_once(ours: World) -> None:
    ours.contact()
    broadcast = schedule.cancel(broadcast=scheduled(ours), person=ours.editor)

    assert broadcast.state == BroadcastState.CANCELLED
    assert not broadcast.is_settling
    make_due(broadcast)
    run.tick()
    assert not rows_of(broadcast).exists()


@pytest.mark.django_db
def test_cancelling_while_sending_keeps_what_left_and_takes_back_the_rest(
    ours: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(6):
        ours.contact()
    broadcast = started(scheduled(ours))
    first, second, third, *_ = rows_of(broadcast)
    stand(Message.objects.filter(pk=first.pk), MessageState.SENT)
    stand(Message.objects.filter(pk=second.pk), MessageState.SENDING)
    stand(Message.objects.filter(pk=third.pk), MessageState.FAILED)
    monkeypatch.setattr("broadcasts.settling.BATCH", 2)
    monkeypatch.setattr("broadcasts.schedule.CANCEL_BATCHES", 1)

    broadcast = schedule.cancel(broadcast=broadcast, person=ours.editor)

    assert broadcast.state == BroadcastState.CANCELLED
    assert broadcast.is_settling
    left = ["sent", "sending", "failed"]
    assert states_of(broadcast) == [*left, "cancelled", "cancelled", "queued"]
    run.tick()
    assert states_of(broadcast) == [*left, "cancelled", "cancelled", "cancelled"]

    # The open attempt fails and would be tried again: not any more.
    stand(Message.objects.filter(pk=second.pk), MessageState.QUEUED)
    run.tick()
    assert states_of(broadcast)[1] == "cancelled"
    broadcast.refresh_from_db()
    assert not broadcast.is_settling


@pytest.mark.django_db
def test_cancelling_midway_stops_the_filling(ours: World) -> None:
    for _ in range(4):
        ours.contact()
    broadcast = scheduled(ours)
    make_due(broadcast)
    run.start_due()
    fill.fill_page(broadcast.pk, page=2)

    schedule.cancel(broadcast=broadcast, person=ours.editor)
    run.tick()

    assert states_of(broadcast) == ["cancelled", "cancelled"]


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["draft", "completed", "cancelled", "failed"])
def test_only_what_is_live_can_be_cancelled(ours: World, state: str) -> None:
    broadcast = ours.broadcast(state)

    problem = refusal(lambda: schedule.cancel(broadcast=broadcast, person=ours.editor))

    assert problem.code == ProblemCode.CONFLICT


# -- The tick ------------------------------------------------------------------


@pytest.mark.django_db
def test_what_was_due_while_nothing_ran_fails_and_says_so(ours: World) -> None:
    ours.contact()
    late, on_time = scheduled(ours), scheduled(ours)
    now = timezone.now()
    Broadcast.objects.filter(pk=late.pk).update(run_at=now - timedelta(seconds=301))
    Broadcast.objects.filter(pk=on_time.pk).update(run_at=now - timedelta(seconds=290))

    run.tick()

    late.refresh_from_db()
    on_time.refresh_from_db()
    assert late.state == BroadcastState.FAILED
    assert "It was due on" in late.state_reason
    assert "Clone it" in late.state_reason
    assert not rows_of(late).exists()
    assert on_time.state == BroadcastState.SENDING


@pytest.mark.django_db
def test_a_late_retry_fails_and_its_members_can_be_retried_again(
    ours: World,
) -> None:
    source = finished(ours, "failed")
    retry = retried(source, ours)
    Broadcast.objects.filter(pk=retry.pk).update(
        run_at=timezone.now() - timedelta(hours=8)
    )

    run.tick()

    retry.refresh_from_db()
    assert (retry.state, retry.is_settling) == ("failed", False)
    assert states_of(retry) == ["cancelled"]
    assert retried(source, ours)


@pytest.mark.django_db
def test_a_broadcast_is_complete_once_no_row_waits(ours: World) -> None:
    for _ in range(2):
        ours.contact()
    broadcast = started(scheduled(ours))
    first, second = rows_of(broadcast)
    for state in (MessageState.QUEUED, MessageState.SENDING, MessageState.FAILED):
        broadcast.refresh_from_db()
        assert broadcast.state == BroadcastState.SENDING
        stand(Message.objects.filter(pk=first.pk), state)
        run.tick()
    stand(Message.objects.filter(pk=second.pk), MessageState.UNKNOWN)

    run.tick()

    broadcast.refresh_from_db()
    assert broadcast.state == BroadcastState.COMPLETED
    assert broadcast.finished_at is not None


@pytest.mark.django_db
def test_a_tick_without_work_asks_little(
    ours: World, django_assert_max_num_queries: Callable[[int], object]
) -> None:
    finished(ours, "delivered", "failed")

    with django_assert_max_num_queries(8):  # type: ignore[attr-defined]
        run.tick()


# -- Audience ------------------------------------------------------------------


@pytest.mark.django_db
def test_a_preview_is_bounded(ours: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(6):
        ours.contact(tags=["vip"], country="GH", language="en")
    seen = preview(ours.organization, Audience(tags=("vip",)))
    assert (len(seen.sample), seen.count, seen.text) == (5, 6, "6")

    monkeypatch.setattr("broadcasts.audience.COUNTED", 5)
    seen = preview(ours.organization, Audience())
    assert (seen.count, seen.is_capped, seen.text) == (5, True, "5+")
    assert choices(ours.organization).tags == ["vip"]
    assert choices(ours.organization).countries == ["GH"]


def test_an_audience_reads_as_a_sentence() -> None:
    assert Audience().sentence == "everyone"
    audience = Audience(("vip", "gold"), ("GH",), ("en",))
    assert audience.sentence == "tagged vip or gold, in GH, speaking en"


@pytest.mark.django_db
def test_fields_survive_the_way_there_and_back(ours: World) -> None:
    fields = BroadcastFields(
        name="Renewal",
        kind="template",
        routes=(route(ours.integration(), ours.template()),),
        fallbacks=(route(ours.integration("twilio"), ours.template("second")),),
        audience=Audience(tags=("vip",)),
        run_at=timezone.now() + SOON,
        time_zone=AMSTERDAM,
    )
    made = drafts.create_draft(
        organization=ours.organization, person=ours.editor, fields=fields
    )

    assert fields_of(made) == fields
