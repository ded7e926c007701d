"""The overview when something stands still: all sending, or one integration."""

from __future__ import annotations

from datetime import timedelta

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from broadcasts.models import Broadcast
from messaging.models import IntegrationPace, Pulse
from resend_admin.ui.time_zones import moment_in_words
from tests.broadcasts.factories import finished, retried, scheduled
from tests.broadcasts.views.pages import html_of, need, text_of, url_of
from tests.factories import World


def beat(ago: timedelta = timedelta()) -> None:
    moment = timezone.now() - ago
    Pulse.objects.update_or_create(id=1, defaults={"beaten_at": moment})


def due_since(world: World, ago: timedelta) -> None:
    world.message("queued", due_at=timezone.now() - ago)


# Nothing is being sent


def test_a_dead_engine_is_noticed(ours: World, editor: Client) -> None:
    beat(timedelta(hours=2))
    due_since(ours, timedelta(minutes=5))

    page = text_of(editor.get("/"))

    assert "Nothing is being sent" in page
    assert "Sending stopped on" in page
    assert "1 message waits to be sent. Nothing is lost" in page
    assert "Tell whoever runs this server: no worker answers; start a worker." in page
    assert f"{reverse('messaging:message-list')}?state=unsent" in html_of(
        editor.get("/")
    )


def test_an_engine_that_never_ran(ours: World, editor: Client) -> None:
    Pulse.objects.all().delete()
    due_since(ours, timedelta(minutes=5))

    assert "Nothing has ever been sent from here." in text_of(editor.get("/"))


def test_a_broadcast_that_nobody_starts_is_noticed(
    ours: World, theirs: World, editor: Client
) -> None:
    beat(timedelta(minutes=3))
    overdue = timezone.now() - timedelta(minutes=2)
    own = scheduled(ours, name="Autumn newsletter")
    Broadcast.objects.filter(pk=own.pk).update(run_at=overdue)
    other = scheduled(theirs, name="Theirs")
    Broadcast.objects.filter(pk=other.pk).update(run_at=overdue)

    line = need(editor.get("/"), "standstill")

    assert "Nothing is being sent Sending stopped on" in line
    assert "“Autumn newsletter” waits to start. Nothing is lost" in line
    assert "Look at it" in line
    assert "Theirs" not in line
    assert url_of("detail", own) in html_of(editor.get("/"))


def test_a_retry_whose_rows_are_not_written_yet_is_noticed(
    ours: World, editor: Client
) -> None:
    beat(timedelta(minutes=3))
    retry = retried(finished(ours, "failed", name="Renewal"), ours)
    make_overdue = timezone.now() - timedelta(minutes=2)
    Broadcast.objects.filter(pk=retry.pk).update(run_at=make_overdue)

    assert f"“{retry.name}” waits to start." in need(editor.get("/"), "standstill")


def test_a_broadcast_that_nobody_goes_on_with_is_noticed(
    ours: World, editor: Client
) -> None:
    beat(timedelta(minutes=3))
    started_at = timezone.now() - timedelta(minutes=4)
    own = scheduled(ours, name="Autumn newsletter")
    Broadcast.objects.filter(pk=own.pk).update(
        state="sending", run_at=started_at, started_at=started_at
    )

    assert "“Autumn newsletter” waits to go on." in need(editor.get("/"), "standstill")


def test_a_start_that_takes_minutes_is_no_alarm(ours: World, editor: Client) -> None:
    beat()
    started_at = timezone.now() - timedelta(minutes=10)
    own = scheduled(ours)
    Broadcast.objects.filter(pk=own.pk).update(
        state="sending", run_at=started_at, started_at=started_at
    )
    due_later = scheduled(ours)
    Broadcast.objects.filter(pk=due_later.pk).update(
        run_at=timezone.now() - timedelta(seconds=40)
    )

    page = text_of(editor.get("/"))

    assert "Nothing is being sent" not in page
    assert "does not start" not in page


def test_a_start_that_a_living_engine_leaves_alone_is_told_of(
    ours: World, editor: Client
) -> None:
    beat()
    own = scheduled(ours, name="Autumn newsletter")
    Broadcast.objects.filter(pk=own.pk).update(
        run_at=timezone.now() - timedelta(minutes=3)
    )

    line = need(editor.get("/"), "standstill")

    assert "What is due does not start “Autumn newsletter” waits to start." in line
    assert "It was due on" in line


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

    assert "Nothing is being sent" not in text_of(editor.get("/"))


