"""``/reports/``: the choice in the address, the numbers, and the files behind them."""

from __future__ import annotations

import csv
import html
import re
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from broadcasts.models import BroadcastState
from messaging.models import Tally
from tests.broadcasts.factories import finished, outcomes, retried, started
from tests.broadcasts.views.pages import html_of, text_of
from tests.broadcasts.views.reports.figures import (
    month,
    recovered,
    standing,
    today,
    tries,
)
from tests.factories import World

CHARTS = ("rates", "delays", "days", "causes", "recovered", "ways")


def words_of(response: Any) -> str:
    return text_of(response).replace("\u202f", " ")


def page(client: Client, **query: Any) -> Any:
    return client.get("/reports/", query)


def file_of(client: Client, chart: str, **query: Any) -> list[list[str]]:
    answer = client.get(reverse("report-csv", args=[chart]), query)
    assert answer.status_code == 200
    body = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    return list(csv.reader(body.splitlines()))


def table_of(response: Any, chart: str) -> list[list[str]]:
    """Return the cells that stand in the page below “Show as table”."""
    found = re.search(
        rf'id="{chart}-table".*?<table>(.*?)</table>', html_of(response), re.DOTALL
    )
    assert found, chart
    return [
        [
            html.unescape(re.sub(r"<[^>]+>", "", cell))
            for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)
        ]
        for row in re.findall(r"<tr>(.*?)</tr>", found[1])
    ]


# The numbers


def test_the_headlines(ours: World, agent: Client) -> None:
    month(ours)

    text = words_of(page(agent))

    assert "First-retry success 60 % 2,700 of 4,500 arrived" in text
    assert "Recovered messages 3,300 failed first, arrived after all" in text
    assert "Credits for recovering them 3,300 1 for each message" in text
    assert re.search(r"Median time, failure to delivery [\d.]+ min nine in ten", text)


def test_every_chart_has_its_sentence(ours: World, agent: Client) -> None:
    month(ours)

    text = words_of(page(agent))

    assert "Resend 1 brings 6 of 10 back; after the second it is not worth it." in text
    assert "Half of the recovered messages arrive within" in text
    assert (
        "82 % arrive with the first send, 10 % after a retry and 5 % fail" not in text
    )
    assert re.search(r"Of 33,000 messages, 83 % arrive with the first send, 10 %", text)
    assert "is behind 98 % of the failures; retrying" in text
    assert "3,300 messages that had failed arrived after all" in text
    assert "Of the tries by SMS 95 % arrive, by WhatsApp 76 %." in text


def test_tries_behind_each_bar_and_how_the_rate_is_defined(
    ours: World, agent: Client
) -> None:
    month(ours)

    answer = page(agent)

    assert ">tries</text>" in html_of(answer)
    assert ">33k</text>" in html_of(answer)
    assert "Of the tries whose outcome is known, the share that arrived." in words_of(
        answer
    )
    assert table_of(answer, "rates")[1:4] == [
        ["First send", "84\u202f%", "27,450", "5,370", "180", "33,000"],
        ["Resend 1", "60\u202f%", "2,700", "1,800", "0", "4,500"],
        ["Resend 2", "40\u202f%", "600", "900", "0", "1,500"],
    ]


def test_a_hair_above_nothing_is_short_on_its_bar(ours: World, agent: Client) -> None:
    tries(ours, ours.integration(), 2, arrived=1, failed=9_999)

    answer = page(agent)

    assert ">&lt;0.1\u202f%</text>" in html_of(answer)
    assert table_of(answer, "rates")[2][1] == "under 0.1\u202f%"


def test_each_day_stands_in_the_table_with_all_its_outcomes(
    ours: World, agent: Client
) -> None:
    number = ours.integration()
    standing(
        ours, number, first=10, later=2, unconfirmed=3, waiting=4, unknown=5,
        failed=6, skipped=7, cancelled=8,
    )  # fmt: skip

    rows = file_of(agent, "days", period="7")

    assert len(rows) == 8
    assert rows[-1] == [today().isoformat(), "45", *map(str, (10, *range(2, 9)))]
    assert rows[1][1:] == ["0"] * 9


