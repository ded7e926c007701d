"""GraphiQL: for people who are signed in, under the policy of every page."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from broadcasts.graphql.examples import EXAMPLES
from broadcasts.models import Broadcast
from messaging.models import Role
from tests.broadcasts.factories import finished, scheduled
from tests.broadcasts.graphql.test_explorer_plain import VIEWS, browser_of
from tests.broadcasts.views.pages import text_of
from tests.broadcasts.views.reports.test_browser import RULES, SIDEWAYS, opened
from tests.factories import World

PATH = "/graphql/"
FOLDER = Path(settings.BASE_DIR) / "broadcasts" / "static" / "graphiql"
FILES = {
    "graphiql.css": "83c8292f50e4a932459e192a81309893d4017a5a6990af52413bad697970f1ec",
    "graphiql.js": "f118b042b694baca2bc71aa6f53a826275291e4d9595d29912513c60d9cc2748",
    "react-dom.js": "35f4f974f4b2bcd44da73963347f8952e341f83909e4498227d4e26b98f66f0d",
    "react.js": "d949f1c3687aedadcedac85261865f29b17cd273997e7f6b2bfc53b2f9d4c4dd",
}
"""What was published, with the changes that the README beside the files names."""


def directives(response: Any) -> dict[str, str]:
    policy = response["Content-Security-Policy"].split("; ")
    return {name: value for name, _, value in (one.partition(" ") for one in policy)}


@pytest.mark.parametrize("name", FILES)
def test_the_files_are_those_that_were_looked_at(name: str) -> None:
    content = (FOLDER / name).read_bytes()

    assert hashlib.sha256(content).hexdigest() == FILES[name]
    assert name in (FOLDER / "README.md").read_text()
    assert b"@font-face" not in content
    assert b"sourceMappingURL" not in content


def test_a_stranger_is_sent_to_the_log_in(db: None) -> None:
    response = Client().get(PATH)

    assert (response.status_code, response["Location"]) == (302, f"/login/?next={PATH}")


def test_a_role_without_rights_gets_none(db: None, ours: World) -> None:
    person = ours.person("nobody", Role.NONE)

    assert browser_of(person).get(PATH).status_code == 403


def test_its_policy_is_that_of_every_page(db: None, ours: World) -> None:
    client = browser_of(ours.agent)
    usual, first = directives(client.get("/broadcasts/")), directives(client.get(PATH))
    again = directives(client.get(PATH))

    assert re.fullmatch(r"'self' 'nonce-[\w+/=-]{20,}'", first["style-src"])
    assert first["style-src"] != again["style-src"]
    assert first | {"style-src": usual["style-src"]} == usual
    assert usual["style-src"] == usual["script-src"] == "'self'"


def test_examples_ask_about_a_broadcast_of_one_s_own(
    db: None, ours: World, theirs: World
) -> None:
    source = finished(ours, "failed")
    finished(theirs, "failed")

    page = browser_of(ours.agent).get(PATH)

    assert [one.label in text_of(page) for one in EXAMPLES] == [True] * len(EXAMPLES)
    asked = {one["variables"] for one in page.context["questions"]}
    assert asked == {"", f'{{\n  "id": "{source.pk}"\n}}'}


TABS = "(one) => one.includes('tabState')"


def begun(page: Page, example: str = "") -> None:
    page.goto(f"{PATH}?example={example}" if example else PATH)
    page.locator(".graphiql-query-editor .CodeMirror").wait_for()


def write(page: Page, text: str, name: str) -> None:
    """Write a question, and wait until GraphiQL knows it by its name."""
    page.locator(".graphiql-query-editor .CodeMirror").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)
    expect(page.locator(".graphiql-tab-active")).to_contain_text(name)


def until_kept(page: Page, condition: str) -> None:
    """Wait for the browser's storage, in which GraphiQL writes half a second later."""
    page.wait_for_function(
        f"() => (kept => kept && {condition})(localStorage["
        f"Object.keys(localStorage).find({TABS})])"
    )


def run(page: Page) -> Any:
    page.locator(".graphiql-query-editor .CodeMirror").click()
    page.keyboard.press("Control+Enter")
    return page.locator(".result-window")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("view", VIEWS, ids=["light", "dark", "narrow"])
