"""Members become messages, each once, whatever is killed."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from broadcasts import fill, run
from broadcasts.audience import Audience
from broadcasts.models import Broadcast, BroadcastState
from broadcasts.summary import counters_of
from messaging.models import Contact, Message, MessageState, SkipReason
from tests.broadcasts.factories import (
    NOWHERE,
    make_due,
    route,
    rows_of,
    scheduled,
    started,
    states_of,
)
from tests.factories import World


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
def test_a_broadcast_that_cannot_be_filled_holds_up_no_other(
    ours: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ours.contact()
    broken, sound = scheduled(ours), scheduled(ours)
    for broadcast in (broken, sound):
        make_due(broadcast)
    move_on = fill._move_on

    def fail(broadcast: Broadcast, *args: Any, **kwargs: Any) -> None:
        if broadcast == broken:
            raise RuntimeError("A bug.")
        move_on(broadcast, *args, **kwargs)

    monkeypatch.setattr(fill, "_move_on", fail)
    run.tick()

    assert (states_of(broken), states_of(sound)) == ([], ["queued"])
    said = [one for one in caplog.records if "could not be filled" in one.msg]
    assert {one.__dict__["broadcast_id"] for one in said} == {broken.pk}


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