@pytest.mark.parametrize("chart", CHARTS)
@pytest.mark.parametrize("query", [{}, {"channel": "sms"}, {"period": "365"}])
def test_the_file_has_the_numbers_of_the_page(
    ours: World, agent: Client, chart: str, query: dict[str, str]
) -> None:
    month(ours)
    answer = page(agent, **query)
    if f'id="{chart}-table"' not in html_of(answer):
        assert len(file_of(agent, chart, **query)) == 1
        return

    shown, written = table_of(answer, chart), file_of(agent, chart, **query)

    assert len(shown) == len(written) > 1
    for shown_name, name in zip(shown[0], written[0], strict=True):
        assert re.sub(r" \((percent|seconds)\)$", "", name) == shown_name
    for shown_row, row in zip(shown[1:], written[1:], strict=True):
        for one, other in zip(shown_row, row, strict=True):
            assert_same(one, other)


def assert_same(shown: str, written: str) -> None:
    shown = shown.replace("\u202f", " ")
    if shown == "–":
        assert written == ""
    elif shown.endswith("%"):
        rounded = float(shown.removesuffix(" %").removeprefix("under "))
        assert float(written) == pytest.approx(rounded, abs=0.55)
    elif re.fullmatch(r"[\d.]+ (s|min|h|d)", shown):
        size = {"s": 1, "min": 60, "h": 3600, "d": 86400}[shown.split()[1]]
        assert float(written) == pytest.approx(float(shown.split()[0]) * size, rel=0.05)
    elif re.fullmatch(r"[\d,.]+", shown):
        assert float(written) == float(shown.replace(",", ""))
    elif re.fullmatch(r"\w{3} \d+ \w{3} \d{4}", shown):
        day = date.fromisoformat(written)
        assert shown == f"{day:%a} {day.day} {day:%b %Y}"
    else:
        assert written == shown


def test_the_link_to_the_file_carries_the_choice(ours: World, agent: Client) -> None:
    number = month(ours)

    answer = page(agent, channel="whatsapp", integration=number.pk, period="7")
    link = re.search(r'id="days-csv" href="([^"]+)"', html_of(answer))

    assert link
    address = urlsplit(html.unescape(link[1]))
    assert address.path == "/reports/days.csv"
    assert parse_qs(address.query) == {
        "period": ["7"],
        "channel": ["whatsapp"],
        "integration": [str(number.pk)],
    }
    assert agent.get(html.unescape(link[1])).status_code == 200


def test_a_name_that_is_a_formula_is_defused_in_the_file(
    ours: World, agent: Client
) -> None:
    number = ours.integration(name="=1+1")
    tries(ours, number, 1, arrived=1)

    assert file_of(agent, "ways")[1][0] == "'=1+1"
    assert "=1+1" in words_of(page(agent))


def test_there_is_no_other_file(agent: Client) -> None:
    assert agent.get("/reports/secrets.csv").status_code == 404


def test_rows_of_a_broadcast_and_its_retry_count_each_person_once(
    ours: World, agent: Client
) -> None:
    source = finished(ours, "delivered", "delivered", "failed", "failed")
    retry = started(retried(source, ours))
    outcomes(retry, "delivered", "failed")

    days = file_of(agent, "days", broadcast=source.pk, period="7")

    assert days[-1][1:] == ["4", "2", "1", "0", "0", "0", "1", "0", "0"]
    assert "Of 4 messages, 3 arrived and 1 failed for good." in words_of(
        page(agent, broadcast=source.pk)
    )


# The choice


def test_thirty_days_are_the_usual(ours: World, agent: Client) -> None:
    number = ours.integration()
    for ago in (0, 29, 30, 89):
        standing(ours, number, first=1, day=today() - timedelta(days=ago))

    for query, messages in (({}, 2), ({"period": "7"}, 1), ({"period": "90"}, 4)):
        rows = file_of(agent, "days", **query)
        assert sum(int(row[1]) for row in rows[1:]) == messages


def test_own_dates(ours: World, agent: Client) -> None:
    number = ours.integration()
    standing(ours, number, first=3, day=date(2026, 10, 1))
    standing(ours, number, first=4, day=date(2026, 10, 2))

    rows = file_of(agent, "days", since="2026-10-01", until="2026-10-01")
    text = words_of(page(agent, since="2026-10-01", until="2026-10-02"))

    assert [row[:2] for row in rows[1:]] == [["2026-10-01", "3"]]
    assert "1 Oct to 2 Oct 2026, all channels and broadcasts." in text
    assert "Of 7 messages, 7 arrived" in text


def test_days_are_those_of_the_organization(ours: World, agent: Client) -> None:
    ours.organization.time_zone = "Pacific/Kiritimati"
    ours.organization.save()
    standing(ours, ours.integration(), first=1)

    rows = file_of(agent, "days", period="7")

    here = timezone.localdate(timezone=ours.organization.zone)
    assert rows[-1][0] == here.isoformat()
    assert "Days are those of Pacific/Kiritimati" in words_of(page(agent))


