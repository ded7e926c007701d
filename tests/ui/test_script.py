"""What ``app.js`` adds, in a real browser under the real content security policy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, expect
from pytest_django.live_server_helper import LiveServer

from resend_admin.ui.dialogs import HAS_WAITED
from tests.ui.parts import COUNTED

pytestmark = [
    pytest.mark.urls("tests.ui.urls"),
    pytest.mark.django_db(transaction=True),
]

COLLECT_VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture
def parts(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    """The page of all pieces; at the end nothing may have been blocked or thrown."""
    context = browser.new_context(
        base_url=live_server.url,
        timezone_id="Europe/Amsterdam",
        reduced_motion="reduce",
    )
    context.add_init_script(COLLECT_VIOLATIONS)
    page = context.new_page()
    thrown: list[str] = []
    page.on("pageerror", lambda error: thrown.append(str(error)))
    page.goto("/parts/")
    yield page
    violations = page.evaluate("window.violations")
    context.close()
    assert violations == []
    assert thrown == []


def test_a_toast_tells_and_goes(parts: Page) -> None:
    parts.click("#tell")
    note = parts.get_by_role("status").get_by_text("It was done.")
    expect(note).to_be_visible()
    parts.get_by_role("button", name="Dismiss").click()
    expect(note).to_have_count(0)


def test_a_switched_off_button_stays_in_reach_and_does_nothing(parts: Page) -> None:
    sent: list[Request] = []
    parts.on("request", lambda request: sent.append(request))
    parts.locator("#off").focus()
    parts.keyboard.press("Enter")
    parts.click("#off", force=True)
    parts.click("#tell")
    expect(parts.get_by_text("It was done.")).to_be_visible()
    assert len([request for request in sent if "/tell/" in request.url]) == 1


def test_what_cannot_be_taken_back_is_asked_first(parts: Page) -> None:
    box = parts.get_by_role("dialog", name="Stop this broadcast?")
    parts.click("#stop")
    expect(box).to_contain_text("What left stays.")
    box.get_by_role("button", name="Keep sending").click()
    expect(box).to_be_hidden()
    expect(parts.locator(".toast")).to_have_count(0)
    parts.click("#stop")
    box.get_by_role("button", name="Stop sending").click()
    expect(parts.get_by_text("It was done.")).to_be_visible()


def test_a_dialog_keeps_its_form_until_it_is_right(parts: Page) -> None:
    parts.click("#open")
    box = parts.locator("#dialog")
    expect(box.get_by_label("Name")).to_be_focused()
    box.get_by_label("Name").fill("Autumn")
    box.get_by_label("Run at").fill("2027-03-28T02:30")
    box.get_by_role("button", name="Save").click()
    expect(box).to_contain_text("does not exist in Europe/Amsterdam")
    expect(box.get_by_label("Name")).to_have_value("Autumn")
    expect(box.get_by_label("Run at")).to_be_focused()
    box.get_by_label("Run at").fill("2030-12-01T18:30")
    box.get_by_role("button", name="Save").click()
    told = parts.get_by_text("Planned for 1 Dec 2030 at 18:30 (Europe/Amsterdam).")
    expect(told).to_be_visible()
    expect(box).to_be_hidden()


def test_escape_closes_a_dialog_and_gives_the_focus_back(parts: Page) -> None:
    parts.click("#open")
    expect(parts.locator("#dialog")).to_be_visible()
    parts.keyboard.press("Escape")
    expect(parts.locator("#dialog")).to_be_hidden()
    expect(parts.locator("#open")).to_be_focused()


def test_a_dialog_opens_before_its_figures_are_there(parts: Page) -> None:
    COUNTED.clear()
    parts.click("#slow")
    box = parts.get_by_role("dialog", name="Plan many")
    expect(box.get_by_role("status")).to_have_text("Looking at all of them.")
    found = Axe().run(parts, options={"runOnly": RULES})
    assert found.response["violations"] == []
    COUNTED.set()
    expect(box.get_by_label("Name")).to_be_focused()
    expect(box.get_by_role("status")).to_have_count(0)


def test_a_dialog_that_was_closed_meanwhile_stays_closed(parts: Page) -> None:
    COUNTED.clear()
    with parts.expect_request(_asks_for_figures):
        parts.click("#slow")
    box = parts.locator("#dialog")
    expect(box).to_be_visible()
    parts.keyboard.press("Escape")
    expect(box).to_be_hidden()
    with parts.expect_response("**/slow/"):
        COUNTED.set()
    parts.click("#tell")
    expect(parts.get_by_text("It was done.")).to_be_visible()
    expect(box).to_be_hidden()


def _asks_for_figures(request: Request) -> bool:
    return HAS_WAITED.lower() in request.headers


def test_a_refusal_is_shown_in_the_dialog(parts: Page) -> None:
    parts.click("#refused")
    expect(parts.locator("#dialog")).to_contain_text("Somebody was faster.")
    expect(parts.locator(".toast")).to_have_count(0)


def test_updates_rest_when_asked_to(parts: Page) -> None:
    with parts.expect_request("**/live/"):
        pass
    parts.get_by_role("button", name="Pause updates").click()
    expect(parts.get_by_role("button", name="Resume updates")).to_be_visible()
    parts.wait_for_timeout(300)
    polls: list[Request] = []
    parts.on("request", lambda request: polls.append(request))
    parts.wait_for_timeout(700)
    assert polls == []
    with parts.expect_request("**/live/"):
        parts.get_by_role("button", name="Resume updates").click()


def test_one_box_chooses_all(parts: Page) -> None:
    every = parts.get_by_label("All", exact=True)
    every.check()
    boxes = parts.locator("input[name=ids]")
    for place in range(3):
        expect(boxes.nth(place)).to_be_checked()
    boxes.nth(1).uncheck()
    assert every.evaluate("(box) => [box.checked, box.indeterminate]") == [False, True]


def test_filters_live_in_the_address(parts: Page) -> None:
    parts.select_option("select[name=state]", "failed")
    expect(parts).to_have_url(re.compile(r"/parts/\?state=failed$"))
    parts.keyboard.press("/")
    parts.keyboard.type("ada")
    expect(parts).to_have_url(re.compile(r"\?search=ada&state=failed$"))
    expect(parts.locator("#pager-older")).to_have_attribute(
        "href", "?search=ada&state=failed&older=abc"
    )
    parts.go_back()
    expect(parts).to_have_url(re.compile(r"/parts/\?state=failed$"))


def test_the_theme_changes_without_a_request_and_is_kept(parts: Page) -> None:
    parts.get_by_role("button", name="Dark").click()
    expect(parts.locator("html")).to_have_attribute("data-theme", "dark")
    parts.reload()
    expect(parts.locator("html")).to_have_attribute("data-theme", "dark")
    pressed = parts.get_by_role("button", name="Dark", pressed=True)
    expect(pressed).to_be_visible()


def test_the_zone_is_known_from_the_second_request_on(parts: Page) -> None:
    expect(parts.get_by_text("Times in UTC")).to_be_visible()
    parts.reload()
    expect(parts.get_by_text("Times in Europe/Amsterdam")).to_be_visible()


def test_shortcuts_can_be_read_and_switched_off(parts: Page) -> None:
    box = parts.get_by_role("dialog", name="Shortcuts")
    parts.keyboard.press("?")
    expect(box).to_be_visible()
    box.get_by_label("Use single-key shortcuts").uncheck()
    box.get_by_role("button", name="Close").click()
    parts.keyboard.press("?")
    expect(box).to_be_hidden()
    parts.reload()
    parts.keyboard.press("?")
    expect(box).to_be_hidden()


def test_a_shortcut_does_not_fire_while_somebody_types(parts: Page) -> None:
    parts.locator("input[type=search]").focus()
    parts.keyboard.type("?")
    expect(parts.get_by_role("dialog", name="Shortcuts")).to_be_hidden()
    expect(parts.locator("input[type=search]")).to_have_value("?")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375, 320])
def test_every_piece_is_accessible_and_fits(
    browser: Browser, live_server: LiveServer, theme: Any, width: int
) -> None:
    context = browser.new_context(
        base_url=live_server.url,
        color_scheme=theme,
        viewport={"width": width, "height": 900},
        reduced_motion="reduce",
        has_touch=width < 500,
    )
    page = context.new_page()
    page.goto("/parts/")
    page.get_by_text("Pause updates").click()
    faults = found_by_axe(page)
    page.click("#open")
    page.locator("#dialog").get_by_role("button", name="Save").click()
    expect(page.locator("#dialog .error").first).to_be_visible()
    faults += found_by_axe(page)
    overflow = "document.documentElement.scrollWidth - innerWidth"
    assert page.evaluate(overflow) <= 0
    context.close()
    assert faults == []


def found_by_axe(page: Page) -> list[str]:
    results = Axe().run(page, options={"runOnly": RULES})
    return [
        f"{fault['id']}: {node['html']}"
        for fault in results.response["violations"]
        for node in fault["nodes"]
    ]
