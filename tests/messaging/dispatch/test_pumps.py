"""A pump for each integration: none of them waits for another."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from messaging.dispatch import pulse, pump, pumps
from messaging.dispatch.pumps import Pumps
from messaging.dispatch.stopping import stopping
from messaging.models import Attempt, Integration, Message
from resend_admin.sandbox.thread import Sandbox
from tests.factories import World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def many(ours: World, sandbox: Sandbox) -> list[Integration]:
    pulse.beat()
    url = sandbox.base_url("whatsapp_cloud")
    return [ours.integration(settings={"base_url": url}) for _ in range(12)]


def test_one_task_pumps_everything_that_has_work(
    ours: World, many: list[Integration]
) -> None:
    content = ours.text()
    for integration in many:
        for _ in range(5):
            ours.message(integration=integration, content=content)

    Pumps().keep(many[0].pk)

    assert Message.objects.filter(state="sent").count() == 60


def test_a_dead_provider_delays_nobody(
    ours: World, theirs: World, sandbox: Sandbox, many: list[Integration]
) -> None:
    """More hanging providers than any worker has slots; another one's ten leave."""
    sandbox.behave("hang", channel="whatsapp", seconds=5)
    content = ours.text()
    for integration in many:
        for _ in range(20):
            ours.message(integration=integration, content=content)
    alive = theirs.integration(
        "telegram_bot", settings={"base_url": sandbox.base_url("telegram_bot")}
    )
    text = theirs.text()
    for number in range(10):
        theirs.message(integration=alive, content=text, recipient=f"9{number}0001")
    sent = threading.Event()
    crew = Pumps()

    def watch() -> None:
        try:
            mine = Message.objects.filter(integration=alive, state="delivered")
            while not sent.is_set():
                if mine.count() == 10:
                    hanging = Attempt.objects.exclude(integration=alive)
                    seen.append(set(hanging.values_list("state", flat=True)))
                    sent.set()
                    stopping.set()
                sent.wait(0.05)
        finally:
            connection.close()

    seen: list[set[str]] = []
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        crew.keep(many[0].pk, seconds=20)
    finally:
        sent.set()
        watcher.join()
        stopping.clear()

    # When the last of the ten had gone, nobody else had had a single answer.
    assert seen == [{"open"}]


def test_who_rings_while_a_task_pumps_leaves_it_to_that_task(
    ours: World, many: list[Integration], monkeypatch: pytest.MonkeyPatch
) -> None:
    crew = Pumps()
    run = pump.run
    ours.message(integration=many[0])

    rung: list[int] = []

    def run_and_ring(integration_id: int, *, concurrency: int | None = None) -> int:
        if not rung:
            rung.append(integration_id)
            ours.message(integration=many[1])
            crew.keep(many[1].pk)
        return run(integration_id, concurrency=concurrency)

    monkeypatch.setattr(pump, "run", run_and_ring)

    crew.keep(many[0].pk)

    assert Message.objects.filter(state="sent").count() == 2


def test_a_pump_that_breaks_takes_no_other_along(
    ours: World, many: list[Integration], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = pump.run
    broken: list[int] = []

    def sometimes(integration_id: int, *, concurrency: int | None = None) -> int:
        if integration_id == many[0].pk and not broken:
            broken.append(integration_id)
            raise RuntimeError
        return run(integration_id, concurrency=concurrency)

    monkeypatch.setattr(pump, "run", sometimes)
    for integration in many[:3]:
        ours.message(integration=integration)

    Pumps().keep(many[0].pk)

    assert broken
    assert Message.objects.filter(state="sent").count() == 3


def test_with_fewer_threads_than_integrations_each_has_its_turn(
    ours: World, many: list[Integration], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first three never run dry, and the fourth must not wait for ever."""
    monkeypatch.setattr(pumps, "MOST_PUMPS", 3)
    pumped: set[int] = set()

    def endless(integration_id: int, *, concurrency: int | None = None) -> int:
        pumped.add(integration_id)
        if len(pumped) == len(many):
            stopping.set()
        return 0

    monkeypatch.setattr(pump, "run", endless)
    for integration in many:
        ours.message(integration=integration)

    try:
        Pumps().keep(many[0].pk, seconds=20)
    finally:
        stopping.clear()

    assert pumped == {integration.pk for integration in many}


def test_a_keeper_that_breaks_is_followed_by_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else a process whose pulse goes on would never send anything again."""
    crew = Pumps()
    pumped: list[int] = []

    def note(integration_id: int, *, concurrency: int | None = None) -> int:
        pumped.append(integration_id)
        return 0

    def no_thread(_: threading.Thread) -> None:
        message = "can't start new thread"
        raise RuntimeError(message)

    monkeypatch.setattr(pump, "run", note)
    with monkeypatch.context() as short_of_threads:
        short_of_threads.setattr(threading.Thread, "start", no_thread)
        with pytest.raises(RuntimeError):
            crew.keep(7, seconds=1)

    crew.keep(7, seconds=1)

    assert pumped == [7]
