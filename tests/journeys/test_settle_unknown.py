"""Nobody can tell whether it left: reading the evidence, and settling it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from messaging.models import CountedDelivery, Message
from tests.factories import World
from tests.journeys.test_send_again import WAYS, enter
from tests.journeys.watch import watched
from tests.messaging.views.rows import receipt
from tests.messaging.views.test_unknown import heard_of_another, unknown

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def doubts(ours: World) -> list[Message]:
    """Return three unknown messages, each with other evidence."""
    ours.editor.first_name, ours.editor.last_name = "Kofi", "Mensah"
    ours.editor.save()
    number = ours.integration(name="Main number")
    heard_of_another(number)
    broadcast = ours.broadcast(name="Autumn newsletter")
    quiet = unknown(
        ours,
        integration=number,
        contact=ours.contact(name="Ama Owusu"),
        broadcast_id=broadcast.pk,
        content=ours.text("Hello {{first_name}}, the harvest festival is on Sunday"),
    )
    odd = unknown(
        ours,
        integration=number,
        contact=ours.contact(name="Yaw Boateng"),
        code="whatsapp:unreadable_answer",
        duration_ms=340,
        http_status=502,
        answer="<html><h1>502 Bad Gateway</h1></html>",
        error_detail="The answer is no JSON.",
        left=timedelta(minutes=4),
    )
    receipt(odd.attempts.get(), "", result="not_understood", raw={"status": "hm"})
    letter = unknown(
        ours,
        integration=ours.integration("smtp", name="Office mail"),
        contact=ours.contact(name="Esi Darko", email="esi@example.org"),
        code="resend_admin:worker_lost",
        duration_ms=None,
    )
    assert timezone.now() > letter.created_at
    return [quiet, odd, letter]


@WAYS
def test_one_is_counted_as_delivered_from_the_list(
    ours: World,
    doubts: list[Message],
    browser: Browser,
    live_server: LiveServer,
    has_script: bool,
    width: int,
    scheme: str,
) -> None:
    url = live_server.url
    with watched(
        browser, url, has_script=has_script, width=width, scheme=scheme
    ) as tab:
        enter(tab, ours, url)
        tab.page.goto("/messages/")
        tab.page.get_by_role("link", name="Unknown", exact=True).click()
        page = tab.page
        expect(page.get_by_role("heading", name="Unknown messages")).to_be_visible()
        tab.check()
        card = page.get_by_role("article", name="Ama Owusu")
        expect(card).to_contain_text("it probably did not arrive")

        card.get_by_role("link", name="Count as delivered…").click()
        dialog = page.locator("#dialog" if has_script else "main")
        expect(dialog).to_contain_text("Your name stays on record")
        tab.check()
        dialog.get_by_label("How do you know?").fill("She showed it to me")
        dialog.get_by_role("button", name="Count as delivered").click()

        expect(page.get_by_text("Counted as delivered.").first).to_be_visible()
        if has_script:
            expect(page).to_have_url(f"{url}/messages/unknown/")
            expect(page.get_by_role("article", name="Ama Owusu")).to_have_count(0)
        tab.check()
        page.goto(f"/messages/{doubts[0].pk}/")
        expect(page.locator("main")).to_contain_text("“She showed it to me”")
        tab.check()
        page.goto(f"/messages/{doubts[1].pk}/")
        expect(page.get_by_role("link", name="Send again, may arrive")).to_be_visible()
        tab.check()

    assert CountedDelivery.objects.get().person_name == "Kofi Mensah"
    doubts[0].refresh_from_db()
    assert doubts[0].state == "delivered"
