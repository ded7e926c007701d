"""Bulk resends on the pages: chosen in the list, confirmed, watched, looked up."""

from __future__ import annotations

import csv
import html
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from messaging.bulk import running
from messaging.models import BulkResend, BulkResendItem, Integration, Message
from tests.factories import World
from tests.journeys.watch import watched
from tests.messaging.views.conftest import LogIn
from tests.messaging.views.rows import tried
from tests.messaging.views.test_message_detail import words

pytestmark = pytest.mark.django_db

LIST = "/messages/"
NEW = "/messages/bulk/new/"
IN_DIALOG = {"HX-Request": "true", "HX-Target": "dialog"}


@pytest.fixture
def whatsapp(ours: World) -> Integration:
    return ours.integration()


def several(
    world: World, integration: Integration, number: int = 3, **values: Any
) -> list[Message]:
    return [
        tried(world, "failed", integration=integration, **values) for _ in range(number)
    ]


def ticked(messages: list[Message]) -> str:
    return f"{NEW}?{'&'.join(f'ids={one.pk}' for one in messages)}"


def hidden(markup: str) -> dict[str, str]:
    """Return what the dialog hands back besides what a person enters."""
    found = re.findall(
        r'<input type="hidden" name="(shown_\w+)" value="([^"]*)"', markup
    )
    return {name: html.unescape(value) for name, value in found}


def confirm(client: Client, url: str, **entered: Any) -> Any:
    shown = client.get(url)
    assert shown.status_code == 200
    values = {**hidden(shown.content.decode()), "when": "now", **entered}
    return client.post(url, values)


def made(client: Client, url: str, **entered: Any) -> BulkResend:
    response = confirm(client, url, **entered)
    assert response.status_code == 302, words(response.content.decode())
    bulk = BulkResend.objects.latest("pk")
    assert response["Location"] == page_of(bulk)
    return bulk


def page_of(bulk: BulkResend, name: str = "detail") -> str:
    return reverse(f"messaging:bulk-{name}", args=[bulk.pk])