def test_what_was_due_just_now_is_no_alarm(ours: World, editor: Client) -> None:
    due_since(ours, timedelta(seconds=20))

    assert "Nothing is being sent" not in text_of(editor.get("/"))


def test_the_queue_of_another_organization_is_not_ours(
    ours: World, theirs: World, editor: Client
) -> None:
    due_since(theirs, timedelta(minutes=5))
    finished(theirs, "failed", name="Theirs")

    page = text_of(editor.get("/"))

    assert "Nothing is being sent" not in page
    assert "Theirs" not in page


# An integration stands still


def test_integrations_that_do_not_send(ours: World, client: Client) -> None:
    ours.integration(name="Main", state="paused", state_reason="New token needed.")
    ours.integration("twilio", name="Old", state="off")
    ours.integration("twilio", name="Half", credentials={"auth_token": ""})
    ours.integration(name="Fine")
    client.force_login(ours.admin)

    page = text_of(client.get("/"))

    assert (
        "“Main” is paused New token needed. Nothing goes out by it. What is due"
        " meanwhile waits, and is not lost. Resume sending once its cause is mended."
        " Resume sending “Main” is paused Open integration" in page
    )
    assert "Off Old Its messages are skipped." in page
    assert "“Half” is incomplete" in page
    assert "Fine" not in page


def test_an_agent_is_told_whom_to_ask(ours: World, agent: Client) -> None:
    ours.integration(name="Main", state="paused", state_reason="New token needed.")

    page = text_of(agent.get("/"))
    assert "New token needed. Nothing goes out by it." in page
    assert "Ask an admin to look at it." in page
    assert "Resume sending" not in page


def test_a_paused_integration_is_named(ours: World, editor: Client) -> None:
    beat()
    paused = ours.integration(name="Main number", state="paused")
    ours.message(
        "queued", integration=paused, due_at=timezone.now() - timedelta(minutes=5)
    )

    page = text_of(editor.get("/"))
    assert page.count("“Main number” is paused Nothing goes out by it") == 1
    assert "Nothing is being sent" not in page


def test_a_paused_integration_says_what_waits_and_what_to_do(
    ours: World, editor: Client, agent: Client, client: Client
) -> None:
    beat()
    paused = ours.integration(
        name="Main number",
        state="paused",
        state_reason="The provider refuses the credentials: The token is not valid.",
    )
    first = timezone.now() - timedelta(minutes=5)
    for due_at in (first, timezone.now(), timezone.now() + timedelta(hours=1)):
        ours.message("queued", integration=paused, due_at=due_at)
    ours.message("queued", integration=ours.integration())
    client.force_login(ours.admin)
    key = f"integration-{paused.pk}"

    line = need(editor.get("/"), key)

    assert "The token is not valid. Nothing goes out by it: 3 messages wait," in line
    assert f"the first since {moment_in_words(first)}, and none is lost." in line
    assert "Ask an admin to renew its credentials, then resume sending." in line
    assert "Open integration" not in line
    assert "renew its credentials and to resume" in need(agent.get("/"), key)
    page = client.get("/")
    line = need(page, key)
    assert "Renew its credentials in the integration, then resume sending." in line
    assert "Resume sending “Main number” is paused Open integration" in line
    form = reverse("admin:messaging_integration_change", args=[paused.pk])
    assert f'href="{form}"' in html_of(page)


def test_the_link_to_a_kept_queue_leads_to_everything_in_it(
    ours: World, editor: Client
) -> None:
    paused = ours.integration(name="Main number", state="paused")
    new = ours.message("queued", integration=paused)
    put_back = ours.message("queued", integration=paused, attempt_count=1)
    elsewhere = ours.message("queued")
    address = f"/messages/?integration={paused.pk}&amp;state=unsent"

    assert f'href="{address}"' in html_of(editor.get("/"))

    page = html_of(editor.get(address.replace("&amp;", "&")))
    listed = [
        one.pk
        for one in (new, put_back, elsewhere)
        if reverse("messaging:message-detail", args=[one.pk]) in page
    ]
    assert listed == [new.pk, put_back.pk]


def test_a_paused_integration_hides_no_other_standstill(
    ours: World, editor: Client
) -> None:
    beat()
    paused = ours.integration(name="Main number", state="paused")
    long_ago = timezone.now() - timedelta(hours=5)
    ours.message("queued", integration=paused, due_at=long_ago)
    due_since(ours, timedelta(minutes=5))

    assert "Nothing is being sent" in text_of(editor.get("/"))
