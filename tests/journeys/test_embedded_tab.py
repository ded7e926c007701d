"""The communication tab in the page of another product, on another origin."""

from __future__ import annotations

import html
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Browser, Frame, expect
from pytest_django import Settings

from messaging import embed
from messaging.dispatch import pace
from messaging.embed import Access
from messaging.models import Contact, Message
from resend_admin.sandbox.thread import Sandbox
from tests.factories import World
from tests.journeys.watch import RULES, Watched, watched
from tests.messaging.test_resend import failed
from tests.messaging.views.rows import tried

pytestmark = pytest.mark.django_db(transaction=True)

HOST_PAGE = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8"><meta name="color-scheme" content="light dark">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>CareDesk</title><link rel="icon" href="data:,">
  <script src="{script}"></script>
</head>
<body>
<main><h1>CareDesk</h1>
<iframe data-resend-admin title="Communication" width="100%" height="320"
  src="{address}"></iframe></main>
</body>
</html>"""


@dataclass
class Desk:
    """Another product: a server that shows one page with the frame in it."""

    origin: str
    page: str = ""


@pytest.fixture
def desk() -> Iterator[Desk]:
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = shown.page.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    # Another name as well as another port, so that it is another site, too.
    shown = Desk(f"http://localhost:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield shown
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def message(ours: World, sandbox: Sandbox) -> Message:
    """A failed message, as the newest of a dozen to the same member."""
    whatsapp = ours.integration(
        settings={"base_url": sandbox.base_url("whatsapp_cloud")}
    )
    pace.prepare(whatsapp.pk)
    member = ours.contact("0001", name="Greta Petrov")
    for _ in range(11):
        tried(ours, "delivered", contact=member, integration=whatsapp)
    return failed(ours, whatsapp, contact=member)


def show(desk: Desk, url: str, member: Contact) -> None:
    token = embed.make_token(
        member.organization,
        member.external_id,
        access=Access.WRITE,
        person="Ama Owusu",
        host="CareDesk",
    )
    address = embed.address(token, member.external_id)
    desk.page = HOST_PAGE.format(
        script=f"{url}/static/messaging/embed-host.js", address=html.escape(address)
    )


def open_desk(tab: Watched, desk: Desk) -> Frame:
    tab.page.goto(f"{desk.origin}/")
    expect(
        tab.page.frame_locator("iframe").get_by_role(
            "heading", name="Communication with Greta Petrov"
        )
    ).to_be_visible()
    return tab.page.frames[1]


def height(tab: Watched) -> int:
    return int(tab.page.locator("iframe").get_attribute("height") or 0)


def fits(tab: Watched, frame: Frame) -> bool:
    """Whether the frame is as high as its content, so that nothing is cut off."""
    wanted: int = frame.evaluate(
        "Math.ceil(document.body.getBoundingClientRect().height)"
    )
    return height(tab) == wanted


def wait_until_it_fits(tab: Watched, frame: Frame) -> None:
    for _ in range(100):
        if fits(tab, frame):
            return
        tab.page.wait_for_timeout(50)
    assert fits(tab, frame)


def check(tab: Watched, frame: Frame) -> None:
    """Hold the page around and the frame inside against every rule."""
    tab.check()
    found = Axe().run(frame, options={"runOnly": RULES})
    faults = [
        f"{fault['id']}: {node['html']}"
        for fault in found.response["violations"]
        for node in fault["nodes"]
    ]
    assert faults == []
    assert frame.evaluate("window.violations") == []
    assert tab.page.context.cookies() == []


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (1280, "dark"), (375, "light")]
)
def test_a_message_is_sent_again_inside_the_frame(
    browser: Browser,
    public_url: str,
    desk: Desk,
    message: Message,
    settings: Settings,
    width: int,
    scheme: str,
) -> None:
    settings.EMBED_ANCESTORS = ["https://other.example.org", desk.origin]
    show(desk, public_url, message.contact)

    with watched(
        browser, public_url, has_script=True, width=width, scheme=scheme
    ) as tab:
        frame = open_desk(tab, desk)
        wait_until_it_fits(tab, frame)
        assert height(tab) > 320
        check(tab, frame)

        whole = height(tab)
        frame.get_by_role("link", name="Send again…").click()
        expect(frame.get_by_role("heading")).to_have_text("Send this message again")
        wait_until_it_fits(tab, frame)
        assert 0 < height(tab) < whole
        check(tab, frame)

        frame.get_by_role("button", name="Send again").click()
        expect(frame.get_by_text("Sent again. WhatsApp accepted it.")).to_be_visible()
        wait_until_it_fits(tab, frame)
        check(tab, frame)
    assert message.attempts.get(number=2).actor_name == "Ama Owusu in CareDesk"


def test_the_frame_works_without_scripts(
    browser: Browser,
    public_url: str,
    desk: Desk,
    message: Message,
    settings: Settings,
) -> None:
    settings.EMBED_ANCESTORS = [desk.origin]
    show(desk, public_url, message.contact)

    with watched(
        browser, public_url, has_script=False, width=1280, scheme="light"
    ) as tab:
        inside = tab.page.frame_locator("iframe")
        tab.page.goto(f"{desk.origin}/")
        inside.get_by_role("link", name="Send again…").click()
        inside.get_by_label("At a time").check()
        at = timezone.now() + timedelta(hours=3)
        inside.get_by_label("Send at").fill(f"{at:%Y-%m-%dT%H:%M}")
        inside.get_by_role("button", name="Send again").click()
        expect(inside.get_by_text("It will be sent again on")).to_be_visible()
        assert tab.page.context.cookies() == []


def test_a_page_that_is_not_in_the_settings_cannot_show_it(
    browser: Browser,
    public_url: str,
    desk: Desk,
    message: Message,
    settings: Settings,
) -> None:
    settings.EMBED_ANCESTORS = ["https://desk.example.org"]
    show(desk, public_url, message.contact)
    context = browser.new_context()
    page = context.new_page()

    with page.expect_console_message(
        lambda said: "frame-ancestors" in said.text
    ) as refusal:
        page.goto(f"{desk.origin}/")

    assert refusal.value.type == "error"
    assert page.frame_locator("iframe").get_by_text("Greta Petrov").count() == 0
    assert page.locator("iframe").get_attribute("height") == "320"
    context.close()
