"""Pages on a phone: numbers stand whole, and the menu shows where one is."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from messaging.models import Tally, TallyUnit
from tests.broadcasts.factories import finished, outcomes, retried, started
from tests.broadcasts.views.pages import url_of
from tests.factories import World
from tests.journeys.watch import watched

pytestmark = pytest.mark.django_db(transaction=True)

CUT_NUMBERS = """
() => [...document.querySelectorAll("td.num:not(.chart-table td)")]
  .filter((cell) => {
    const inner = cell.getBoundingClientRect();
    const outer = cell.closest(".table-wrap").getBoundingClientRect();
    return inner.width && (inner.right > outer.right + 1 || inner.left < outer.left);
  })
  .map((cell) => cell.textContent)
"""
CURRENT_IS_IN_VIEW = """
() => {
  const nav = document.querySelector(".nav").getBoundingClientRect();
  const here = document.querySelector(".nav [aria-current]").getBoundingClientRect();
  return here.left >= nav.left && here.right <= nav.right;
}
"""


def sizes(page: Page) -> tuple[list[str], bool]:
    return page.evaluate(CUT_NUMBERS), page.evaluate(CURRENT_IS_IN_VIEW)


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (320, "dark")])
def test_numbers_are_whole_and_the_place_is_in_view(
    ours: World,
    log_in: Any,
    browser: Browser,
    live_server: LiveServer,
    width: int,
    scheme: str,
) -> None:
    own = finished(ours, "delivered", "sent", "failed", "failed", name="Autumn letter")
    retry = started(retried(own, ours))
    outcomes(retry, "delivered", "failed")
    # As many as there may be: the widest that a cell holds.
    Tally.objects.filter(unit=TallyUnit.MESSAGE).update(count=1_259_259)
    session = log_in(ours.admin).cookies["sessionid"].value
    with watched(
        browser, live_server.url, has_script=True, width=width, scheme=scheme
    ) as tab:
        tab.page.context.add_cookies(
            [{"name": "sessionid", "value": session, "url": live_server.url}]
        )
        nav = tab.page.locator(".nav")
        for address in ("/", "/broadcasts/", url_of("detail", retry)):
            tab.page.goto(address)
            assert sizes(tab.page) == ([], True)
            tab.check()
        for address, before, after in (
            ("/", False, True),
            ("/members/", True, True),
            ("/audit/", True, False),
        ):
            tab.page.goto(address)
            assert tab.page.evaluate(CURRENT_IS_IN_VIEW)
            for name, is_more in (("more-before", before), ("more-after", after)):
                if is_more:
                    expect(nav).to_contain_class(name)
                else:
                    expect(nav).not_to_contain_class(name)


def test_a_cause_is_read_across_the_card(
    ours: World, log_in: Client, browser: Browser, live_server: LiveServer
) -> None:
    own = finished(ours, "failed", "failed")
    session = log_in(ours.editor).cookies["sessionid"].value  # type: ignore[operator]
    with watched(
        browser, live_server.url, has_script=True, width=390, scheme="light"
    ) as tab:
        tab.page.context.add_cookies(
            [{"name": "sessionid", "value": session, "url": live_server.url}]
        )
        tab.page.goto(url_of("detail", own))
        text = tab.page.locator("#causes-table td").first.bounding_box()
        number = tab.page.locator("#causes-table td.num").first.bounding_box()

    assert text is not None
    assert number is not None
    assert text["width"] > 300
    assert number["y"] >= text["y"] + text["height"]
