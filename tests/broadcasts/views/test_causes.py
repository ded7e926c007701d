"""The pages of causes, and the dialog that sends all of one cause again."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from broadcasts.views.causes import MOST_LINES
from messaging.bulk import running
from messaging.channels.catalogue import ErrorClass, entries, lookup
from messaging.models import BulkResend, CreditAccount, Integration, Message
from tests.broadcasts.factories import (
    BLOCKED,
    TIMED_OUT,
    finished,
    outcomes,
    retried,
    rows_of,
    started,
)
from tests.broadcasts.test_causes import CLOSED, EXPIRED, failed_of, seen, single
from tests.broadcasts.views.pages import hidden, html_of, text_of, url_of
from tests.factories import World

PAGE = "/messages/causes/"
IN_DIALOG = {"HX-Request": "true", "HX-Target": "dialog"}


def dialog(cause: str) -> str:
    return f"{reverse('messaging:cause-resend')}?cause={cause}"


def confirm(client: Client, cause: str, **entered: Any) -> Any:
    shown = client.get(dialog(cause))
    assert shown.status_code == 200
    names = ("shown_at", "shown_count", "shown_queued")
    values = {name: hidden(shown, name) for name in names}
    return client.post(dialog(cause), {**values, "when": "now", **entered})


# The list


def test_causes_stand_by_what_helps_each_with_its_step(
    ours: World, editor: Client
) -> None:
    broadcast = finished(ours, "failed", "failed", name="Renewal")
    failed_of(broadcast, EXPIRED, 2)
    single(ours, TIMED_OUT)
    single(ours, BLOCKED)

    page = text_of(editor.get(PAGE))

    assert page.index("Fix first") < page.index("Access token has expired")
    assert "Ask an admin to put a new access token into the integration." in page
    assert "in “Renewal”" in page
    assert page.index("Can be sent again") < page.index("WhatsApp is down")
    assert "1 on its own" in page
    assert page.index("Will not help") < page.index(lookup(BLOCKED).title)


def test_of_very_many_causes_the_worst_stand_first_and_the_rest_a_click_away(
    ours: World, editor: Client
) -> None:
    passing = [one for one in entries() if one.error_class is ErrorClass.RETRY]
    assert len(passing) > MOST_LINES
    for entry in passing:
        single(ours, entry.code)
    single(ours, passing[-1].code)

    short, whole = text_of(editor.get(PAGE)), text_of(editor.get(PAGE, {"all": "1"}))

    hidden_ones = len(passing) - MOST_LINES
    assert f"Show {hidden_ones} more causes of {hidden_ones} messages" in short
    assert passing[-1].title in short
    assert all(one.title in whole for one in passing)
    assert "more cause" not in whole


def test_nothing_failed_is_said_calmly(
    ours: World, theirs: World, editor: Client
) -> None:
    single(theirs, EXPIRED)

    page = text_of(editor.get(PAGE))

    assert "Nothing that failed is open" in page
    assert "Access token" not in page
    assert "may or may not have arrived" not in page

    finished(ours, "delivered", "unknown", "unknown", "skipped")
    page = text_of(editor.get(PAGE))

    assert "No failed message that is kept is left to see to" in page
    assert "2 messages may or may not have arrived; nobody can tell yet." in page
    assert "got through, waits" not in page


def test_an_agent_sees_and_does_not_resend(ours: World, agent: Client) -> None:
    single(ours, EXPIRED)

    for address in (PAGE, f"{PAGE}?cause={EXPIRED}"):
        page = agent.get(address)
        assert "Access token has expired" in text_of(page)
        assert reverse("messaging:cause-resend") not in html_of(page)
    assert agent.get(dialog(EXPIRED)).status_code == 403
    assert agent.post(dialog(EXPIRED)).status_code == 403


# One cause


def test_one_cause_says_where_it_failed_and_what_to_do(
    ours: World, theirs: World, editor: Client
) -> None:
    broadcast = finished(ours, "failed", name="Renewal")
    failed_of(broadcast, EXPIRED)
    foreign = finished(theirs, "failed", name="Theirs")
    failed_of(foreign, EXPIRED)

    response = editor.get(f"{PAGE}?cause={EXPIRED}")

    page = text_of(response)
    assert "1 message failed in “Renewal”." in page
    assert "Theirs" not in page
    assert url_of("retry", broadcast) in html_of(response)
    assert f"broadcast={broadcast.pk}" in html_of(response)
    assert "Nobody has seen to this cause yet." in page


def test_the_way_to_the_integration_is_for_who_may_go_there(
    ours: World, editor: Client, client: Client
) -> None:
    number = ours.integration(name="Main number")
    single(ours, EXPIRED, integration=number)
    client.force_login(ours.admin)
    admins = reverse("admin:messaging_integration_change", args=[number.pk])

    assert admins in html_of(client.get(f"{PAGE}?cause={EXPIRED}"))
    assert admins not in html_of(editor.get(f"{PAGE}?cause={EXPIRED}"))


def test_a_closed_window_leads_to_the_fallbacks(ours: World, editor: Client) -> None:
    broadcast = finished(ours, "failed", name="Renewal")
    failed_of(broadcast, CLOSED)

    page = editor.get(f"{PAGE}?cause={CLOSED}")

    assert url_of("routes", broadcast) in html_of(page)
    assert "Edit fallbacks of “Renewal”" in text_of(page)


def test_what_is_too_old_is_said_with_what_still_helps(
    ours: World, editor: Client
) -> None:
    broadcast = finished(ours, "failed", "failed")
    failed_of(broadcast, EXPIRED, 2)
    day = (timezone.now() - timedelta(days=4)).date()
    Message.objects.filter(broadcast_id=broadcast.pk).update(day=day)

    page = text_of(editor.get(f"{PAGE}?cause={EXPIRED}"))

    assert "None of them can be resent one by one any more" in page
    assert "older than 48 hours, or sent again 5 times" in page
    assert "A retry of the broadcast still can." in page


@pytest.mark.parametrize("cause", [EXPIRED, "whatsapp:2388*", "no/such:one", "a%00b"])
def test_a_cause_of_which_nothing_is_kept_is_explained(
    ours: World, editor: Client, cause: str
) -> None:
    for address in (f"{PAGE}?cause={cause}", dialog(cause)):
        response = editor.get(address)
        assert response.status_code == 200
        assert "No failed message of this cause is left to see to." in text_of(response)


def test_an_integration_that_was_resumed_since_is_told(
    ours: World, editor: Client
) -> None:
    number, other = ours.integration(), ours.integration()
    for one in (number, other):
        single(ours, EXPIRED, integration=one)
    url = f"{PAGE}?cause={EXPIRED}"
    resumed = "The integration was resumed on"

    Integration.objects.filter(pk=number.pk).update(state_at=timezone.now())
    assert resumed not in text_of(editor.get(url))

    Integration.objects.filter(pk=other.pk).update(state_at=timezone.now())
    assert resumed in text_of(editor.get(url))

    single(ours, EXPIRED, integration=number)
    assert resumed not in text_of(editor.get(url))


def test_credit_that_is_there_again_is_told(ours: World, editor: Client) -> None:
    single(ours, "resend_admin:insufficient_credits")
    again = "There is credit again: 1,000,000 left. They can be sent again."
    assert again in text_of(editor.get(PAGE))

    CreditAccount.objects.update(available=0)
    assert "There is credit again" not in text_of(editor.get(PAGE))


# The dialog


def test_marked_as_fixed_it_resends_what_failed_of_the_cause_alone(
    ours: World, theirs: World, editor: Client
) -> None:
    broadcast = finished(ours, "failed", "failed")
    failed_of(broadcast, EXPIRED)
    alone = single(ours, EXPIRED)
    other = single(ours, CLOSED)
    foreign = single(theirs, EXPIRED)

    answer = confirm(editor, EXPIRED, fixed="on", reason="New token")

    bulk = BulkResend.objects.get()
    assert answer["Location"] == reverse("messaging:bulk-detail", args=[bulk.pk])
    assert (bulk.cause, bulk.reason, bulk.total) == (EXPIRED, "New token", 2)
    running.run()
    moved = Message.objects.filter(state="queued")
    assert {one.pk for one in moved} == {
        alone.pk,
        Message.objects.get(broadcast_id=broadcast.pk, error_code=EXPIRED).pk,
    }
    for one in (other, foreign):
        one.refresh_from_db()
        assert one.state == "failed"


def test_whoever_a_retry_took_over_is_no_part_of_it(
    ours: World, editor: Client
) -> None:
    source = finished(ours, "failed", "failed", "failed")
    failed_of(source, EXPIRED, 3)
    again = started(retried(source, ours))
    outcomes(again, "delivered", "failed", "failed")
    failed_of(again, EXPIRED)
    assert "1 message failed in" in text_of(editor.get(f"{PAGE}?cause={EXPIRED}"))

    confirm(editor, EXPIRED, fixed="on")

    bulk = BulkResend.objects.get()
    [item] = bulk.items.all()
    assert item.message_id == rows_of(again).get(error_code=EXPIRED).pk


def test_it_is_on_record_who_fixed_it_and_when(ours: World, editor: Client) -> None:
    single(ours, EXPIRED)
    confirm(editor, EXPIRED, fixed="on", reason="New token")
    single(ours, EXPIRED)

    one = text_of(editor.get(f"{PAGE}?cause={EXPIRED}"))
    every = text_of(editor.get(PAGE))

    name = ours.editor.username
    assert f"By {name}" in one
    assert "“New token”" in one
    assert "Failed again since it was marked as fixed on" in one
    assert f"Marked as fixed just now by {name}: “New token”" in every
    assert "Failed again" in every


def test_that_it_is_fixed_has_to_be_said(ours: World, editor: Client) -> None:
    single(ours, EXPIRED)

    answer = confirm(editor, EXPIRED)

    assert answer.status_code == 422
    assert "Fix it first, then tick this." in text_of(answer)
    assert not BulkResend.objects.exists()


def test_a_closed_window_takes_a_template(
    ours: World, theirs: World, editor: Client
) -> None:
    single(ours, CLOSED)
    assert "There is no template yet" in text_of(editor.get(dialog(CLOSED)))
    template, foreign = ours.template("hello"), theirs.template("theirs")

    assert confirm(editor, CLOSED).status_code == 422
    assert confirm(editor, CLOSED, template=foreign.pk).status_code == 422
    assert not BulkResend.objects.exists()

    confirm(editor, CLOSED, template=template.pk)
    assert BulkResend.objects.get().content == template


def test_a_passing_cause_is_just_sent_again(ours: World, editor: Client) -> None:
    single(ours, TIMED_OUT)

    shown = text_of(editor.get(dialog(TIMED_OUT)))
    answer = confirm(editor, TIMED_OUT)

    assert "I have fixed it" not in shown
    assert answer.status_code == 302
    assert BulkResend.objects.get().total == 1


def test_a_cause_that_never_helps_is_refused(ours: World, editor: Client) -> None:
    single(ours, BLOCKED)
    cause = lookup(BLOCKED).code

    answer = confirm(editor, cause)

    assert answer.status_code == 409
    assert not BulkResend.objects.exists()


def test_what_is_too_old_can_still_be_marked_as_fixed(
    ours: World, editor: Client
) -> None:
    old = single(ours, EXPIRED)
    Message.objects.filter(pk=old.pk).update(
        created_at=timezone.now() - timedelta(hours=49)
    )

    shown = text_of(editor.get(dialog(EXPIRED)))
    answer = confirm(editor, EXPIRED, fixed="on")

    assert "None of them can be sent again one by one" in shown
    assert answer.status_code == 302
    running.run()
    bulk = BulkResend.objects.get()
    assert (bulk.queued_count, bulk.refused_count) == (0, 1)
    assert "Seen to" in text_of(editor.get(PAGE))


def test_the_set_is_frozen_as_it_was_shown(ours: World, editor: Client) -> None:
    single(ours, EXPIRED)
    shown = editor.get(dialog(EXPIRED))
    later = single(ours, EXPIRED)
    names = ("shown_at", "shown_count", "shown_queued")
    values = {name: hidden(shown, name) for name in names}

    editor.post(dialog(EXPIRED), {**values, "when": "now", "fixed": "on"})

    running.run()
    later.refresh_from_db()
    assert later.state == "failed"
    assert BulkResend.objects.get().total == 1


def test_two_clicks_are_one_bulk_resend(ours: World, editor: Client) -> None:
    single(ours, EXPIRED)
    shown = editor.get(dialog(EXPIRED))
    names = ("shown_at", "shown_count", "shown_queued")
    values = {name: hidden(shown, name) for name in names}
    values |= {"when": "now", "fixed": "on"}

    first, second = (editor.post(dialog(EXPIRED), values) for _ in range(2))

    assert first["Location"] == second["Location"]
    assert BulkResend.objects.count() == 1


def test_without_a_cause_there_is_nothing_to_confirm(
    ours: World, editor: Client
) -> None:
    url = reverse("messaging:cause-resend")

    assert "Choose a cause" in text_of(editor.get(url))
    assert editor.post(url).status_code == 422


def test_the_dialog_asks_the_same_inside_the_page(ours: World, editor: Client) -> None:
    seen(ours, EXPIRED)
    single(ours, EXPIRED)

    shown = html_of(editor.get(dialog(EXPIRED), headers=IN_DIALOG))

    assert "<html" not in shown
    assert re.search(r'hx-post="[^"]*cause=whatsapp', html.unescape(shown))


@pytest.mark.parametrize("address", [PAGE, f"{PAGE}?cause={EXPIRED}"])
def test_only_reading_is_allowed(ours: World, editor: Client, address: str) -> None:
    assert editor.post(address).status_code == 405
