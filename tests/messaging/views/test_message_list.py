"""The list of messages: what it shows, how it is narrowed, and what it costs."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from messaging.models import Message
from tests.factories import World
from tests.messaging.views.rows import tried


def listed(client: Client, query: str = "") -> list[int]:
    """Return the numbers of the messages on the page, in their order."""
    text = page(client, query)
    return [int(number) for number in re.findall(r'href="/messages/(\d+)/"', text)]


def page(client: Client, query: str = "") -> str:
    response = client.get(f"{reverse('messaging:message-list')}{query}")
    assert response.status_code == 200
    return response.content.decode()


def count_queries(client: Client, url: str) -> list[str]:
    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        client.get(url)
    return [query["sql"] for query in captured.captured_queries]


def test_messages_are_listed_newest_first(ours: World, agent: Client) -> None:
    made = [tried(ours, "delivered") for _ in range(3)]

    assert listed(agent) == [message.pk for message in reversed(made)]


def test_messages_of_another_organization_never_show(
    ours: World, theirs: World, agent: Client
) -> None:
    own = tried(ours, "failed")
    other = tried(theirs, "failed")

    assert listed(agent) == [own.pk]
    assert listed(agent, f"?q={other.pk}") == []
    assert listed(agent, f"?q={other.public_id}") == []
    assert listed(agent, f"?q={other.contact.external_id}") == []
    assert listed(agent, f"?integration={other.integration_id}") == []


def test_a_broadcast_of_another_organization_is_not_named(
    ours: World, theirs: World, agent: Client
) -> None:
    broadcast = theirs.broadcast(name="Secret plan")

    assert "Secret plan" not in page(agent, f"?broadcast={broadcast.pk}")


def test_the_number_of_queries_does_not_grow(ours: World, agent: Client) -> None:
    broadcast = ours.broadcast()
    url = reverse("messaging:message-list")
    few = [tried(ours, "failed", broadcast_id=broadcast.pk) for _ in range(3)]
    cost = len(count_queries(agent, url))
    for _ in range(27):
        tried(ours, "failed", broadcast_id=ours.broadcast().pk)

    queries = count_queries(agent, url)

    assert len(few) == 3
    assert len(queries) == cost
    assert not [sql for sql in queries if "COUNT(" in sql.upper()]


def test_pages_follow_each_other_without_a_gap(ours: World, agent: Client) -> None:
    made = [tried(ours, "delivered").pk for _ in range(30)]
    first = page(agent)
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older is not None

    second = listed(agent, older[1].replace("&amp;", "&"))

    assert listed(agent) + second == list(reversed(made))


@pytest.mark.parametrize(
    ("choice", "state", "attempts"),
    [
        ("scheduled", "planned", 0),
        ("queued", "queued", 0),
        ("waiting", "queued", 2),
        ("unsent", "queued", 0),
        ("unsent", "queued", 2),
        ("sending", "sending", 1),
        ("sent", "sent", 1),
        ("delivered", "delivered", 1),
        ("delivered", "read", 1),
        ("failed", "failed", 1),
        ("unknown", "unknown", 1),
        ("skipped", "skipped", 0),
        ("cancelled", "cancelled", 0),
    ],
)
def test_states_are_chosen_as_a_person_sees_them(
    ours: World, agent: Client, choice: str, state: str, attempts: int
) -> None:
    reason = "opted_out" if state in {"skipped", "cancelled"} else ""
    wanted = tried(ours, state, attempts=attempts, reason_of_skip=reason)
    tried(ours, "delivered" if state == "failed" else "failed")

    assert listed(agent, f"?state={choice}") == [wanted.pk]


def test_filters_narrow_together(ours: World, agent: Client) -> None:
    broadcast = ours.broadcast(name="Renewal")
    telegram = ours.integration("telegram_bot")
    wanted = tried(
        ours,
        "failed",
        broadcast_id=broadcast.pk,
        error_code="whatsapp:131047",
        error_class="fix_first",
    )
    tried(ours, "failed", broadcast_id=broadcast.pk)
    sent_by_bot = tried(ours, "failed", integration=telegram, recipient="5")

    query = f"?state=failed&error=whatsapp:131047&broadcast={broadcast.pk}"
    text = page(agent, query)

    assert listed(agent, query) == [wanted.pk]
    assert "Only messages of broadcast <strong>Renewal</strong>" in text
    assert listed(agent, "?channel=telegram") == [sent_by_bot.pk]
    assert listed(agent, f"?integration={telegram.pk}") == [sent_by_bot.pk]


@pytest.mark.parametrize(
    "query", ["?state=nonsense", "?broadcast=x", "?integration=999999", "?broadcast=0"]
)
def test_a_filter_that_makes_no_sense_shows_nothing(
    ours: World, agent: Client, query: str
) -> None:
    tried(ours, "failed")

    assert listed(agent, query) == []


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?state=nonsense", "This is not there, or not any more. Choose another."),
        ("?integration=999999", "This is not there, or not any more. Choose another."),
        ("?since=yesterday", "Enter a day, such as 2026-11-23."),
        ("?q=x%00", "Null characters are not allowed."),
    ],
)
def test_a_filter_that_makes_no_sense_is_marked(
    agent: Client, query: str, words: str
) -> None:
    text = page(agent, query)

    assert words in text
    assert "Correct what is marked above, or clear the filters." in text
    assert "Nothing fits" not in text


def test_search_finds_by_how_things_begin(ours: World, agent: Client) -> None:
    member = ours.contact(
        name="Ama Mensah",
        external_id="GH-77",
        phone="+233241112223",
        email="ama@example.org",
        telegram_chat_id="424242",
    )
    wanted = tried(ours, "failed", contact=member)
    tried(ours, "failed")

    for text in (
        "ama m",
        "AMA",
        "gh-77",
        "%2B233 24 111",
        "00233241112223",
        "Ama@Example.org",
        "424242",
        wanted.public_id,
        str(wanted.pk),
        f"%23{wanted.pk}",
        wanted.attempts.get().public_id,
    ):
        assert listed(agent, f"?q={text}") == [wanted.pk], text


@pytest.mark.parametrize("text", ["zzz", "%25", "_", "'", "9" * 40, "ra_x_1_a"])
def test_search_takes_any_text(ours: World, agent: Client, text: str) -> None:
    tried(ours, "failed")

    assert listed(agent, f"?q=x{text}") == []
    assert "No message matches" in page(agent, f"?q=x{text}")


def test_why_is_told_in_words(ours: World, agent: Client) -> None:
    tried(ours, "failed", error_code="whatsapp:131047", error_class="fix_first")
    tried(ours, "skipped", attempts=0, reason_of_skip="opted_out")

    text = page(agent)

    assert "The member opted out" in text
    assert "24" in text


def test_names_cannot_carry_markup(ours: World, agent: Client) -> None:
    tried(ours, "failed", contact=ours.contact(name="<script>alert(1)</script>"))

    text = page(agent)

    assert "<script>alert(1)" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_an_empty_list_says_what_it_means(agent: Client) -> None:
    assert "No messages yet" in page(agent)


def test_the_search_never_reads_the_whole_table(ours: World, agent: Client) -> None:
    """The plan for a search starts from members or numbers, never from all rows."""
    member = ours.contact(name="Ama")
    for _ in range(3):
        tried(ours, "failed", contact=member)
    url = f"{reverse('messaging:message-list')}?q=ama"
    searches = [
        sql
        for sql in count_queries(agent, url)
        if "messaging_message" in sql and sql.startswith("SELECT")
    ]

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {searches[0]}")
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert Message._meta.db_table in plan
    assert "Seq Scan on messaging_message" not in plan


def test_messages_are_narrowed_by_what_would_help_them(
    ours: World, agent: Client
) -> None:
    never = tried(ours, "failed")
    Message.objects.filter(pk=never.pk).update(error_class="never")
    later = tried(ours, "failed")
    Message.objects.filter(pk=later.pk).update(error_class="wait")

    assert listed(agent, "?error_class=never") == [never.pk]
    assert listed(agent, "?error_class=wait") == [later.pk]


def test_messages_are_narrowed_by_day(ours: World, agent: Client) -> None:
    old, new = tried(ours, "delivered"), tried(ours, "delivered")
    Message.objects.filter(pk=old.pk).update(created_at="2026-11-01T23:30Z")
    Message.objects.filter(pk=new.pk).update(created_at="2026-11-02T00:30Z")

    assert listed(agent, "?until=2026-11-01") == [old.pk]
    assert listed(agent, "?since=2026-11-02&until=2026-11-02") == [new.pk]
    assert listed(agent, "?since=2026-11-01") == [new.pk, old.pk]
    assert listed(agent, "?since=0001-01-01&until=9999-12-31") == [new.pk, old.pk]


def test_a_message_is_found_by_the_providers_id(
    ours: World, theirs: World, agent: Client
) -> None:
    own, other = tried(ours, "delivered"), tried(theirs, "delivered")
    own.attempts.update(provider_id="wamid.HBgLMjMz")
    other.attempts.update(provider_id="wamid.THEIRS00")

    assert listed(agent, "?q=wamid.HBgLMjMz") == [own.pk]
    assert listed(agent, "?q=wamid.THEIRS00") == []
