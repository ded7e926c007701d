"""A phone lost its link, and a message that it could not read comes in after all."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Locator, expect
from pytest_django.live_server_helper import LiveServer

from messaging.models import DeviceHealth, RetransmissionRequest
from resend_admin.sandbox.thread import Sandbox
from tests.factories import World
from tests.journeys.test_send_again import WAYS, enter
from tests.journeys.watch import watched
from tests.messaging.retransmission.steps import Phone, unread_message, until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def phone(ours: World, sandbox: Sandbox, live_server: LiveServer) -> Phone:
    gateway = ours.integration(
        "device_gateway",
        name="Front desk",
        settings={"base_url": sandbox.base_url("device_gateway")},
    )
    secret = gateway.credentials["webhook_secret"]
    hook = f"{live_server.url}/hooks/{gateway.uid}"
    sandbox.register_hook("gateway", "device", hook, secret)
    return Phone(gateway, sandbox)


@WAYS
def test_from_a_phone_that_is_away_to_a_message_that_came_in(
    ours: World,
    phone: Phone,
    sandbox: Sandbox,
    browser: Browser,
    live_server: LiveServer,
    has_script: bool,
    width: int,
    scheme: str,
) -> None:
    phone.cannot_read("3EB0AA", "+233241230001", text="Are you open today?")
    unread_message(phone.integration, "SPENT", requests=5, state="requested")
    sandbox.phone(account="device", linked=False)
    with watched(
        browser, live_server.url, has_script=has_script, width=width, scheme=scheme
    ) as tab:
        enter(tab, ours, live_server.url)
        tab.page.goto("/unreadable/")
        tab.page.get_by_role("button", name="Check now").click()
        phones = tab.page.get_by_role("region", name="Phones")
        expect(phones).to_contain_text("Not linked")
        expect(phones).to_contain_text("scan it with the phone")
        tab.check()

        tab.page.goto("/")
        needs = tab.page.get_by_role("list", name="What needs you now")
        expect(needs).to_contain_text("“Front desk” is not linked")
        tab.check()
        needs.get_by_role("link", name="Look at the phone").click()
        expect(tab.page).to_have_url(f"{live_server.url}/unreadable/#phones")

        sandbox.phone(account="device")
        DeviceHealth.objects.update(checked_at=timezone.now() - timedelta(minutes=1))
        tab.page.get_by_role("button", name="Check now").click()
        expect(phones).to_contain_text("Connected")

        row = tab.page.locator("tbody tr").filter(has_text="Not readable")
        button = row.get_by_role("button", name="Ask again")
        assert is_wholly_in_view(button, width)
        button.click()
        expect(tab.page.locator("tbody")).to_contain_text("Asked for 1 of 5 times")
        tab.check()

        until(lambda: phone.understood("3EB0AA").state == "recovered")
        tab.page.reload()
        expect(tab.page.locator("tbody")).to_contain_text("Are you open today?")
        tab.check()
    assert RetransmissionRequest.objects.filter(asked_by="person").count() == 2


def is_wholly_in_view(button: Locator, width: int) -> bool:
    """Tell whether nobody has to move a table sideways to press it."""
    box = button.bounding_box()
    return box is not None and box["x"] >= 0 and box["x"] + box["width"] <= width
