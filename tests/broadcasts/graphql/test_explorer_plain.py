"""The page to try it out on: for people who are signed in, also without scripts."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from graphql import GraphQLObjectType, parse, validate
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from broadcasts.graphql.examples import EXAMPLES
from broadcasts.graphql.reference import reference
from broadcasts.graphql.schema import schema
from broadcasts.models import Broadcast
from messaging.models import Role, User
from tests.broadcasts.factories import finished, scheduled
from tests.broadcasts.views.pages import html_of, text_of
from tests.broadcasts.views.reports.test_browser import RULES, SIDEWAYS, opened
from tests.factories import World

PATH = "/graphql/plain/"
pytestmark = pytest.mark.django_db


def browser_of(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def run(client: Client, query: str, variables: str = "") -> Any:
    return client.post(PATH, {"query": query, "variables": variables})


def answer_in(response: Any) -> Any:
    """Return what the page shows as the answer, read back from its coloured words."""
    found = re.search(r'<pre class="json"[^>]*>(.*?)</pre>', html_of(response), re.S)
    assert found
    return json.loads(html.unescape(re.sub(r"<[^>]+>", "", found[1])))


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_is_sent_to_the_log_in(db: None, method: str) -> None:
    response = getattr(Client(), method)(PATH)

    assert (response.status_code, response["Location"]) == (
        302,
        "/login/?next=/graphql/plain/",
    )


def test_a_role_without_rights_gets_no_explorer(ours: World) -> None:
    person = ours.person("nobody", Role.NONE)

    assert browser_of(person).get(PATH).status_code == 403


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.name)
def test_every_example_is_valid_and_answered(ours: World, example: Any) -> None:
    source = finished(ours, "delivered", "failed", name="News")
    client = browser_of(ours.editor)
    assert validate(schema._schema, parse(example.query)) == []

    page = client.get(PATH, {"example": example.name})
    form = page.context["form"].initial
    response = run(client, form["query"], form["variables"])

    assert "errors" not in answer_in(response), answer_in(response)
    assert example.label in text_of(page)
    if example.about_broadcast:
        assert json.loads(form["variables"]) == {"id": str(source.pk)}


def test_an_answer_says_how_a_program_would_ask(ours: World) -> None:
    ours.broadcast(name="O'Neill <b>")

    response = run(
        browser_of(ours.agent),
        "query A($n: Int!) {\n  broadcasts(first: $n) { nodes { name } }\n}",
        '{"n": 1}',
    )

    told = answer_in(response)
    assert told == {"data": {"broadcasts": {"nodes": [{"name": "O'Neill <b>"}]}}}
    assert "O'Neill <b>" not in html_of(response)
    assert "200 OK" in text_of(response)
    assert '"variables": {"n": 1}}' in text_of(response)


@pytest.mark.parametrize(
    ("query", "variables", "word"),
    [
        ("{ nothing }", "", "Cannot query field"),
        ("{", "", "Syntax Error"),
        ("{ viewer { name } }", "{", "not valid JSON"),
        ("{ viewer { name } }", "[]", "as an object"),
        ("{ broadcasts(first: 0) { nodes { id } } }", "", "Ask for 1 to 100 rows"),
        (
            "{ broadcast(id: 9) { " + "retryOf { " * 11 + "id" + " }" * 12 + " }",
            "",
            "deep",
        ),
    ],
)
def test_a_refusal_is_shown_in_words(
    ours: World, query: str, variables: str, word: str
) -> None:
    response = run(browser_of(ours.agent), query, variables)

    assert response.status_code == 200
    assert word in answer_in(response)["errors"][0]["message"]


def test_an_agent_changes_nothing_here_either(ours: World) -> None:
    made = scheduled(ours)

    response = run(
        browser_of(ours.agent),
        f"mutation {{ cancelBroadcast(id: {made.pk}) {{ id }} }}",
    )

    [error] = answer_in(response)["errors"]
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert Broadcast.objects.get(pk=made.pk).state == "scheduled"


def test_another_organization_s_broadcasts_stay_theirs(
    ours: World, theirs: World
) -> None:
    theirs.broadcast(name="Theirs")
    client = browser_of(ours.agent)

    assert "Theirs" not in html_of(run(client, EXAMPLES[0].query))
    assert (
        '{\n  "id": "1"\n}'
        in client.get(PATH, {"example": "rows"}).context["form"].initial["variables"]
    )


def test_a_form_of_another_site_is_refused(ours: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ours.editor)

    assert run(client, "{ viewer { name } }").status_code == 403


def test_nothing_typed_is_said_beside_the_field(ours: World) -> None:
    response = run(browser_of(ours.agent), "")

    assert response.status_code == 422
    assert "This field is required." in text_of(response)


def test_the_whole_schema_can_be_read(ours: World) -> None:
    page = html_of(browser_of(ours.agent).get(PATH))
    known = schema._schema.type_map

    for name, found in known.items():
        if name.startswith("__") or not isinstance(found, GraphQLObjectType):
            continue
        for field in found.fields:
            assert field in page
    for section in reference().types:
        assert f'id="type-{section.name}"' in page
    assert set(re.findall(r'href="#type-(\w+)"', page)) <= {
        one.name for one in reference().types
    }


VIEWS = [
    {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    {"viewport": {"width": 375, "height": 800}, "color_scheme": "light"},
]


def faults_of(page: Page) -> list[str]:
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})
    return [
        f"{one['id']}: {node['html']}"
        for one in found.response["violations"]
        for node in one["nodes"]
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("view", VIEWS, ids=["light", "dark", "narrow"])
def test_it_is_accessible_and_runs_under_the_policy(
    ours: World, browser: Browser, live_server: LiveServer, view: dict[str, Any]
) -> None:
    finished(ours, "delivered", "failed", name="News")
    with opened(browser, live_server, ours.editor, **view) as page:
        page.goto(f"{PATH}?example=causes")
        faults = faults_of(page)
        page.get_by_label("Query").press("Control+Enter")
        expect(page.locator("#answer")).to_contain_text('"failuresByCause"')
        expect(page).to_have_url(re.compile(r"example=causes$"))
        page.get_by_text("The same from a program").click()
        page.locator(".schema summary", has_text="Broadcast type").first.click()
        faults += faults_of(page)

        assert faults == []
        assert page.evaluate(SIDEWAYS) <= 0


@pytest.mark.django_db(transaction=True)
def test_a_type_opens_where_it_is_named(
    ours: World, browser: Browser, live_server: LiveServer
) -> None:
    with opened(browser, live_server, ours.agent) as page:
        page.goto(PATH)
        page.locator(".schema").get_by_role("link", name="Quota!").click()

        expect(page.locator("#type-Quota")).to_be_visible()


@pytest.mark.django_db(transaction=True)
def test_it_works_without_scripts(
    ours: World, browser: Browser, live_server: LiveServer
) -> None:
    ours.broadcast(name="News")
    with opened(browser, live_server, ours.agent, java_script_enabled=False) as page:
        page.goto(PATH)
        page.get_by_role("button", name="Run").click()

        expect(page.locator("#answer")).to_contain_text('"News"')
