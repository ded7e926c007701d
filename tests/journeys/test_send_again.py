"""Sending one message again: the button, its dialog, and the answer."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Locator, expect

from messaging.dispatch import pace
from messaging.models import Integration, Message
from resend_admin.sandbox.thread import Sandbox
from tests.factories import World
from tests.journeys.watch import Watched, watched
from tests.messaging.test_resend import failed

pytestmark = pytest.mark.django_db(transaction=True)

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
WAYS = pytest.mark.parametrize(
    ("has_script", "width", "scheme"),
    [(True, 1280, "light"), (True, 375, "dark"), (False, 1280, "dark")],
)


@pytest.fixture
def whatsapp(ours: World, sandbox: Sandbox) -> Integration:
    made = ours.integration(settings={"base_url": sandbox.base_url("whatsapp_cloud")})
    pace.prepare(made.pk)
    return made


def enter(tab: Watched, ours: World, url: str) -> None:
    """Sign the editor in without the form, which another journey walks through."""
    client = Client()
    client.force_login(ours.editor)
    tab.page.context.add_cookies(
        [
            {
                "name": "sessionid",
                "value": client.cookies["sessionid"].value,
                "url": url,
            }
        ]
    )


def dialog_of(tab: Watched) -> Locator:
    """Return what holds the form: the dialog, or the page without scripts."""
    return tab.page.locator("#dialog" if tab.has_script else "main")


@WAYS
def test_again_now_after_a_second_thought(
    ours: World,
    whatsapp: Integration,
    browser: Browser,
    public_url: str,
    has_script: bool,
    width: int,
    scheme: str,
) -> None:
    message = failed(
        ours, whatsapp, state="unknown", code="whatsapp:timeout", error_class="unknown"
    )

    with watched(
        browser, public_url, has_script=has_script, width=width, scheme=scheme
    ) as tab:
        enter(tab, ours, public_url)
        tab.page.goto(f"/messages/{message.pk}/")
        tab.check()
        tab.page.get_by_text("Send again, may arrive twice…").click()
        dialog = dialog_of(tab)
        expect(dialog.get_by_text("No answer in time")).to_be_visible()
        tab.check()
        dialog.get_by_role("button", name="Send again").click()
        expect(dialog.get_by_text("Tick this if a second copy")).to_be_visible()
        tab.check()
        dialog.get_by_label("It may have arrived").check()
        dialog.get_by_role("button", name="Send again").click()
        expect(
            tab.page.get_by_text("Sent again. WhatsApp accepted it.")
        ).to_be_visible()
        expect(tab.page.get_by_text("Attempt 2: sent")).to_be_visible()
        tab.check()


@WAYS
def test_later_then_moved_then_cancelled(
    ours: World,
    whatsapp: Integration,
    browser: Browser,
    public_url: str,
    has_script: bool,
    width: int,
    scheme: str,
) -> None:
    ours.editor.time_zone = "Europe/Amsterdam"
    ours.editor.save()
    message = failed(ours, whatsapp)
    at = timezone.now() + timedelta(hours=5)

    with watched(
        browser, public_url, has_script=has_script, width=width, scheme=scheme
    ) as tab:
        enter(tab, ours, public_url)
        tab.page.goto(f"/messages/{message.pk}/")
        tab.page.get_by_text("Send again…").click()
        dialog = dialog_of(tab)
        expect(dialog.get_by_label("Send at")).to_be_hidden()
        dialog.get_by_label("At a time").check()
        dialog.get_by_label("Send at").fill("2027-03-28T02:30")
        dialog.get_by_role("button", name="Send again").click()
        expect(dialog.get_by_text("does not exist in Europe/Amsterdam")).to_be_visible()
        tab.check()
        dialog.get_by_label("Send at").fill(local(at))
        dialog.get_by_role("button", name="Send again").click()
        expect(tab.page.get_by_text("Attempt 2 is planned")).to_be_visible()
        expect(tab.page.get_by_text("It will be sent again on")).to_be_visible()
        tab.check()
        tab.page.get_by_text("Move…").click()
        expect(dialog.get_by_label("Send at")).to_have_value(local(at))
        tab.check()
        dialog.get_by_label("Send at").fill(local(at + timedelta(hours=1)))
        dialog.get_by_role("button", name="Move", exact=True).click()
        expect(tab.page.get_by_text("in 5 hours").first).to_be_visible()
        tab.page.get_by_text("Cancel…").click()
        tab.check()
        dialog.get_by_role("button", name="Cancel resend").click()
        expect(tab.page.get_by_text("The resend was cancelled.")).to_be_visible()
        expect(tab.page.get_by_text("Send again…")).to_be_visible()


@WAYS
def test_whoever_comes_second_reads_it_in_the_dialog(
    ours: World,
    whatsapp: Integration,
    browser: Browser,
    public_url: str,
    has_script: bool,
    width: int,
    scheme: str,
) -> None:
    message = failed(ours, whatsapp)

    with watched(
        browser, public_url, has_script=has_script, width=width, scheme=scheme
    ) as tab:
        enter(tab, ours, public_url)
        tab.page.goto(f"/messages/{message.pk}/")
        tab.page.get_by_text("Send again…").click()
        dialog = dialog_of(tab)
        expect(dialog.get_by_label("Reason")).to_be_visible()
        Message.objects.update(state="sending")
        dialog.get_by_role("button", name="Send again").click()
        refusal = dialog.get_by_text("This message is being sent right now.")
        expect(refusal).to_be_visible()
        tab.check()


def local(moment: datetime) -> str:
    return f"{moment.astimezone(AMSTERDAM):%Y-%m-%dT%H:%M}"
