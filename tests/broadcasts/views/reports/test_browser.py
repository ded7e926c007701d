"""The page in a real browser: accessible, without a blocked or failed line, and
working without scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from messaging.models import User
from tests.broadcasts.views.reports.figures import month, today
from tests.factories import World

pytestmark = pytest.mark.django_db(transaction=True)

COLLECT_VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
REPLACED = ("htmx:afterRequest,", "htmx:sendAbort,")
"""What htmx logs when a newer choice takes the place of a request under way."""
SIDEWAYS = "document.documentElement.scrollWidth - innerWidth"


@contextmanager
def opened(
    browser: Browser, live_server: LiveServer, person: User, **options: Any
) -> Iterator[Page]:
    """Yield a page of somebody signed in; nothing may be blocked, thrown or logged."""
    client = Client()
    client.force_login(person)
    context = browser.new_context(
        base_url=live_server.url, reduced_motion="reduce", **options
    )
    context.add_init_script(COLLECT_VIOLATIONS)
    session = client.cookies["sessionid"].value
    context.add_cookies(
        [{"name": "sessionid", "value": session, "url": live_server.url}]
    )
    page = context.new_page()
    logged: list[str] = []
    page.on("pageerror", lambda error: logged.append(str(error)))
    page.on(
        "console",
        lambda entry: (
            logged.append(entry.text)
            if entry.type == "error" and not entry.text.startswith(REPLACED)
            else None
        ),
    )
    yield page
    violations = page.evaluate("window.violations ?? []")
    context.close()
    assert violations == []
    assert logged == []


def faults(page: Page) -> list[str]:
    results = Axe().run(page, options={"runOnly": RULES})
    return [
        f"{fault['id']}: {node['html']}"
        for fault in results.response["violations"]
        for node in fault["nodes"]
    ]


@pytest.mark.parametrize(
    ("theme", "width"), [("light", 1280), ("dark", 1280), ("light", 375), ("dark", 320)]
)
def test_it_is_accessible_and_fits(
    browser: Browser, live_server: LiveServer, ours: World, theme: Any, width: int
) -> None:
    month(ours)
    options: dict[str, Any] = {
        "color_scheme": theme,
        "viewport": {"width": width, "height": 900},
        "has_touch": width < 500,
    }
    with opened(browser, live_server, ours.agent, **options) as page:
        page.goto("/reports/?period=own&since=2026-99-99")
        expect(page.get_by_text("The first day is not a date.")).to_be_visible()
        for summary in page.locator("summary").all():
            summary.click()
        expect(
            page.get_by_role("region", name="Outcomes by day, as a table")
        ).to_be_visible()
        assert faults(page) == []
        assert page.evaluate(SIDEWAYS) <= 0


def test_emptiness_is_accessible(
    browser: Browser, live_server: LiveServer, ours: World
) -> None:
    with opened(browser, live_server, ours.editor) as page:
        page.goto("/reports/")
        expect(page.get_by_text("Nothing to report yet")).to_be_visible()
        assert faults(page) == []


def test_a_choice_changes_the_charts_and_the_address(
    browser: Browser, live_server: LiveServer, ours: World
) -> None:
    month(ours)
    with opened(browser, live_server, ours.agent) as page:
        page.goto("/reports/")
        page.get_by_text("7 days", exact=True).click()
        expect(page).to_have_url(re.compile(r"/reports/\?period=7$"))
        expect(page.locator("#days .hover")).to_have_count(7)
        page.get_by_label("Channel", exact=True).select_option("sms")
        expect(page).to_have_url(re.compile(r"\?period=7&channel=sms$"))
        expect(page.locator("#scope")).to_contain_text("SMS only")
        page.go_back()
        expect(page.locator("#scope")).to_contain_text("all channels")
        page.get_by_text("Own dates").click()
        page.get_by_label("First day").fill(today().isoformat())
        page.get_by_label("Last day").fill(today().isoformat())
        expect(page.locator("#days .hover")).to_have_count(1)


def test_periods_are_chosen_by_keyboard(
    browser: Browser, live_server: LiveServer, ours: World
) -> None:
    month(ours)
    with opened(browser, live_server, ours.agent) as page:
        page.goto("/reports/")
        expect(page.get_by_label("First day")).to_be_hidden()
        page.get_by_role("radio", name="30 days").focus()
        page.keyboard.press("ArrowRight")
        expect(page).to_have_url(re.compile(r"period=90"))
        expect(page.get_by_role("radio", name="90 days")).to_be_focused()
        expect(page.locator("#days .hover")).to_have_count(90)


def test_the_pointer_uncovers_the_numbers_of_a_day(
    browser: Browser, live_server: LiveServer, ours: World
) -> None:
    month(ours)
    with opened(browser, live_server, ours.agent) as page:
        page.goto("/reports/")
        columns = page.locator("#days .col")
        for place in (0, 29):
            tip = columns.nth(place).locator(".tip")
            expect(tip).to_be_hidden()
            columns.nth(place).locator(".hover").hover()
            expect(tip).to_be_visible()
            expect(tip).to_contain_text("Delivered after retry: 110")
            box, card = (
                tip.locator(".tip-box").bounding_box(),
                page.locator("#days").bounding_box(),
            )
            assert box
            assert card
            assert card["x"] <= box["x"]
            assert box["x"] + box["width"] <= card["x"] + card["width"]


def test_text_keeps_its_size_and_bars_stretch(
    browser: Browser, live_server: LiveServer, ours: World
) -> None:
    month(ours)
    widths = []
    for width in (1280, 375):
        with opened(
            browser, live_server, ours.agent, viewport={"width": width, "height": 900}
        ) as page:
            page.goto("/reports/")
            label = page.locator("#days .label").first
            size = label.evaluate("one => getComputedStyle(one).fontSize")
            assert size == "12px"
            assert label.evaluate("one => one.getCTM().a") == 1
            box = page.locator("#days .layers rect").first.bounding_box()
            assert box
            widths.append(box["width"])
    assert widths[0] > 2 * widths[1] > 0


def test_it_works_without_scripts(
    browser: Browser, live_server: LiveServer, ours: World
) -> None:
    month(ours)
    with opened(browser, live_server, ours.agent, java_script_enabled=False) as page:
        page.goto("/reports/")
        page.get_by_text("7 days", exact=True).click()
        page.get_by_label("Channel", exact=True).select_option("whatsapp")
        page.get_by_role("button", name="Apply").click()
        expect(page.locator("#scope")).to_contain_text("WhatsApp only")
        expect(page.locator("#days .hover")).to_have_count(7)
        page.locator("#rates-summary").click()
        expect(page.locator("#rates-table")).to_contain_text("Resend 1")
        with page.expect_download() as download:
            page.locator("#rates-csv").click()
        name = f"resend-success-rates-.*-{today()}.csv"
        assert re.fullmatch(name, download.value.suggested_filename)


def test_forced_colours_keep_text_and_bars(
    browser: Browser, live_server: LiveServer, ours: World
) -> None:
    month(ours)
    with opened(
        browser, live_server, ours.agent, forced_colors="active", color_scheme="dark"
    ) as page:
        page.goto("/reports/")
        fill = "one => getComputedStyle(one).fill"
        colours = {
            page.locator(f"#days .layers .{name}").first.evaluate(fill)
            for name in ("d1", "d2", "d3", "d4", "d5")
        }
        assert len(colours) == 5
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        text = page.locator("#rates .value").first.evaluate(fill)
        assert text == "rgb(255, 255, 255)"
        assert ground != text
