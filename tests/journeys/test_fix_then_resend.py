"""From the overview to a cause, through its fix, and what fails again comes back."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from messaging.bulk import running
from messaging.models import BulkResend, Message
from tests.broadcasts.factories import (
    BLOCKED,
    finished,
    outcomes,
    retried,
    route,
    rows_of,
    stand,
    started,
)
from tests.broadcasts.test_causes import CLOSED, EXPIRED, failed_of, single
from tests.factories import World
from tests.journeys.test_send_again import WAYS, dialog_of, enter
from tests.journeys.watch import watched

pytestmark = pytest.mark.django_db(transaction=True)


@WAYS
def test_a_cause_is_fixed_once_for_all_it_stopped(
    ours: World,
    theirs: World,
    browser: Browser,
    public_url: str,
    has_script: bool,
    width: int,
    scheme: str,
) -> None:
    ways = [route(ours.integration(name="Main number"), ours.template())]
    renewal = finished(
        ours, "delivered", *["failed"] * 4, "unknown", name="Renewal", routes=ways
    )
    failed_of(renewal, EXPIRED, 2)
    failed_of(renewal, BLOCKED)
    single(ours, EXPIRED)
    single(ours, CLOSED)
    ours.broadcast("failed", name="Sale", state_reason="No route is left.")

    with watched(
        browser, public_url, has_script=has_script, width=width, scheme=scheme
    ) as tab:
        enter(tab, ours, public_url)
        page = tab.page
        page.goto("/")
        expect(page.get_by_role("heading", name="What needs you now")).to_be_visible()
        expect(page.get_by_text("“Sale” could not run").first).to_be_visible()
        tab.check()
        page.get_by_role("link", name="All causes").click()
        expect(page.get_by_role("heading", name="Fix first")).to_be_visible()
        tab.check()
        page.get_by_role("link", name="Access token has expired").click()
        expect(page.get_by_text("3 messages failed in “Renewal”")).to_be_visible()
        tab.check()
        page.get_by_role("link", name="Mark as fixed and resend…").click()
        dialog = dialog_of(tab)
        expect(
            dialog.get_by_text("The access token of the integration")
        ).to_be_visible()
        tab.check()
        dialog.get_by_role("button", name="Mark as fixed and resend").click()
        expect(dialog.get_by_text("Fix it first, then tick this.")).to_be_visible()
        tab.check()
        dialog.get_by_label("I have fixed it").check()
        dialog.get_by_label("Note (optional)").fill("New token")
        dialog.get_by_role("button", name="Mark as fixed and resend").click()
        expect(page.get_by_text("Marked as fixed. The messages are")).to_be_visible()
        expect(page.get_by_role("heading", name="Bulk resend of 3")).to_be_visible()
        tab.check()
        running.run()
        again = Message.objects.filter(state="queued").first()
        assert again is not None
        stand(Message.objects.filter(pk=again.pk), "failed", EXPIRED)
        page.goto(f"/messages/causes/?cause={EXPIRED}")
        expect(page.get_by_text("1 message failed again")).to_be_visible()
        expect(page.get_by_text("“New token”").first).to_be_visible()
        tab.check()
    assert BulkResend.objects.get().queued_count == 3


@WAYS
def test_all_runs_of_a_chain_in_one_picture(
    ours: World,
    browser: Browser,
    public_url: str,
    has_script: bool,
    width: int,
    scheme: str,
) -> None:
    ways = [route(ours.integration(name="Main number"), ours.template())]
    source = finished(
        ours, *["delivered"] * 6, *["failed"] * 3, "skipped", name="News", routes=ways
    )
    again = started(retried(source, ours))
    outcomes(again, "delivered", "delivered", "failed")
    stand(rows_of(again).filter(state="failed"), "failed", BLOCKED)

    with watched(
        browser, public_url, has_script=has_script, width=width, scheme=scheme
    ) as tab:
        enter(tab, ours, public_url)
        tab.page.goto(f"/broadcasts/{source.pk}/")
        chart = tab.page.locator("#waterfall")
        expect(chart.get_by_text("10 aimed, 8 reached in 2 runs")).to_be_visible()
        expect(chart.get_by_text("Will never be reached").first).to_be_visible()
        chart.get_by_text("Show as table").click()
        expect(chart.get_by_role("row", name="By retry 1")).to_be_visible()
        tab.check()
        chart.get_by_role("link", name="By retry 1").click()
        expect(tab.page.get_by_role("heading", name="Retry of News")).to_be_visible()
        tab.check()
