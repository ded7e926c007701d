"""Bulk resends, watched and looked up: progress, results, cancelling."""

from __future__ import annotations

import csv
import html
import io
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from messaging.bulk import running
from messaging.models import BulkResendItem, Integration
from tests.factories import World
from tests.journeys.watch import watched
from tests.messaging.views.bulk_pages import (
    LIST,
    NEW,
    made,
    page,
    page_of,
    several,
    ticked,
    whole,
)
from tests.messaging.views.conftest import LogIn
from tests.messaging.views.rows import tried
from tests.messaging.views.test_message_detail import words

pytestmark = pytest.mark.django_db


@pytest.fixture
def whatsapp(ours: World) -> Integration:
    return ours.integration()


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