def test_a_channel(ours: World, agent: Client) -> None:
    month(ours)

    answer = page(agent, channel="sms")

    assert "SMS only." in words_of(answer)
    assert table_of(answer, "rates")[1][-1] == "3,000"
    assert "Main number" not in html_of(answer).split('id="results"')[1]


def test_an_integration(ours: World, agent: Client) -> None:
    number = month(ours)

    answer = page(agent, integration=number.pk)

    assert "integration “Main number”." in words_of(answer)
    assert table_of(answer, "rates")[1][-1] == "30,000"
    assert f'value="{number.pk}" selected' in html_of(answer)


def test_a_broadcast_and_its_retries(ours: World, agent: Client) -> None:
    number = ours.integration()
    source = ours.broadcast(name="Renewal")
    retry = ours.broadcast(name="Retry of Renewal", retry_of=source, root=source)
    other = ours.broadcast(name="Another")
    tries(ours, number, 1, arrived=70, failed=30, broadcast_id=source.pk)
    tries(ours, number, 2, arrived=20, failed=10, broadcast_id=retry.pk)
    tries(ours, number, 1, arrived=5, broadcast_id=other.pk)

    rows = table_of(page(agent, broadcast=source.pk), "rates")
    alone = table_of(page(agent, broadcast=retry.pk), "rates")

    assert [row[-1] for row in rows[1:3]] == ["100", "30"]
    assert [row[-1] for row in alone[1:3]] == ["0", "30"]
    assert "broadcast “Renewal” with its retries." in words_of(
        page(agent, broadcast=source.pk)
    )


def test_a_link_to_a_broadcast_shows_all_its_days(ours: World, agent: Client) -> None:
    long_ago = timezone.now() - timedelta(days=100)
    source = ours.broadcast(name="Renewal", run_at=long_ago, started_at=long_ago)
    standing(
        ours,
        ours.integration(),
        first=1,
        day=long_ago.date(),
        broadcast_id=source.pk,
    )

    rows = file_of(agent, "days", broadcast=source.pk)

    assert rows[1][:2] == [long_ago.date().isoformat(), "1"]
    assert len(rows) == 102
    assert len(file_of(agent, "days", broadcast=source.pk, period="30")) == 31


def test_what_has_not_run_is_not_offered(ours: World, agent: Client) -> None:
    month(ours)
    ours.broadcast(BroadcastState.DRAFT, name="Only a draft")
    ours.broadcast(name="Has run")

    answer = html_of(page(agent))

    assert "Has run" in answer
    assert "Only a draft" not in answer


# Bad input: a sentence, and the rest stays


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"period": "8"}, "There is no such period. Shown are the last 30 days."),
        ({"channel": "fax"}, "There is no such channel. Shown are all."),
        ({"integration": "x"}, "There is no such integration here. Shown are all."),
        ({"integration": "-1"}, "There is no such integration here. Shown are all."),
        ({"broadcast": "9" * 30}, "There is no such broadcast here. Shown are all."),
        ({"broadcast": "9" * 6_000}, "There is no such broadcast here. Shown are all."),
        ({"broadcast": "1.5"}, "There is no such broadcast here. Shown are all."),
        ({"since": "2026-13-40"}, "The first day is not a date."),
        ({"until": "yesterday"}, "The last day is not a date."),
        (
            {"since": "2026-10-02", "until": "2026-10-01"},
            "The first day lies after the last one, or in the future.",
        ),
        ({"since": "9999-12-31"}, "or in the future. Shown are the last 30 days."),
        (
            {"since": "0001-01-01"},
            "A report covers at most 400 days. Shown are the latest.",
        ),
        ({"channel": "sms\x00"}, "There is no such channel. Shown are all."),
    ],
)
def test_what_makes_no_sense_is_told_and_the_rest_stays(
    ours: World, agent: Client, query: dict[str, str], sentence: str
) -> None:
    number = month(ours, days=2)
    rest = {"integration": str(number.pk)} if "integration" not in query else {}

    answer = page(agent, **{**rest, **query})

    assert answer.status_code == 200
    assert sentence in words_of(answer)
    if rest:
        assert "integration “Main number”." in words_of(answer)
        assert table_of(answer, "rates")[1][-1] == "2,000"
    for chart in CHARTS:
        assert file_of(agent, chart, **{**rest, **query})


