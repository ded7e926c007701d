"""Choosing messages in the list, and confirming what becomes of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from messaging.bulk import running
from messaging.bulk.verdict import Verdict
from messaging.models import BulkResend, Integration, Message
from messaging.views import bulk_dialog
from tests.factories import World
from tests.messaging.views.bulk_pages import (
    IN_DIALOG,
    LIST,
    NEW,
    confirm,
    hidden,
    made,
    page,
    page_of,
    several,
    ticked,
)
from tests.messaging.views.rows import tried
from tests.messaging.views.test_message_detail import words

pytestmark = pytest.mark.django_db


@pytest.fixture
def whatsapp(ours: World) -> Integration:
    return ours.integration()


def test_editors_choose_in_the_list_and_agents_only_read(
    ours: World, editor: Client, agent: Client, whatsapp: Integration
) -> None:
    [message] = several(ours, whatsapp, 1)

    theirs_to_choose = editor.get(f"{LIST}?state=failed").content.decode()
    only_to_read = agent.get(f"{LIST}?state=failed").content.decode()

    assert f'name="ids" value="{message.pk}"' in theirs_to_choose
    assert '<input type="hidden" name="state" value="failed">' in theirs_to_choose
    assert "Resend selected…" in theirs_to_choose
    assert 'name="ids"' not in only_to_read
    assert "Resend selected…" not in only_to_read


def test_ticked_messages_are_resent_without_javascript(
    ours: World, editor: Client, whatsapp: Integration
) -> None:
    first, second, left_out = several(ours, whatsapp)

    bulk = made(editor, ticked([first, second]), reason="the provider was down")

    assert bulk.chosen == "2 ticked messages"
    assert bulk.created_by == ours.editor
    assert set(bulk.items.values_list("message_id", flat=True)) == {
        first.pk,
        second.pk,
    }
    running.run()
    states = dict(Message.objects.values_list("pk", "state"))
    assert states == {first.pk: "queued", second.pk: "queued", left_out.pk: "failed"}
    text = page(editor, page_of(bulk))
    assert "Bulk resend of 2 messages" in text
    assert "100 %" in text
    assert "the provider was down" in text


def test_all_that_match_are_those_of_the_filter(
    ours: World, editor: Client, whatsapp: Integration
) -> None:
    broadcast = ours.broadcast(name="Renewal")
    wanted = several(ours, whatsapp, 30, broadcast_id=broadcast.pk)
    several(ours, whatsapp, 2)

    bulk = made(editor, f"{NEW}?all=1&state=failed&broadcast={broadcast.pk}")

    assert bulk.chosen == "All that match: State Failed · Broadcast “Renewal”"
    assert set(bulk.items.values_list("message_id", flat=True)) == {
        one.pk for one in wanted
    }


@pytest.mark.parametrize(
    ("query", "chosen"),
    [
        ("", "All messages"),
        ("&channel=whatsapp", "All that match: Channel WhatsApp"),
        ("&state=delivered&q=", "All that match: State Delivered"),
        ("&q=Ama", "All that match: Search Ama"),
        ("&integration={integration}", "All that match: Integration Main number"),
        (
            "&error=whatsapp:131000&state=failed",
            "All that match: State Failed · Cause",
        ),
    ],
)
def test_a_filter_is_told_in_the_words_of_the_list(
    ours: World, editor: Client, query: str, chosen: str
) -> None:
    integration = ours.integration(name="Main number")

    text = page(editor, f"{NEW}?all=1{query.format(integration=integration.pk)}")

    assert chosen in text


def test_the_dialog_shows_a_verdict_per_cause(
    ours: World, editor: Client, whatsapp: Integration
) -> None:
    several(ours, whatsapp, 2)
    several(ours, whatsapp, 1, error_code="whatsapp:131047", error_class="fix_first")
    several(ours, whatsapp, 1, error_code="whatsapp:131049", error_class="wait")
    tried(ours, "delivered", integration=whatsapp)
    tried(
        ours,
        "unknown",
        integration=whatsapp,
        error_code="whatsapp:timeout",
        error_class="unknown",
    )

    response = editor.get(f"{NEW}?all=1", headers=IN_DIALOG)
    text = words(response.content.decode())

    assert "All messages. Each is checked again" in text
    assert "Selected 6 Will be queued 3" in text
    for part in (
        "Likely Queued No history yet 2",
        "After a fix Not queued 1",
        "Yes, later Queued, leaves within 24 hours No history yet 1",
        "Not known Only if you tick it below 1",
        "Delivered This message was delivered. Not needed Not queued 1",
        "Also the unknown one It may have arrived, so the member may get it twice.",
    ):
        assert part in text


def test_unknown_ones_need_the_tick(
    ours: World, editor: Client, whatsapp: Integration
) -> None:
    message = tried(
        ours,
        "unknown",
        integration=whatsapp,
        error_code="whatsapp:timeout",
        error_class="unknown",
    )

    refused = confirm(editor, ticked([message]))
    assert refused.status_code == 409
    assert "Tick this" in words(refused.content.decode())

    assert made(editor, ticked([message]), accepts_duplicate="on").accepts_duplicate


def test_a_changed_list_is_shown_again_with_its_new_number(
    ours: World, editor: Client, whatsapp: Integration
) -> None:
    first, second = several(ours, whatsapp, 2)
    url = ticked([first, second])
    shown = editor.get(url).content.decode()
    Message.objects.filter(pk=first.pk).update(
        state="delivered", delivered_at=timezone.now()
    )

    refused = editor.post(url, {**hidden(shown), "when": "now"})

    assert refused.status_code == 409
    text = words(refused.content.decode())
    assert "now 1 message of it did not arrive" in text
    assert "Will be queued 1" in text
    assert not BulkResend.objects.exists()
    again = {**hidden(refused.content.decode()), "when": "now"}
    assert editor.post(url, again).status_code == 302


def test_sent_twice_it_is_made_once(
    ours: World, editor: Client, whatsapp: Integration
) -> None:
    url = ticked(several(ours, whatsapp))
    values = {**hidden(editor.get(url).content.decode()), "when": "now"}

    answers = [editor.post(url, values) for _ in range(2)]

    bulk = BulkResend.objects.get()
    assert [one["Location"] for one in answers] == [page_of(bulk)] * 2


def test_the_dialog_closes_by_a_redirect_of_its_own(
    ours: World, editor: Client, whatsapp: Integration
) -> None:
    url = ticked(several(ours, whatsapp))
    values = {**hidden(editor.get(url).content.decode()), "when": "now"}

    answer = editor.post(url, values, headers=IN_DIALOG)

    assert answer["HX-Redirect"] == page_of(BulkResend.objects.get())


def test_it_can_start_later(ours: World, editor: Client, whatsapp: Integration) -> None:
    at = timezone.now() + timedelta(hours=3)
    bulk = made(
        editor,
        ticked(several(ours, whatsapp)),
        when="later",
        at=f"{at:%Y-%m-%dT%H:%M}",
    )

    running.run()
    bulk.refresh_from_db()

    assert bulk.state == "frozen"
    assert "Until then nothing is queued" in page(editor, page_of(bulk))


@pytest.mark.parametrize(
    ("entered", "sentence"),
    [
        ({"when": "later", "at": ""}, "Enter a date and time"),
        ({"when": "later", "at": "2020-01-01T10:00"}, "still to come: "),
        ({"reason": "x" * 301}, "at most 300"),
    ],
)
def test_what_makes_no_sense_is_refused(
    ours: World,
    editor: Client,
    whatsapp: Integration,
    entered: dict[str, str],
    sentence: str,
) -> None:
    refused = confirm(editor, ticked(several(ours, whatsapp)), **entered)

    assert refused.status_code == 422
    assert sentence in words(refused.content.decode())
    assert not BulkResend.objects.exists()


def test_a_time_at_which_they_are_too_old_is_said(
    ours: World, editor: Client, whatsapp: Integration
) -> None:
    at = timezone.now() + timedelta(days=3)
    messages = several(ours, whatsapp)

    refused = confirm(
        editor,
        ticked(messages),
        when="later",
        at=f"{at:%Y-%m-%dT%H:%M}",
    )

    last = messages[-1].created_at + timedelta(hours=48)
    said = words(refused.content.decode())
    assert refused.status_code == 409
    assert "none of them can be sent again" in said
    assert f"earlier time, {last.day} {last:%b at %H:%M} (UTC) at the latest" in said
    assert "Will be queued 3" in said
    assert 'name="at"' in refused.content.decode()
    assert "aria-disabled" not in refused.content.decode()


@pytest.mark.parametrize("shown", [{}, {"shown_at": "x"}, {"shown_count": "-1"}])
def test_nothing_is_confirmed_that_was_not_shown(
    ours: World, editor: Client, whatsapp: Integration, shown: dict[str, str]
) -> None:
    answer = editor.post(ticked(several(ours, whatsapp)), {"when": "now", **shown})

    assert answer.status_code == 409
    assert not BulkResend.objects.exists()


@pytest.mark.parametrize("query", ["", "?ids=x", "?ids=", "?all=1&state=nonsense"])
def test_choosing_nothing_is_told(editor: Client, query: str) -> None:
    assert "Tick at least one message" in page(editor, f"{NEW}{query}")
    assert editor.post(f"{NEW}{query}").status_code == 422


def test_what_cannot_be_sent_again_switches_the_button_off(
    ours: World, editor: Client, whatsapp: Integration
) -> None:
    message = tried(ours, "delivered", integration=whatsapp)

    response = editor.get(ticked([message]))

    assert "None of these messages can be sent again now" in words(
        response.content.decode()
    )
    assert 'aria-disabled="true"' in response.content.decode()
    assert confirm(editor, ticked([message])).status_code == 409


def test_messages_of_others_cannot_be_chosen(
    ours: World, theirs: World, editor: Client
) -> None:
    foreign = several(theirs, theirs.integration())

    for url in (ticked(foreign), f"{NEW}?all=1"):
        assert "Selected 0" in page(editor, url)
        assert confirm(editor, url).status_code == 409
    assert not BulkResend.objects.exists()


def slowly(*_: Any) -> Verdict:
    """Judge as slowly as a hundred thousand messages may take."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(30)")
    raise AssertionError


def test_a_verdict_on_very_many_is_asked_for_once_the_dialog_is_open(
    ours: World,
    editor: Client,
    whatsapp: Integration,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    several(ours, whatsapp)
    with monkeypatch.context() as patch:
        patch.setattr(bulk_dialog, "verdict", slowly)
        opened = editor.get(f"{NEW}?all=1&state=failed", headers=IN_DIALOG)
    assert opened.status_code == 200
    assert "<form" not in opened.content.decode()
    assert "Looking at each of these messages" in words(opened.content.decode())

    waited = {**IN_DIALOG, "Dialog-Has-Waited": "yes"}
    whole = editor.get(f"{NEW}?all=1&state=failed", headers=waited).content.decode()

    assert hidden(whole)["shown_count"] == "3"
    assert "Will be queued 3" in words(whole)
