"""The list of broadcasts."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from broadcasts.models import Broadcast
from tests.broadcasts.factories import (
    draft,
    finished,
    outcomes,
    retried,
    route,
    scheduled,
    started,
)
from tests.broadcasts.views.pages import html_of, text_of, url_of
from tests.factories import World

URL = "/broadcasts/"


def test_it_shows_each_broadcast_with_its_figures(ours: World, editor: Client) -> None:
    own = finished(ours, "delivered", "read", "sent", "failed", name="Invoice")

    response = editor.get(URL)

    page = text_of(response)
    assert url_of("detail", own) in html_of(response)
    assert "Invoice Finished WhatsApp 4 2 + 1 sent 1" in page


def test_sent_counts_where_nothing_confirms_delivery_and_says_so(
    ours: World, editor: Client
) -> None:
    finished(ours, "sent", "sent", name="Letter")

    assert "Letter Finished WhatsApp 2 2 sent 0" in text_of(editor.get(URL))


def test_it_shows_only_own_broadcasts(
    ours: World, theirs: World, editor: Client
) -> None:
    draft(ours, name="Our own")
    draft(theirs, name="Somebody else's")

    page = text_of(editor.get(URL))

    assert "Our own" in page
    assert "Somebody else's" not in page


def test_what_is_sending_has_a_bar(ours: World, editor: Client) -> None:
    ours.contact()
    own = started(scheduled(ours))

    assert f'id="bar-{own.pk}"' in html_of(editor.get(URL))


def test_a_renamed_retry_names_its_source(ours: World, editor: Client) -> None:
    retry = retried(finished(ours, "failed", name="Invoice"), ours)
    assert "Retry of Invoice" in text_of(editor.get(URL))

    Broadcast.objects.filter(pk=retry.pk).update(name="Second try")

    assert "Second try Retry of Invoice" in text_of(editor.get(URL))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=invo", {"Invoice"}),
        ("state=draft", {"Newsletter"}),
        ("channel=sms", {"Newsletter"}),
        ("channel=whatsapp&state=completed", {"Invoice"}),
        ("q=%00", {"Invoice", "Newsletter"}),
        ("state=nonsense", {"Invoice", "Newsletter"}),
        ("since=2999-01-01", set()),
        ("since=yesterday", {"Invoice", "Newsletter"}),
    ],
)
def test_filters_live_in_the_address(
    ours: World, editor: Client, query: str, found: set[str]
) -> None:
    finished(ours, "delivered", name="Invoice")
    sms = ours.integration("twilio")
    draft(ours, name="Newsletter", routes=[route(sms, ours.template())])

    page = text_of(editor.get(f"{URL}?{query}"))

    assert {name for name in ("Invoice", "Newsletter") if name in page} == found


def test_created_since_goes_by_the_day_of_the_viewer(
    ours: World, editor: Client
) -> None:
    own = draft(ours, name="At night")
    moment = timezone.now().replace(
        year=2026, month=3, day=4, hour=23, minute=30
    )  # Already the fifth in Amsterdam.
    Broadcast.objects.filter(pk=own.pk).update(created_at=moment)
    ours.editor.time_zone = "Europe/Amsterdam"
    ours.editor.save()

    assert "At night" in text_of(editor.get(f"{URL}?since=2026-03-05"))
    assert "At night" not in text_of(editor.get(f"{URL}?since=2026-03-06"))


def test_older_broadcasts_are_one_page_away(ours: World, editor: Client) -> None:
    for number in range(27):
        ours.broadcast("completed", name=f"Number {number:02}")

    first = editor.get(URL)
    older = editor.get(URL, {"older": first.context["page"].older})

    assert "Number 26" in text_of(first)
    assert "Number 01" not in text_of(first)
    assert "Number 01" in text_of(older)


def test_no_broadcasts_yet(ours: World, editor: Client, agent: Client) -> None:
    page = editor.get(URL)

    assert "No broadcasts yet" in text_of(page)
    assert reverse("broadcasts:broadcast-create") in html_of(page)
    assert reverse("broadcasts:broadcast-create") not in html_of(agent.get(URL))


def test_no_broadcast_fits(ours: World, editor: Client) -> None:
    draft(ours)

    assert "No broadcast fits these filters" in text_of(editor.get(f"{URL}?q=xyz"))


def test_it_asks_as_often_for_thirty_as_for_three(ours: World, editor: Client) -> None:
    template, number = ours.template(), ours.integration()
    routes = [route(number, template)]

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert editor.get(URL).status_code == 200
        return len(asked)

    for _ in range(3):
        retried(finished(ours, "failed", "delivered", routes=routes), ours)
    few = queries()
    ours.organization.broadcast_quota = 100
    ours.organization.save()
    for _ in range(12):
        retried(finished(ours, "failed", "delivered", routes=routes), ours)

    assert queries() == few
    assert few <= 8


def test_counters_come_from_tallies_not_rows(ours: World, editor: Client) -> None:
    own = finished(ours, "delivered", "failed")
    outcomes(own, "delivered", "delivered")

    with CaptureQueriesContext(connection) as asked:
        editor.get(URL)

    assert not [one for one in asked if "messaging_message" in one["sql"]]