def test_a_report_of_four_hundred_days_is_drawn_by_week(
    ours: World, agent: Client
) -> None:
    month(ours)
    first = today() - timedelta(days=399)

    answer = page(agent, since=first.isoformat(), until=today().isoformat())

    assert "Shown are the latest" not in words_of(answer)
    assert "A column is a week, from Monday on. The table has each day." in words_of(
        answer
    )
    assert 57 <= html_of(answer).count('<rect class="hover"') <= 59
    assert len(table_of(answer, "days")) == 401


def test_the_first_and_the_last_day_there_is(ours: World, agent: Client) -> None:
    month(ours, days=1)

    for query in (
        {"until": "0001-01-01"},
        {"since": "0001-01-01", "until": "0001-01-02"},
        {"until": "9999-12-31"},
    ):
        assert page(agent, **query).status_code == 200


# Who sees what


def test_what_another_organization_owns_is_not_there(
    ours: World, theirs: World, agent: Client
) -> None:
    month(ours, days=1)
    number = month(theirs, days=5)
    broadcast = theirs.broadcast(name="Their secret")

    for query in ({"integration": number.pk}, {"broadcast": broadcast.pk}):
        answer = page(agent, **query)
        assert "here. Shown are all." in words_of(answer)
        assert "secret" not in html_of(answer)
        assert table_of(answer, "rates")[1][-1] == "1,100"
        assert file_of(agent, "rates", **query)[1][-1] == "1100"


def test_their_numbers_are_not_ours(
    ours: World, theirs: World, agent: Client, stranger: Client
) -> None:
    month(theirs)

    assert "Nothing to report yet" in words_of(page(agent))
    assert "Resend 1 brings 6 of 10 back" in words_of(page(stranger))


# Nothing there


def test_an_organization_that_sent_nothing_learns_what_will_appear(
    ours: World, agent: Client, editor: Client
) -> None:
    text = words_of(page(agent))

    assert "Nothing to report yet" in text
    assert "how many arrive with the first send" in text
    assert "New broadcast" not in text
    assert reverse("broadcasts:broadcast-create") in html_of(page(editor))
    assert '<form class="filters"' not in html_of(page(agent))
    for chart in CHARTS:
        assert len(file_of(agent, chart)) in {1, 7, 31}


def test_a_choice_that_fits_nothing_has_a_way_out(ours: World, agent: Client) -> None:
    month(ours, days=1)

    answer = page(agent, channel="telegram")

    assert "No message fits these filters" in words_of(answer)
    assert '<a class="btn" href="/reports/">Clear filters</a>' in html_of(answer)


def test_resends_of_earlier_days_are_no_emptiness(ours: World, agent: Client) -> None:
    tries(ours, ours.integration(), 2, arrived=30, failed=10)

    text = words_of(page(agent))

    assert "No message fits" not in text
    assert "Resend 1 brings 8 of 10 back." in text
    assert "First-retry success 75 %" in text


def test_sends_without_failures_have_no_recoveries_and_say_so(
    ours: World, agent: Client
) -> None:
    number = ours.integration()
    standing(ours, number, first=50)
    tries(ours, number, 1, arrived=50)

    text = words_of(page(agent))

    assert "The first send reaches all 50; no resend has ended yet." in text
    assert "First-retry success – no first resend has ended" in text
    assert "No try failed in this period." in text
    assert "Nothing has come back in this period." in text


def test_what_was_counted_before_integrations_were(ours: World, agent: Client) -> None:
    number = ours.integration()
    tries(ours, number, 1, arrived=3)
    Tally.objects.update(integration_id=None)
    recovered(ours, number, 1)

    names = [row[0] for row in file_of(agent, "ways")[1:]]

    assert names == ["Integration not recorded", number.name]


def test_an_unexpired_name_of_a_removed_integration(ours: World, agent: Client) -> None:
    number = ours.integration(name="Gone")
    tries(ours, number, 1, arrived=3)
    number.delete()

    assert file_of(agent, "ways")[1][0] == "Integration removed"


# The cost


def test_it_asks_as_often_for_a_year_as_for_a_day(ours: World, agent: Client) -> None:
    month(ours, days=60)

    def queries(**query: str) -> list[str]:
        with CaptureQueriesContext(connection) as asked:
            assert page(agent, **query).status_code == 200
        return [one["sql"] for one in asked]

    few, many = queries(period="7"), queries(period="365")

    assert len(few) == len(many) <= 12
    for statement in many:
        assert "messaging_message" not in statement
        assert "messaging_attempt" not in statement
