"""The first page: what runs, what needs a person, how the week went."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from broadcasts.models import Broadcast
from messaging.models import IntegrationPace, Pulse, StoppedRetry
from tests.broadcasts.factories import (
    draft,
    finished,
    outcomes,
    retried,
    route,
    scheduled,
    started,
)
from tests.broadcasts.views.pages import html_of, text_of, url_of
from tests.factories import World


def beat(ago: timedelta = timedelta()) -> None:
    moment = timezone.now() - ago
    Pulse.objects.update_or_create(id=1, defaults={"beaten_at": moment})


# The first run


def test_a_new_organization_is_led_through_three_steps(
    ours: World, editor: Client, log_in: object
) -> None:
    page = editor.get("/")

    assert "Three steps to your first broadcast" in text_of(page)
    assert f'href="{reverse("messaging:member-import")}"' in html_of(page)
    assert "No messages in the last seven days." in text_of(page)

    ours.contact()
    assert "Ask an administrator to do this." in text_of(editor.get("/"))

    ours.integration()
    page = editor.get("/")
    assert f'href="{reverse("broadcasts:broadcast-create")}"' in html_of(page)

    draft(ours)
    assert "Three steps" not in text_of(editor.get("/"))


def test_an_administrator_is_led_to_the_integration(
    ours: World, client: Client
) -> None:
    ours.contact()
    client.force_login(ours.admin)

    assert reverse("admin:messaging_integration_add") in html_of(client.get("/"))


def test_an_agent_is_not_sent_where_agents_may_not_go(
    ours: World, agent: Client
) -> None:
    page = html_of(agent.get("/"))

    assert reverse("messaging:member-import") not in page
    assert reverse("broadcasts:broadcast-create") not in page


# What runs


def test_what_runs_is_watched(ours: World, editor: Client) -> None:
    ours.contact()
    own = started(scheduled(ours, name="Now sending"))
    scheduled(ours, name="Comes next")

    response = editor.get("/")

    assert "Now sending" in text_of(response)
    assert "Comes next" in text_of(response)
    assert 'hx-trigger="every 2s"' in html_of(response)
    url = response.context["running_url"]
    assert editor.get(url).status_code == 204

    outcomes(own, "delivered")
    moved = editor.get(url)
    assert moved.status_code == 200
    assert "Now sending" not in text_of(moved)


def test_nothing_runs(ours: World, editor: Client) -> None:
    finished(ours, "delivered")

    response = editor.get("/")

    assert "Nothing is sending or scheduled." in text_of(response)
    assert "hx-trigger" not in html_of(response).split('id="running"')[1][:300]


# What needs a person


def test_missed_members_worst_first_with_the_next_step(
    ours: World, editor: Client
) -> None:
    few = finished(ours, "failed", name="Few")
    many = finished(ours, "failed", "failed", "unknown", name="Many")
    finished(ours, "delivered", name="All well")

    response = editor.get("/")

    missed = html_of(response).split('id="missed"')[1].split("</section>")[0]
    assert missed.index(url_of("detail", many)) < missed.index(url_of("detail", few))
    assert "All well" not in missed
    assert "1 unknown" in text_of(response)
    assert "Likely" in text_of(response)


def test_what_is_being_retried_needs_nobody(ours: World, editor: Client) -> None:
    retried(finished(ours, "failed"), ours)

    assert "Missed members" not in text_of(editor.get("/"))


def test_integrations_that_do_not_send(ours: World, client: Client) -> None:
    ours.integration(name="Main", state="paused", state_reason="New token needed.")
    ours.integration("twilio", name="Old", state="off")
    ours.integration("twilio", name="Half", credentials={"auth_token": ""})
    ours.integration(name="Fine")
    client.force_login(ours.admin)

    page = text_of(client.get("/"))

    assert "Paused Main New token needed." in page
    assert "Off Old Its messages are skipped." in page
    assert "Incomplete Half" in page
    assert "Fine" not in page


def test_slots_that_run_out(ours: World, editor: Client) -> None:
    ours.organization.broadcast_quota = 2
    ours.organization.save()
    draft(ours)
    draft(ours)

    page = text_of(editor.get("/"))

    assert "2 of 2 slots" in page
    assert "Look at the drafts" in page


# Nothing is being sent


def due_since(world: World, ago: timedelta) -> None:
    world.message("queued", due_at=timezone.now() - ago)


def test_a_dead_engine_is_noticed(ours: World, editor: Client) -> None:
    beat(timedelta(hours=2))
    due_since(ours, timedelta(minutes=5))

    page = text_of(editor.get("/"))

    assert "Nothing is being sent." in page
    assert "5 minutes ago" in page
    assert "The engine was last heard on" in page


def test_an_engine_that_never_ran(ours: World, editor: Client) -> None:
    Pulse.objects.all().delete()
    due_since(ours, timedelta(minutes=5))

    assert "The engine has never run." in text_of(editor.get("/"))


def test_a_paused_integration_is_named(ours: World, editor: Client) -> None:
    beat()
    paused = ours.integration(name="Main number", state="paused")
    ours.message(
        "queued", integration=paused, due_at=timezone.now() - timedelta(minutes=5)
    )

    assert "“Main number” is paused." in text_of(editor.get("/"))


def test_a_pause_of_the_provider_is_named(ours: World, editor: Client) -> None:
    beat()
    number = ours.integration(name="Main number")
    IntegrationPace.objects.create(
        integration=number, paused_until=timezone.now() + timedelta(minutes=30)
    )
    ours.message(
        "queued", integration=number, due_at=timezone.now() - timedelta(minutes=5)
    )

    page = text_of(editor.get("/"))
    assert "The provider of “Main number” asked for a pause until" in page


def test_a_long_queue_that_moves_is_no_alarm(ours: World, editor: Client) -> None:
    beat()
    number = ours.integration()
    IntegrationPace.objects.create(integration=number, paid_until=timezone.now())
    ours.message(
        "queued", integration=number, due_at=timezone.now() - timedelta(minutes=5)
    )

    assert "Nothing is being sent." not in text_of(editor.get("/"))


def test_what_was_due_just_now_is_no_alarm(ours: World, editor: Client) -> None:
    due_since(ours, timedelta(seconds=20))

    assert "Nothing is being sent." not in text_of(editor.get("/"))


def test_the_queue_of_another_organization_is_not_ours(
    ours: World, theirs: World, editor: Client
) -> None:
    due_since(theirs, timedelta(minutes=5))
    finished(theirs, "failed", name="Theirs")

    page = text_of(editor.get("/"))

    assert "Nothing is being sent." not in page
    assert "Theirs" not in page


# The week


def test_the_week_in_figures(ours: World, editor: Client) -> None:
    finished(ours, "delivered", "read", "sent", "failed")

    page = text_of(editor.get("/")).replace("\u202f", " ")

    assert "Messages 4 Reached 75 % Saved by a retry 0 Failed 1" in page


def test_it_asks_as_often_for_many_as_for_few(ours: World, editor: Client) -> None:
    routes = [route(ours.integration(), ours.template())]

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert editor.get("/").status_code == 200
        assert not any(
            "COUNT(*)" in one["sql"] and "message" in one["sql"] for one in asked
        )
        return len(asked)

    for _ in range(3):
        finished(ours, "failed", "unknown", "delivered", routes=routes)
    few = queries()
    for _ in range(9):
        finished(ours, "failed", "unknown", "delivered", routes=routes)

    assert queries() == few
    assert Broadcast.objects.count() == 12
    assert few <= 20


# Automatic retries


def test_codes_that_are_not_retried_any_more_are_named(
    ours: World, theirs: World, agent: Client
) -> None:
    for world, code in ((ours, "whatsapp:131000"), (theirs, "whatsapp:131016")):
        StoppedRetry.objects.create(
            organization=world.organization, error_code=code, tried=50, delivered=3
        )

    text = text_of(agent.get("/"))

    assert "Automatic retries stopped" in text
    assert "3 of the last 50 retries arrived." in text
    assert "whatsapp:131000" in text
    assert "whatsapp:131016" not in text

    StoppedRetry.objects.update(resumed_at=timezone.now())
    assert "Automatic retries stopped" not in text_of(agent.get("/"))
