"""The first page: what runs, what needs a person, how the week went."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from broadcasts import chain
from broadcasts.models import Broadcast
from broadcasts.views import week
from messaging.channels.catalogue import lookup
from messaging.devices.noting import Word, note
from messaging.models import (
    DeviceState,
    Message,
    Pulse,
    StoppedRetry,
    WebhookEndpoint,
)
from messaging.retransmission import unreadable
from tests.broadcasts.factories import (
    BLOCKED,
    TIMED_OUT,
    age,
    draft,
    finished,
    outcomes,
    retried,
    route,
    rows_of,
    scheduled,
    stand,
    started,
)
from tests.broadcasts.test_causes import CLOSED, EXPIRED, single
from tests.broadcasts.views.pages import html_of, need, text_of, url_of
from tests.factories import World
from tests.messaging.retransmission.steps import unread_message
from tests.messaging.webhooks.steps import endpoint_of


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


def test_causes_stand_first_that_have_to_be_fixed(ours: World, editor: Client) -> None:
    for code, number in ((TIMED_OUT, 3), (EXPIRED, 1), (CLOSED, 2), (BLOCKED, 4)):
        for _ in range(number):
            single(ours, code)

    response = editor.get("/")

    page = text_of(response)
    lines = [
        "2 messages failed: 24-hour window is closed",
        "1 message failed: Access token has expired",
        "3 messages failed: WhatsApp is down for the moment",
    ]
    assert [page.index(one) for one in lines] == sorted(
        page.index(one) for one in lines
    )
    assert "They can be sent again now." in page
    assert lookup(BLOCKED).title not in page
    assert "Ask an admin to put a new access token" in need(
        response, f"cause-{EXPIRED}"
    )


def test_one_step_each_and_only_for_who_may_take_it(
    ours: World, editor: Client, agent: Client, client: Client
) -> None:
    number = ours.integration(name="Main number")
    single(ours, EXPIRED, integration=number)
    client.force_login(ours.admin)
    key = f"cause-{EXPIRED}"

    assert "Open “Main number”" in need(client.get("/"), key)
    assert "Mark as fixed and resend…" in need(editor.get("/"), key)
    assert "Look at it" in need(agent.get("/"), key)
    assert reverse("messaging:cause-resend") not in html_of(agent.get("/"))


def test_more_causes_than_fit_are_a_number_and_a_link(
    ours: World, editor: Client
) -> None:
    for code in ("190", "3", "10", "131005", "131031", "131042", "131037"):
        single(ours, f"whatsapp:{code}")

    page = editor.get("/")

    assert "2 more causes for which there is a step to take." in text_of(page)
    assert html_of(page).count('id="need-cause-') == 5


def test_what_is_being_retried_needs_nobody(ours: World, editor: Client) -> None:
    retried(finished(ours, "failed"), ours)

    assert "Nothing needs you" in text_of(editor.get("/"))


def test_when_nothing_is_wrong_it_says_what_happened_last(
    ours: World, editor: Client
) -> None:
    finished(ours, "delivered", "delivered", name="Renewal")
    single(ours, BLOCKED)

    page = text_of(editor.get("/"))

    assert "Nothing needs you" in page
    assert "Last: Renewal ended just now , 2 messages, 2 delivered." in page


def test_a_new_organization_is_not_told_that_nothing_needs_it(
    ours: World, editor: Client
) -> None:
    assert "Nothing needs you" not in text_of(editor.get("/"))


def test_unknown_ones_are_for_a_person(
    ours: World, theirs: World, editor: Client
) -> None:
    finished(ours, "unknown", "unknown")
    finished(theirs, "unknown")

    assert "2 messages may or may not have arrived" in text_of(editor.get("/"))


def test_a_broadcast_that_could_not_run(
    ours: World, theirs: World, editor: Client
) -> None:
    stuck = ours.broadcast("failed", name="Sale", state_reason="No route is left.")
    ours.broadcast("failed", name="Old", finished_at=timezone.now() - timedelta(days=8))
    theirs.broadcast("failed", name="Theirs")

    page = editor.get("/")

    line = need(page, f"broadcast-{stuck.pk}")
    assert "“Sale” could not run No route is left. Open broadcast" in line
    assert "“Old”" not in text_of(page)
    assert "Theirs" not in text_of(page)


def test_lists_that_age_out_within_a_week_are_named_with_the_day(
    ours: World, editor: Client, agent: Client
) -> None:
    old, young = (finished(ours, "failed", "failed", name=one) for one in "OY")
    blocked = finished(ours, "failed", name="B")
    stand(rows_of(blocked), "failed", BLOCKED)
    for broadcast, days in ((old, 25), (young, 22), (blocked, 25)):
        age(broadcast, days)
        Message.objects.filter(broadcast_id=broadcast.pk).update(
            day=timezone.now().date() - timedelta(days=days)
        )
    last_day = timezone.localtime(timezone.now() + timedelta(days=5))

    page = editor.get("/")

    line = need(page, f"ageing-{old.pk}")
    assert f"“O” can be retried until {last_day.day} {last_day:%b}" in line
    assert "2 members did not get it." in line
    assert url_of("retry", old) in html_of(page)
    for other in (young, blocked):
        assert f"ageing-{other.pk}" not in html_of(page)
    assert url_of("retry", old) not in html_of(agent.get("/"))


def test_an_endpoint_that_takes_nothing_is_for_an_admin_to_mend(
    ours: World, theirs: World, client: Client, editor: Client
) -> None:
    off, _ = endpoint_of(ours, name="Shop")
    endpoint_of(ours, name="Ledger")
    stranger, _ = endpoint_of(theirs, name="Elsewhere")
    WebhookEndpoint.objects.filter(pk__in=[off.pk, stranger.pk]).update(
        state="off", off_reason="failing", off_at=timezone.now()
    )
    client.force_login(ours.admin)

    line = need(client.get("/"), f"webhook-{off.pk}")

    assert "Events do not reach “Shop”" in line
    assert "it was switched off" in line
    assert "Open endpoint" in line
    page = reverse("messaging:webhook-detail", args=[off.pk])
    assert f'href="{page}"' in html_of(client.get("/"))
    assert "Ledger" not in html_of(client.get("/"))
    assert "Elsewhere" not in html_of(client.get("/"))
    assert "Shop" not in html_of(editor.get("/"))


def test_messages_that_the_phone_could_not_read_are_asked_for(
    ours: World, theirs: World, editor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    unread_message(theirs.integration("device_gateway"), "3EB0A1")
    assert "could not read" not in text_of(editor.get("/"))

    unread_message(ours.integration("device_gateway"), "3EB0A2")

    line = need(editor.get("/"), "unreadable")
    assert "1 message came in that the phone could not read" in line
    assert "Look at it" in line

    unread_message(ours.integration("device_gateway"), "3EB0A3")
    line = need(editor.get("/"), "unreadable")
    assert "2 messages came in that the phone could not read" in line
    assert "Ask for them" in line

    monkeypatch.setattr(unreadable, "MOST_MESSAGES", 1)
    line = need(editor.get("/"), "unreadable")
    assert "More than 1 messages came in" in line


def test_a_phone_is_told_of_when_it_is_away_and_waited_for(
    ours: World, theirs: World, editor: Client
) -> None:
    at = timezone.now() - timedelta(minutes=3)
    phone = ours.integration("device_gateway", name="Front desk")
    idle = ours.integration("device_gateway", name="Back office")
    foreign = theirs.integration("device_gateway", name="Theirs")
    for one in (phone, idle, foreign):
        note(Word(one.pk, DeviceState.LOGGED_OUT, at, known_at=at))
    unread_message(foreign, "THEIRS")
    assert "is not linked" not in text_of(editor.get("/"))

    unread_message(phone, "OURS")
    line = need(editor.get("/"), f"phone-{phone.pk}")
    assert "“Front desk” is not linked" in line
    assert "Messages wait for it." in line
    assert "Look at the phone" in line
    assert "Back office" not in text_of(editor.get("/"))

    ours.message(integration=idle)
    assert "“Back office” is not linked" in text_of(editor.get("/"))

    later = timezone.now()
    note(Word(phone.pk, DeviceState.CONNECTED, later, known_at=later))
    assert "“Front desk” is not linked" not in text_of(editor.get("/"))


def test_a_token_that_is_refused_is_mended_in_the_integration(
    ours: World, client: Client
) -> None:
    at = timezone.now()
    phone = ours.integration("device_gateway", name="Front desk")
    note(Word(phone.pk, DeviceState.REFUSED, at, known_at=at))
    unread_message(phone, "A")
    client.force_login(ours.admin)

    page = html_of(client.get("/"))

    assert reverse("admin:messaging_integration_change", args=[phone.pk]) in page


def test_the_page_keeps_itself_up_to_date(ours: World, editor: Client) -> None:
    single(ours, EXPIRED)
    url = editor.get("/").context["needs_url"]
    assert editor.get(url).status_code == 204

    single(ours, CLOSED)
    moved = editor.get(url)

    assert moved.status_code == 200
    assert "<html" not in html_of(moved)
    assert "24-hour window is closed" in text_of(moved)


def test_slots_that_run_out(ours: World, editor: Client) -> None:
    ours.organization.broadcast_quota = 2
    ours.organization.save()
    draft(ours)
    draft(ours)

    page = text_of(editor.get("/"))

    assert "2 of 2 slots are in use" in page
    assert "Look at the drafts" in page


# The week


def test_the_week_in_figures(ours: World, theirs: World, editor: Client) -> None:
    finished(ours, "delivered", "read", "sent", "failed", "unknown", "skipped")
    finished(theirs, "delivered")

    page = text_of(editor.get("/"))

    assert "Messages 6 Reached 50 % 3 of 6 First-retry success –" in page
    assert "out of everyone aimed at" in page
    assert "Recovered 0" in page
    assert f"{reverse('reports')}?period=7" in html_of(editor.get("/"))


def test_scheduling_a_retry_reaches_nobody(ours: World, editor: Client) -> None:
    own = finished(ours, "delivered", "sent", "failed", "failed", "skipped")
    before = week.figures(ours.organization)

    retry = retried(own, ours)
    waiting = week.figures(ours.organization)

    assert (before.reached, before.total) == (waiting.reached, waiting.total) == (2, 5)
    assert "Reached 40 % 2 of 5" in text_of(editor.get("/"))

    outcomes(started(retry), "delivered", "failed")
    after = week.figures(ours.organization)
    whole = chain.summary(own)

    assert (after.reached, after.total) == (whole.reached, whole.aimed) == (3, 5)
    assert "Reached 60 % 3 of 5" in text_of(editor.get("/"))


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
    assert few <= 31


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
    assert "3 of the last 50 retries arrived" in text
    assert "whatsapp:131000" in text
    assert "whatsapp:131016" not in text

    StoppedRetry.objects.update(resumed_at=timezone.now())
    assert "Automatic retries stopped" not in text_of(agent.get("/"))
