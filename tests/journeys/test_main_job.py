"""The main job: see who failed and why, retry, and watch the rest arrive."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from broadcasts.models import Broadcast
from messaging.audit import ledger_differences, tally_differences
from messaging.models import Message
from resend_admin.sandbox.log import accepted_twice
from resend_admin.sandbox.thread import Sandbox
from tests.journeys.conftest import Club
from tests.journeys.engine import Engine, wait_until
from tests.journeys.watch import Watched, watched

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "correct horse battery"
SECONDS = 30_000


def log_in(page: Page, club: Club) -> None:
    club.world.editor.set_password(PASSWORD)
    club.world.editor.save()
    page.goto("/")
    page.get_by_label("Username").fill(club.world.editor.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def is_finished(broadcast: Broadcast) -> bool:
    broadcast.refresh_from_db()
    return broadcast.state == "completed"


def start_now(broadcast: Broadcast) -> None:
    """Let a scheduled broadcast be due; a test does not wait for two minutes."""
    Broadcast.objects.filter(pk=broadcast.pk).update(run_at=timezone.now())


@pytest.mark.parametrize(
    ("has_script", "width", "scheme"),
    [
        (True, 1280, "light"),
        (True, 375, "dark"),
        (False, 1280, "dark"),
        (False, 375, "light"),
    ],
)
def test_retrying_the_failed_members_of_a_broadcast(
    club: Club,
    engine: Engine,
    sandbox: Sandbox,
    browser: Browser,
    public_url: str,
    has_script: bool,
    width: int,
    scheme: str,
) -> None:
    club.members(6, "0001")
    club.members(2, "0002")
    club.members(3, "0004")
    source = club.due_broadcast("Autumn newsletter")
    wait_until(lambda: is_finished(source), "the first run is finished")
    wait_until(
        lambda: Message.objects.filter(state__in=["delivered", "read"]).count() == 6,
        "the receipts of the first run are in",
    )

    with watched(
        browser, public_url, has_script=has_script, width=width, scheme=scheme
    ) as tab:
        page = tab.page
        log_in(page, club)
        tab.check()
        open_the_finished_one(tab)
        retry = retry_the_failed(tab, source)
        start_now(retry)
        watch_it_arrive(tab, retry)

    source.refresh_from_db()
    assert source.state == "completed"
    assert Message.objects.filter(broadcast_id=source.pk, state="failed").count() == 5
    assert Message.objects.filter(broadcast_id=retry.pk).count() == 5
    assert accepted_twice(sandbox.entries()) == []
    assert tally_differences() == []
    assert ledger_differences() == []


def open_the_finished_one(tab: Watched) -> None:
    """From the list to the page that says who failed and why."""
    page = tab.page
    page.get_by_role("link", name="Broadcasts").first.click()
    expect(page.get_by_role("heading", name="Broadcasts")).to_be_visible()
    tab.check()
    page.get_by_role("link", name="Autumn newsletter").first.click()
    expect(page.get_by_role("heading", name="Why messages failed")).to_be_visible()
    why = page.get_by_role("region", name="Why messages failed")
    expect(why.get_by_text("Likely").first).to_be_visible()
    expect(why.get_by_text("whatsapp:131026")).to_be_visible()
    tab.check()


def retry_the_failed(tab: Watched, source: Broadcast) -> Broadcast:
    """Press the button, read the dialog, keep the default time, confirm."""
    page = tab.page
    page.get_by_text("Retry 5 failed…").click()
    expect(page.get_by_label("Run at")).to_be_visible()
    assert page.get_by_label("Run at").input_value() != ""
    expect(page.get_by_text("Members to retry")).to_be_visible()
    tab.check()

    # A time that is over is refused in words, and nothing typed is lost.
    chosen = page.get_by_label("Run at").input_value()
    page.get_by_label("Run at").fill("2026-01-01T10:00")
    page.get_by_role("button", name="Retry messages").click()
    expect(page.get_by_text("at least 2 minutes")).to_be_visible()
    expect(page.get_by_label("Run at")).to_have_value("2026-01-01T10:00")
    tab.check()
    page.get_by_label("Run at").fill(chosen)
    page.get_by_role("button", name="Retry messages").click()
    expect(page.get_by_text("5 members will be tried again").first).to_be_visible()
    tab.check()

    retry = Broadcast.objects.get(retry_of=source)
    assert retry.state == "scheduled"
    assert Message.objects.filter(broadcast_id=retry.pk, state="planned").count() == 5
    return retry


def watch_it_arrive(tab: Watched, retry: Broadcast) -> None:
    """The page moves by itself; without script it is loaded again."""
    page = tab.page
    if not tab.has_script:
        wait_until(lambda: is_finished(retry), "the retry is finished")
        page.reload()
    expect(page.get_by_text("Finished").first).to_be_visible(timeout=SECONDS)
    wait_until(
        lambda: (
            Message.objects.filter(broadcast_id=retry.pk, state="delivered").exists()
            or Message.objects.filter(broadcast_id=retry.pk, state="read").exists()
        ),
        "a receipt of the retry is in",
    )
    page.reload()
    expect(page.get_by_text("11 aimed, 9 reached in 2 runs")).to_be_visible()
    tab.check()