def page(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return words(response.content.decode())


def test_editors_choose_in_the_list_and_agents_only_read(
    ours: World, editor: Client, agent: Client, whatsapp: Integration
) -> None:
    [message] = several(ours, whatsapp, 1)

    theirs_to_choose = editor.get(f"{LIST}?state=failed").content.decode()
    only_to_read = agent.get(f"{LIST}?state=failed").content.decode()

    assert f'name="ids" value="{message.pk}"' in theirs_to_choose
    assert '<input type="hidden" name="state" value="failed">' in theirs_to_choose
    assert "Resend selected…" in theirs_to_choose
    assert 'name="ids"' not in only_to_read
    assert "Resend selected…" not in only_to_read


def test_ticked_messages_are_resent_without_javascript(
    ours: World, editor: Client, whatsapp: Integration
) -> None:
    first, second, left_out = several(ours, whatsapp)

    bulk = made(editor, ticked([first, second]), reason="the provider was down")

    assert bulk.chosen == "2 ticked messages"
    assert bulk.created_by == ours.editor
    assert set(bulk.items.values_list("message_id", flat=True)) == {
        first.pk,
        second.pk,
    }
    running.run()
    states = dict(Message.objects.values_list("pk", "state"))
    assert states == {first.pk: "queued", second.pk: "queued", left_out.pk: "failed"}
    text = page(editor, page_of(bulk))
    assert "Bulk resend of 2 messages" in text
    assert "100 %" in text
    assert "the provider was down" in text


def test_all_that_match_are_those_of_the_filter(
    ours: World, editor: Client, whatsapp: Integration
) -> None:
    broadcast = ours.broadcast(name="Renewal")
    wanted = several(ours, whatsapp, 30, broadcast_id=broadcast.pk)
    several(ours, whatsapp, 2)

    bulk = made(editor, f"{NEW}?all=1&state=failed&broadcast={broadcast.pk}")

    assert bulk.chosen == "All that match: State Failed · Broadcast “Renewal”"
    assert set(bulk.items.values_list("message_id", flat=True)) == {
        one.pk for one in wanted
    }


@pytest.mark.parametrize(
    ("query", "chosen"),
    [
        ("", "All messages"),
        ("&channel=whatsapp", "All that match: Channel WhatsApp"),
        ("&state=delivered&q=", "All that match: State Delivered"),
        ("&q=Ama", "All that match: Search Ama"),
        ("&integration={integration}", "All that match: Integration Main number"),
        (
            "&error=whatsapp:131000&state=failed",
            "All that match: State Failed · Cause",
        ),
    ],
)
def test_a_filter_is_told_in_the_words_of_the_list(
    ours: World, editor: Client, query: str, chosen: str
) -> None:
    integration = ours.integration(name="Main number")

    text = page(editor, f"{NEW}?all=1{query.format(integration=integration.pk)}")

    assert chosen in text


def test_the_dialog_shows_a_verdict_per_cause(
    ours: World, editor: Client, whatsapp: Integration
) -> None:
    several(ours, whatsapp, 2)
    several(ours, whatsapp, 1, error_code="whatsapp:131047", error_class="fix_first")
    several(ours, whatsapp, 1, error_code="whatsapp:131049", error_class="wait")
    tried(ours, "delivered", integration=whatsapp)
    tried(
        ours,
        "unknown",
        integration=whatsapp,
        error_code="whatsapp:timeout",
        error_class="unknown",
    )

    response = editor.get(f"{NEW}?all=1", headers=IN_DIALOG)
    text = words(response.content.decode())

    assert "All messages. Each is checked again" in text
    assert "Selected 6 Will be queued 3" in text
    for part in (
        "Likely Queued 2",
        "After a fix Not queued 1",
        "Yes, later Queued, leaves within 24 hours 1",
        "Not known Only if you tick it below 1",
        "Delivered This message was delivered. Not needed Not queued 1",
        "Also the unknown one It may have arrived, so the member may get it twice.",
    ):
        assert part in text


def test_unknown_ones_need_the_tick(
    ours: World, editor: Client, whatsapp: Integration
) -> None:
    message = tried(
        ours,
        "unknown",
        integration=whatsapp,
        error_code="whatsapp:timeout",
        error_class="unknown",
    )

    refused = confirm(editor, ticked([message]))
    assert refused.status_code == 409
    assert "Tick this" in words(refused.content.decode())

    assert made(editor, ticked([message]), accepts_duplicate="on").accepts_duplicate


def test_a_changed_list_is_shown_again_with_its_new_number(
    ours: World, editor: Client, whatsapp: Integration
) -> None:
    first, second = several(ours, whatsapp, 2)
    url = ticked([first, second])
    shown = editor.get(url).content.decode()
    Message.objects.filter(pk=first.pk).update(
        state="delivered", delivered_at=timezone.now()
    )

    refused = editor.post(url, {**hidden(shown), "when": "now"})

    assert refused.status_code == 409
    text = words(refused.content.decode())
    assert "now 1 message of it did not arrive" in text
    assert "Will be queued 1" in text
    assert not BulkResend.objects.exists()
    again = {**hidden(refused.content.decode()), "when": "now"}
    assert editor.post(url, again).status_code == 302


def test_sent_twice_it_is_made_once(
    ours: World, editor: Client, whatsapp: Integration
) -> None:
    url = ticked(several(ours, whatsapp))
    values = {**hidden(editor.get(url).content.decode()), "when": "now"}

    answers = [editor.post(url, values) for _ in range(2)]

    bulk = BulkResend.objects.get()
    assert [one["Location"] for one in answers] == [page_of(bulk)] * 2


def test_the_dialog_closes_by_a_redirect_of_its_own(
    ours: World, editor: Client, whatsapp: Integration
) -> None:
    url = ticked(several(ours, whatsapp))
    values = {**hidden(editor.get(url).content.decode()), "when": "now"}

    answer = editor.post(url, values, headers=IN_DIALOG)

    assert answer["HX-Redirect"] == page_of(BulkResend.objects.get())


def test_it_can_start_later(ours: World, editor: Client, whatsapp: Integration) -> None:
    at = timezone.now() + timedelta(hours=3)
    bulk = made(
        editor,
        ticked(several(ours, whatsapp)),
        when="later",
        at=f"{at:%Y-%m-%dT%H:%M}",
    )

    running.run()
    bulk.refresh_from_db()

    assert bulk.state == "frozen"
    assert "Until then nothing is queued" in page(editor, page_of(bulk))


@pytest.mark.parametrize(
    ("entered", "sentence"),
    [
        ({"when": "later", "at": ""}, "Enter a date and time"),
        ({"when": "later", "at": "2020-01-01T10:00"}, "still to come"),
        ({"reason": "x" * 301}, "at most 300"),
    ],
)
def test_what_makes_no_sense_is_refused(
    ours: World,
    editor: Client,
    whatsapp: Integration,
    entered: dict[str, str],
    sentence: str,
) -> None:
    refused = confirm(editor, ticked(several(ours, whatsapp)), **entered)

    assert refused.status_code == 422
    assert sentence in words(refused.content.decode())
    assert not BulkResend.objects.exists()


def test_a_time_at_which_they_are_too_old_is_said(
    ours: World, editor: Client, whatsapp: Integration
) -> None:
    at = timezone.now() + timedelta(days=3)

    refused = confirm(
        editor,
        ticked(several(ours, whatsapp)),
        when="later",
        at=f"{at:%Y-%m-%dT%H:%M}",
    )

    assert refused.status_code == 409
    assert "none of them can be sent again" in words(refused.content.decode())


@pytest.mark.parametrize("shown", [{}, {"shown_at": "x"}, {"shown_count": "-1"}])
def test_nothing_is_confirmed_that_was_not_shown(
    ours: World, editor: Client, whatsapp: Integration, shown: dict[str, str]
) -> None:
    answer = editor.post(ticked(several(ours, whatsapp)), {"when": "now", **shown})

    assert answer.status_code == 409
    assert not BulkResend.objects.exists()


@pytest.mark.parametrize("query", ["", "?ids=x", "?ids=", "?all=1&state=nonsense"])
def test_choosing_nothing_is_told(editor: Client, query: str) -> None:
    assert "Tick at least one message" in page(editor, f"{NEW}{query}")
    assert editor.post(f"{NEW}{query}").status_code == 422


def test_what_cannot_be_sent_again_switches_the_button_off(
    ours: World, editor: Client, whatsapp: Integration
) -> None:
    message = tried(ours, "delivered", integration=whatsapp)

    response = editor.get(ticked([message]))

    assert "None of these messages can be sent again now" in words(
        response.content.decode()
    )
    assert 'aria-disabled="true"' in response.content.decode()
    assert confirm(editor, ticked([message])).status_code == 409


def test_messages_of_others_cannot_be_chosen(
    ours: World, theirs: World, editor: Client
) -> None:
    foreign = several(theirs, theirs.integration())

    for url in (ticked(foreign), f"{NEW}?all=1"):
        assert "Selected 0" in page(editor, url)
        assert confirm(editor, url).status_code == 409
    assert not BulkResend.objects.exists()


def test_others_find_nothing(
    ours: World, editor: Client, stranger: Client, whatsapp: Integration
) -> None:
    bulk = made(editor, ticked(several(ours, whatsapp)))

    for name in ("detail", "progress", "cancel", "csv"):
        assert stranger.get(page_of(bulk, name)).status_code == 404
    assert "No bulk resends yet" in page(stranger, "/messages/bulk/")
    assert stranger.post(page_of(bulk, "cancel")).status_code == 404
    bulk.refresh_from_db()
    assert bulk.state == "frozen"


def test_agents_look_and_cannot_act(
    ours: World, editor: Client, agent: Client, whatsapp: Integration
) -> None:
    url = ticked(several(ours, whatsapp))
    bulk = made(editor, url)

    assert "3 ticked messages" in page(agent, "/messages/bulk/")
    assert "Cancel…" not in page(agent, page_of(bulk))
    assert agent.get(page_of(bulk, "csv")).status_code == 200
    for address in (url, page_of(bulk, "cancel")):
        assert agent.get(address).status_code == 403
        assert agent.post(address).status_code == 403


def test_progress_is_told_until_nothing_moves(
    ours: World, editor: Client, whatsapp: Integration
) -> None:
    bulk = made(editor, ticked(several(ours, whatsapp)))
    shown = editor.get(page_of(bulk)).content.decode()
    poll = html.unescape(re.findall(r'hx-get="([^"]+/progress/[^"]*)"', shown)[0])

    assert editor.get(poll).status_code == 204
    running.run()
    ended = editor.get(poll).content.decode()

    assert "100 %" in words(ended)
    assert "hx-trigger" not in ended
    assert 'id="results" hx-swap-oob="true"' in ended


def test_the_result_says_of_each_message_why_not(
    ours: World, editor: Client, whatsapp: Integration
) -> None:
    several(ours, whatsapp, 2)
    [blocked] = several(
        ours, whatsapp, 1, error_code="whatsapp:131026", error_class="never"
    )
    delivered = tried(ours, "delivered", integration=whatsapp)
    bulk = made(editor, f"{NEW}?all=1")
    running.run()

    text = page(editor, page_of(bulk))
    assert "Why messages were not queued" in text
    assert str(blocked.contact) in text
    assert str(delivered.contact) in text
    shown = editor.get(page_of(bulk)).content.decode()
    links = re.findall(r'href="([^"]+)" id="cause-\d"', shown)
    assert len(links) == 2
    by_cause = {
        str(one.contact): [
            link for link in links if str(one.contact) in page(editor, whole(link))
        ]
        for one in (blocked, delivered)
    }
    assert [len(found) for found in by_cause.values()] == [1, 1]
    queued = page(editor, f"{page_of(bulk)}?show=queued")
    assert "Waiting to retry" in queued
    assert str(blocked.contact) not in queued


def whole(link: str) -> str:
    return html.unescape(link).partition("#")[0]


def test_what_was_not_queued_comes_as_a_file(
    ours: World, editor: Client, whatsapp: Integration
) -> None:
    [blocked] = several(
        ours, whatsapp, 1, error_code="whatsapp:131026", error_class="never"
    )
    several(ours, whatsapp, 1)
    delivered = tried(ours, "delivered", integration=whatsapp)
    bulk = made(editor, f"{NEW}?all=1")
    running.run()

    def file(query: str = "") -> list[dict[str, str]]:
        answer: Any = editor.get(f"{page_of(bulk, 'csv')}{query}")
        body = b"".join(answer.streaming_content).decode()
        return list(csv.DictReader(io.StringIO(body)))

    assert [row["Message"] for row in file()] == [
        blocked.public_id,
        delivered.public_id,
    ]
    [row] = file("?code=will_not_help&cause=whatsapp:131026")
    assert (row["Code"], row["Cause"]) == ("will_not_help", "whatsapp:131026")
    assert row["Member"] == blocked.contact.external_id
    assert file("?code=nonsense%00") == []


def test_cancelling_asks_first_and_says_what_still_goes_out(
    ours: World, editor: Client, whatsapp: Integration
) -> None:
    bulk = made(editor, ticked(several(ours, whatsapp)))

    assert "3 messages wait for a turn" in page(editor, page_of(bulk, "cancel"))
    answer = editor.post(page_of(bulk, "cancel"))

    assert answer["Location"] == page_of(bulk)
    bulk.refresh_from_db()
    assert (bulk.state, bulk.cancelled_count) == ("cancelled", 3)
    text = page(editor, page_of(bulk))
    assert "Cancelled before its turn" in text
    again = editor.post(page_of(bulk, "cancel"))
    assert again.status_code == 409
    assert "It has ended already" in words(again.content.decode())


def test_results_are_paged_without_a_gap(
    ours: World, editor: Client, whatsapp: Integration
) -> None:
    several(ours, whatsapp, 30, error_code="whatsapp:131026", error_class="never")
    several(ours, whatsapp, 1)
    bulk = made(editor, f"{NEW}?all=1")
    running.run()

    url, found = page_of(bulk), []
    while url:
        shown = editor.get(url).content.decode()
        found += re.findall(r'href="/messages/(\d+)/"', shown)
        older = re.search(r'rel="next" href="([^"]+)"', shown)
        url = f"{page_of(bulk)}{html.unescape(older[1])}" if older else ""

    assert len(found) == len(set(found)) == 30


@pytest.mark.parametrize("name", ["detail", "list", "progress", "new"])
def test_no_page_costs_more_for_more_rows(
    ours: World, editor: Client, whatsapp: Integration, name: str
) -> None:
    def cost() -> list[str]:
        bulk = made(editor, f"{NEW}?all=1")
        running.run()
        several(ours, whatsapp, 1)
        url = {"list": "/messages/bulk/", "new": f"{NEW}?all=1"}.get(name)
        with CaptureQueriesContext(connection) as queries:
            editor.get(url or page_of(bulk, name))
        return [one["sql"] for one in queries]

    blocked = {"error_code": "whatsapp:131026", "error_class": "never"}
    several(ours, whatsapp, 2, **blocked)
    several(ours, whatsapp, 1)
    few = cost()
    several(ours, whatsapp, 20, **blocked)

    assert len(cost()) == len(few)


def test_rows_that_are_no_longer_kept_leave_the_figures(
    ours: World, editor: Client, whatsapp: Integration
) -> None:
    several(ours, whatsapp, 1, error_code="whatsapp:131026", error_class="never")
    several(ours, whatsapp, 1)
    bulk = made(editor, f"{NEW}?all=1")
    running.run()
    BulkResendItem.objects.all().delete()

    text = page(editor, page_of(bulk))

    assert "The rows are no longer kept" in text
    assert "Queued 1" in text


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (375, "dark")])
def test_the_whole_way_in_a_browser(
    ours: World,
    whatsapp: Integration,
    browser: Browser,
    live_server: LiveServer,
    log_in: LogIn,
    width: int,
    scheme: str,
) -> None:
    several(ours, whatsapp, 3)
    several(ours, whatsapp, 1, error_code="whatsapp:131026", error_class="never")
    session = log_in(ours.editor).cookies["sessionid"].value
    with watched(
        browser, live_server.url, has_script=True, width=width, scheme=scheme
    ) as tab:
        tab.page.context.add_cookies(
            [{"name": "sessionid", "value": session, "url": live_server.url}]
        )
        tab.page.goto(f"{LIST}?state=failed")
        tab.page.get_by_label("Select all on this page").check()
        tab.check()
        tab.page.get_by_role("button", name="Resend selected…").click()
        dialog = tab.page.get_by_role("dialog")
        expect(dialog).to_contain_text("4 ticked messages")
        tab.check()
        dialog.get_by_role("button", name="Resend messages").click()
        expect(tab.page.get_by_role("heading", level=1)).to_have_text(
            "Bulk resend of 4 messages"
        )
        tab.check()
        running.run()
        expect(tab.page.locator("#live")).to_contain_text("100 %")
        expect(tab.page.locator("#items")).to_contain_text("Why not")
        tab.check()
        tab.page.goto("/messages/bulk/")
        tab.check()
