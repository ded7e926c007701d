"""The page of one broadcast: figures, causes, skips, chain and buttons."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from broadcasts import schedule
from broadcasts.audience import Audience
from broadcasts.models import Broadcast
from messaging.models import Integration, Message
from tests.broadcasts.factories import (
    BLOCKED,
    draft,
    finished,
    flow_fields,
    outcomes,
    published_flow,
    retried,
    route,
    rows_of,
    scheduled,
    stand,
    started,
)
from tests.broadcasts.views.pages import html_of, text_of, url_of
from tests.factories import World


def test_it_tells_who_got_it_and_who_did_not(ours: World, editor: Client) -> None:
    own = finished(
        ours, "delivered", "read", "sent", "failed", "unknown", "skipped", "cancelled"
    )

    page = text_of(editor.get(url_of("detail", own)))

    assert "100 % 7 of 7 messages settled" in page.replace("\u202f", " ")
    for words in (
        "Delivered 2",
        "Sent 1",
        "Failed 1",
        "Unknown 1",
        "Skipped 1",
        "Cancelled 1",
    ):
        assert words in page


def test_each_figure_leads_to_its_rows(ours: World, editor: Client) -> None:
    own = finished(ours, "delivered", "failed", "skipped", "unknown")

    page = html_of(editor.get(url_of("detail", own)))

    for state in ("delivered", "failed", "skipped"):
        assert f"/messages/?broadcast={own.pk}&amp;state={state}" in page
    assert f"/messages/unknown/?broadcast={own.pk}" in page


def test_failures_are_grouped_by_cause_with_the_next_step(
    ours: World, editor: Client
) -> None:
    own = finished(ours, "failed", "failed", "failed")
    stand(rows_of(own).filter(pk=rows_of(own)[0].pk), "failed", BLOCKED)

    response = editor.get(url_of("detail", own))

    page = text_of(response)
    assert "Why messages failed" in page
    assert "whatsapp:131016" in page
    assert BLOCKED in page
    assert "Likely" in page
    assert "No 1" in page
    assert f"{url_of('detail', own)}?cause=whatsapp%3A131016#failed" in html_of(
        response
    )


def test_an_answer_nobody_knows_is_shown_as_it_came(
    ours: World, editor: Client
) -> None:
    own = finished(ours, "failed")
    stand(rows_of(own), "failed", "whatsapp:<b>424242</b>")

    response = editor.get(url_of("detail", own))

    assert "whatsapp:<b>424242</b>" in text_of_escaped(html_of(response))
    assert "Not known" in text_of(response)


def text_of_escaped(page: str) -> str:
    assert "<b>424242</b>" not in page
    return page.replace("&lt;", "<").replace("&gt;", ">")


def test_skips_have_their_reasons(ours: World, editor: Client) -> None:
    own = finished(ours, "skipped", "skipped", "delivered")

    page = text_of(editor.get(url_of("detail", own)))

    assert "Why members were skipped" in page
    assert "The member opted out 2" in page


def test_unknown_ones_are_explained(ours: World, editor: Client) -> None:
    own = finished(ours, "unknown", "delivered")

    page = text_of(editor.get(url_of("detail", own)))

    assert "1 message of which we cannot tell" in page
    assert "Nothing is sent again by itself" in page


def test_the_chain_stands_on_every_page_of_it(ours: World, editor: Client) -> None:
    source = finished(ours, "delivered", "failed", "failed", name="Invoice")
    retry = started(retried(source, ours))
    outcomes(retry, "delivered", "failed")

    for one, other in ((source, retry), (retry, source)):
        response = editor.get(url_of("detail", one))
        page = text_of(response)
        assert "3 aimed, 2 reached in 2 runs, 1 failed" in page
        assert "this one" in page
        assert url_of("detail", other) in html_of(response)


def test_a_broadcast_without_retries_shows_no_chain(
    ours: World, editor: Client
) -> None:
    page = text_of(editor.get(url_of("detail", finished(ours, "failed"))))

    assert "All runs together" not in page


def test_the_details_say_what_was_decided(ours: World, editor: Client) -> None:
    flow = published_flow(ours, ours.text("We open at 8."), name="Opening hours")
    sms = ours.integration("twilio", name="SMS backup")
    fields = flow_fields(
        ours,
        flow,
        audience=Audience(tags=("vip",), countries=("GH",)),
        routes=[route(ours.integration(name="Main number")), route(sms)],
        fallbacks=[route(ours.integration(name="Spare"), ours.template("hours"))],
        time_zone="Africa/Accra",
        expires_at=timezone.now() + timedelta(days=2),
    )
    own = draft(ours)
    own = schedule.edit(broadcast=own, person=ours.editor, fields=fields)

    page = text_of(editor.get(url_of("detail", own)))

    for words in (
        "Flow “Opening hours”",
        "Members tagged vip, in GH",
        "1. WhatsApp Main number",
        "2. SMS SMS backup",
        "Fallbacks 1. WhatsApp Spare, template hours",
        "Expires",
        "We open at 8.",
        "Not set yet",
    ):
        assert words in page


def test_its_report_is_one_click_away(ours: World, editor: Client) -> None:
    own = finished(ours, "delivered")
    later = scheduled(ours)

    page = html_of(editor.get(url_of("detail", own)))

    assert f'href="/reports/?broadcast={own.pk}"' in page
    report = editor.get(f"/reports/?broadcast={own.pk}")
    assert f"broadcast “{own.name}”" in text_of(report)
    assert "/reports/?broadcast=" not in html_of(editor.get(url_of("detail", later)))


def test_numbers_of_broadcasts_have_no_separators(ours: World, editor: Client) -> None:
    own = Broadcast.objects.create(
        pk=1234567, organization=ours.organization, name="Large", kind="template"
    )

    page = html_of(editor.get(url_of("detail", own)))

    assert "<code>1234567</code>" in page
    assert "1,234,567" not in page


# Buttons


def test_the_button_says_how_many(ours: World, editor: Client) -> None:
    own = finished(ours, "failed", "failed", "delivered")

    response = editor.get(url_of("detail", own))

    assert "Retry 2 failed…" in text_of(response)
    assert url_of("retry", own) in html_of(response)


def test_a_button_that_is_off_says_why(ours: World, editor: Client) -> None:
    ours.contact()
    sending = started(scheduled(ours))

    response = editor.get(url_of("detail", sending))

    assert 'aria-disabled="true"' in html_of(response)
    assert "It is still sending. Wait until it has finished" in text_of(response)
    assert url_of("retry", sending) not in html_of(response)


BUTTONS = {
    "draft": {"schedule", "edit", "clone", "delete"},
    "scheduled": {"edit", "cancel", "clone"},
    "sending": {"cancel", "clone"},
    "completed": {"retry", "clone", "routes"},
    "failed": {"clone"},
}


@pytest.mark.parametrize("state", BUTTONS)
def test_each_state_has_its_buttons(ours: World, editor: Client, state: str) -> None:
    ours.contact()
    own = {
        "draft": lambda: draft(ours),
        "scheduled": lambda: scheduled(ours),
        "sending": lambda: started(scheduled(ours)),
        "completed": lambda: finished(ours, "failed"),
        "failed": lambda: ours.broadcast("failed", state_reason="It was due."),
    }[state]()

    page = html_of(editor.get(url_of("detail", own)))

    names = ["schedule", "edit", "cancel", "clone", "delete", "routes", "retry"]
    shown = {name for name in names if f'"{url_of(name, own)}"' in page}
    assert shown == BUTTONS[state]


def test_fallbacks_are_fixed_once_a_retry_has_started(
    ours: World, editor: Client
) -> None:
    own = finished(ours, "failed")
    retry = retried(own, ours)
    assert url_of("routes", own) in html_of(editor.get(url_of("detail", own)))

    started(retry)

    assert url_of("routes", own) not in html_of(editor.get(url_of("detail", own)))


def test_it_says_why_it_could_not_run(ours: World, editor: Client) -> None:
    own = ours.broadcast("failed", state_reason="It was due on Monday.")

    assert "It was due on Monday." in text_of(editor.get(url_of("detail", own)))


# Watching


def test_it_asks_again_while_something_moves(ours: World, editor: Client) -> None:
    ours.contact()
    own = started(scheduled(ours))

    page = html_of(editor.get(url_of("detail", own)))

    assert 'hx-trigger="every 2s"' in page
    assert "data-poll-pause" in page


def test_nothing_is_sent_back_while_nothing_moved(ours: World, editor: Client) -> None:
    ours.contact()
    own = started(scheduled(ours))
    mark = editor.get(url_of("detail", own)).context["poll_url"].split("v=")[1]

    response = editor.get(url_of("progress", own), {"v": mark})

    assert response.status_code == 204
    assert response.content == b""


def test_what_moved_comes_with_the_buttons(ours: World, editor: Client) -> None:
    ours.contact()
    own = started(scheduled(ours))
    mark = editor.get(url_of("detail", own)).context["poll_url"].split("v=")[1]
    outcomes(own, "failed")

    response = editor.get(url_of("progress", own), {"v": mark})

    assert response.status_code == 200
    page = html_of(response)
    assert page.count("<html") == 0
    assert 'id="live"' in page
    assert 'hx-swap-oob="true"' in page
    assert "Retry 1 failed…" in text_of(response)


def test_it_stops_by_itself(ours: World, editor: Client) -> None:
    own = finished(ours, "delivered", "failed")

    response = editor.get(url_of("progress", own), {"v": "sending-x-2s"})

    assert response.status_code == 200
    assert "hx-trigger" not in html_of(response)
    assert "data-poll" not in html_of(response)


def test_after_the_end_it_waits_for_receipts_and_then_rests(
    ours: World, editor: Client
) -> None:
    own = finished(ours, "sent")
    assert 'hx-trigger="every 2s"' in html_of(editor.get(url_of("detail", own)))

    hour = timezone.now() - timedelta(hours=1)
    Broadcast.objects.filter(pk=own.pk).update(finished_at=hour)

    assert "hx-trigger" not in html_of(editor.get(url_of("progress", own)))


def test_what_runs_in_days_is_asked_for_once_a_minute(
    ours: World, editor: Client
) -> None:
    own = scheduled(ours)
    days = timezone.now() + timedelta(days=3)
    Broadcast.objects.filter(pk=own.pk).update(run_at=days)

    assert 'hx-trigger="every 60s"' in html_of(editor.get(url_of("detail", own)))


# Cost


def test_it_asks_as_often_for_thirty_rows_as_for_three(
    ours: World, editor: Client
) -> None:
    def queries(own: Broadcast) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert editor.get(url_of("detail", own)).status_code == 200
        return len(asked)

    few = queries(finished(ours, *["failed"] * 3))
    many = queries(finished(ours, *["failed"] * 30))

    assert many == few
    assert few <= 16


def test_a_poll_is_cheap(ours: World, editor: Client) -> None:
    ours.contact()
    own = started(scheduled(ours))
    mark = editor.get(url_of("detail", own)).context["poll_url"].split("v=")[1]

    with CaptureQueriesContext(connection) as asked:
        editor.get(url_of("progress", own), {"v": mark})

    assert len(asked) <= 6
    assert not [one for one in asked if "messaging_message" in one["sql"]]


def test_old_figures_stay_when_the_rows_are_gone(ours: World, editor: Client) -> None:
    own = finished(ours, "delivered", "failed")
    Message.objects.filter(broadcast_id=own.pk).delete()

    page = text_of(editor.get(url_of("detail", own)))

    assert "Failed 1" in page
    assert "The rows are no longer kept" in page
    assert "no longer kept. Clone the broadcast" in page


def test_a_closed_window_leads_to_the_fallbacks(
    ours: World, editor: Client, agent: Client
) -> None:
    own = finished(ours, "failed")
    stand(rows_of(own), "failed", "whatsapp:131047")

    for url in (url_of("detail", own), url_of("retry", own)):
        page = html_of(editor.get(url)).split("24-hour window is closed")[1]
        assert f'href="{url_of("routes", own)}"' in page
    assert url_of("routes", own) not in html_of(agent.get(url_of("detail", own)))


def test_it_says_that_its_integration_is_paused(ours: World, editor: Client) -> None:
    ours.contact()
    own = started(scheduled(ours))
    number = own.routes.get().integration
    other = ours.integration(name="Another")
    paused = {"state": "paused", "state_reason": "The token has expired"}
    moving = text_of(editor.get(url_of("detail", own)))
    Integration.objects.filter(pk__in=[number.pk, other.pk]).update(**paused)

    page = text_of(editor.get(url_of("detail", own)))

    assert "is paused" not in moving
    assert f"“{number.name}” is paused. The token has expired." in page
    assert "Nothing is lost: it goes out as soon as somebody resumes" in page
    assert "Another" not in page


def test_a_scheduled_one_says_that_its_integration_is_paused(
    ours: World, editor: Client
) -> None:
    """Whoever scheduled it can see to that before it starts."""
    own = scheduled(ours)
    number = own.routes.get().integration
    Integration.objects.filter(pk=number.pk).update(state="paused")

    page = text_of(editor.get(url_of("detail", own)))

    assert f"“{number.name}” is paused." in page
    assert "starts all the same, and what it sends through it waits" in page

    Broadcast.objects.update(state="draft", run_at=None)
    assert "is paused" not in text_of(editor.get(url_of("detail", own)))


def test_a_pause_shows_without_a_reload(ours: World, editor: Client) -> None:
    ours.contact()
    own = started(scheduled(ours))
    number = own.routes.get().integration
    watched = editor.get(url_of("detail", own)).context["poll_url"]
    assert editor.get(watched).status_code == 204

    Integration.objects.filter(pk=number.pk).update(state="paused")

    assert "is paused" in text_of(editor.get(watched))


def test_a_pause_does_not_matter_to_what_is_over(ours: World, editor: Client) -> None:
    own = finished(ours, "delivered", "failed")
    Integration.objects.update(state="paused")

    assert "is paused" not in text_of(editor.get(url_of("detail", own)))


def test_a_retry_of_a_retry_names_the_run_before_it(
    ours: World, editor: Client
) -> None:
    source = finished(ours, "failed", name="Invoice")
    first = started(retried(source, ours))
    outcomes(first, "failed")

    second = retried(first, ours)
    page = text_of(editor.get(url_of("detail", second)))

    assert "Retry 2 of Invoice Retry after Retry of Invoice · created" in page
    assert "Retry of Retry of" not in page