def test_it_runs_with_docs_history_and_dialogs_and_nothing_is_refused(
    ours: World, browser: Browser, live_server: LiveServer, view: dict[str, Any]
) -> None:
    source = finished(ours, "delivered", "failed", name="News")
    with opened(browser, live_server, ours.agent, **view) as page:
        begun(page, "causes")
        expect(page.locator(".graphiql-query-editor")).to_contain_text("WhyItFailed")
        expect(page.locator(".graphiql-editor-tool")).to_contain_text(f'"{source.pk}"')
        expect(run(page)).to_contain_text("failuresByCause")
        page.get_by_label("Show Documentation Explorer").click()
        expect(page.locator(".graphiql-plugin")).to_contain_text("BroadcastConnection")
        page.get_by_label("Show History").click()
        expect(page.locator(".graphiql-plugin")).to_contain_text("WhyItFailed")
        for button in ("Open settings dialog", "Open short keys dialog"):
            page.get_by_label(button).click()
            page.locator(".graphiql-dialog").wait_for()
            page.keyboard.press("Escape")
            page.locator(".graphiql-dialog").wait_for(state="detached")
        around = {"include": [["main"]], "exclude": [[".graphiql-container"]]}
        rules = {"runOnly": {"type": "tag", "values": RULES}}
        faults = Axe().run(page, context=around, options=rules).response["violations"]

        assert faults == []
        assert page.evaluate(SIDEWAYS) <= 0


@pytest.mark.django_db(transaction=True)
def test_it_follows_the_switch_of_the_page(
    ours: World, browser: Browser, live_server: LiveServer
) -> None:
    with opened(browser, live_server, ours.agent, color_scheme="light") as page:
        begun(page)
        expect(page.locator("body")).to_have_class(re.compile("graphiql-light"))
        page.get_by_role("button", name="Dark").click()
        expect(page.locator("body")).to_have_class(re.compile("graphiql-dark"))


@pytest.mark.django_db(transaction=True)
def test_a_change_is_made_with_one_s_own_rights(
    ours: World, browser: Browser, live_server: LiveServer
) -> None:
    made = scheduled(ours)
    query = f"mutation Stop {{ cancelBroadcast(id: {made.pk}) {{ status }} }}"
    with opened(browser, live_server, ours.agent) as page:
        begun(page)
        write(page, query, "Stop")
        expect(run(page)).to_contain_text("FORBIDDEN")
    with opened(browser, live_server, ours.editor) as page:
        begun(page)
        write(page, query, "Stop")
        expect(run(page)).to_contain_text("CANCELLED")

    assert Broadcast.objects.get(pk=made.pk).state == "cancelled"


@pytest.mark.django_db(transaction=True)
def test_what_is_wrong_is_marked_where_it_stands(
    ours: World, browser: Browser, live_server: LiveServer
) -> None:
    with opened(browser, live_server, ours.agent) as page:
        begun(page)
        write(page, "query Who {\n  viewer { nmae }\n}", "Who")
        marks = page.locator(".CodeMirror-lint-mark-error")
        mark = marks.filter(has_text="nmae")
        expect(mark).to_be_visible()
        mark.hover()
        tip = page.locator(".CodeMirror-lint-tooltip")
        expect(tip).to_contain_text("Cannot query field")


@pytest.mark.django_db(transaction=True)
def test_an_example_takes_nothing_away_that_somebody_wrote(
    ours: World, browser: Browser, live_server: LiveServer
) -> None:
    with opened(browser, live_server, ours.agent) as page:
        begun(page)
        tabs = page.locator(".graphiql-tab")
        page.get_by_role("link", name="Flows and templates").click()
        expect(page.locator(".graphiql-query-editor")).to_contain_text("quota")
        expect(tabs).to_have_count(1)
        write(page, "query Who { viewer { name } }", "Who")
        until_kept(page, "kept.includes('query Who')")
        page.get_by_role("link", name="Newest broadcasts").click()
        expect(tabs).to_have_count(2)
        expect(page.locator(".graphiql-query-editor")).to_contain_text("pageInfo")
        tabs.first.locator(".graphiql-tab-button").click()
        expect(page.locator(".graphiql-query-editor")).to_contain_text("viewer")
        until_kept(page, "JSON.parse(kept).tabs.length === 2")
        until_kept(page, "JSON.parse(kept).activeTabIndex === 0")
        page.reload()
        expect(tabs).to_have_count(2)
        expect(page.locator(".graphiql-query-editor")).to_contain_text("viewer")
        begun(page)
        owned = f"Object.keys(localStorage).filter({TABS})"
        assert page.evaluate(owned) == [f"graphiql-{ours.agent.pk}:graphiql:tabState"]


@pytest.mark.django_db(transaction=True)
def test_without_scripts_it_leads_to_the_plain_page(
    ours: World, browser: Browser, live_server: LiveServer
) -> None:
    with opened(browser, live_server, ours.agent, java_script_enabled=False) as page:
        page.goto(PATH)
        page.get_by_role("link", name="Open the plain page").click()
        expect(page.get_by_role("button", name="Run")).to_be_visible()
