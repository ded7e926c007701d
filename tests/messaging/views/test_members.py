"""The list of members, and the page of one."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from messaging.models import Contact
from tests.factories import World
from tests.messaging.views.rows import tried


def listed(client: Client, query: str = "") -> list[int]:
    text = page(client, query)
    return [int(number) for number in re.findall(r'href="/members/(\d+)/"', text)]


def page(client: Client, query: str = "") -> str:
    response = client.get(f"{reverse('messaging:member-list')}{query}")
    assert response.status_code == 200
    return response.content.decode()


def detail(client: Client, member: Contact, query: str = "") -> str:
    url = reverse("messaging:member-detail", kwargs={"pk": member.pk})
    response = client.get(f"{url}{query}")
    assert response.status_code == 200
    return response.content.decode()


def queries_for(client: Client, url: str) -> list[str]:
    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        client.get(url)
    return [query["sql"] for query in captured.captured_queries]


def test_members_are_listed_newest_first(
    ours: World, theirs: World, agent: Client
) -> None:
    made = [ours.contact().pk for _ in range(30)]
    theirs.contact()

    first = page(agent)
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older is not None
    second = listed(agent, older[1].replace("&amp;", "&"))

    assert listed(agent) + second == list(reversed(made))


@pytest.mark.parametrize("view", ["list", "detail"])
def test_the_number_of_queries_does_not_grow(
    ours: World, agent: Client, view: str
) -> None:
    member = ours.contact()
    url = reverse("messaging:member-list")
    if view == "detail":
        url = reverse("messaging:member-detail", kwargs={"pk": member.pk})

    def add(number: int) -> None:
        for _ in range(number):
            ours.contact(tags=["gold"])
            tried(ours, "failed", contact=member, broadcast_id=ours.broadcast().pk)

    add(3)
    cost = len(queries_for(agent, url))
    add(27)
    queries = queries_for(agent, url)

    assert len(queries) == cost
    assert not [sql for sql in queries if "COUNT(" in sql.upper()]


@pytest.mark.parametrize(
    "query",
    [
        "?q=esi",
        "?q=X-9",
        "?q=%2B233200",
        "?q=ESI@",
        "?tag=gold",
        "?country=ng",
        "?language=fr",
        "?channel=telegram",
        "?opted_out=sms",
        "?opted_out=any",
        "?q=e&tag=gold&country=NG&language=fr&channel=email",
    ],
)
def test_members_are_found(ours: World, agent: Client, query: str) -> None:
    wanted = ours.contact(
        name="Esi Appiah",
        external_id="X-9",
        phone="+233200111222",
        email="esi@example.org",
        telegram_chat_id="99",
        country="NG",
        language="fr",
        tags=["gold", "new"],
        opted_out_channels=["sms"],
    )
    ours.contact(name="Kofi", country="GH", tags=["silver"])

    assert listed(agent, query) == [wanted.pk]


def test_whoever_opted_out_is_not_reachable(ours: World, agent: Client) -> None:
    ours.contact(opted_out_channels=["sms"])
    wanted = ours.contact()
    ours.contact(phone="")

    assert listed(agent, "?channel=sms") == [wanted.pk]


def test_no_match_and_no_members_read_differently(ours: World, agent: Client) -> None:
    assert "No members yet" in page(agent)
    ours.contact()
    assert "No member matches" in page(agent, "?q=zzz")
    assert "Enter two letters" in page(agent, "?country=Ghana")


def test_names_cannot_carry_markup(ours: World, agent: Client) -> None:
    member = ours.contact(name="<img src=x>", tags=["<b>", "a&b"], external_id='"><i>')

    for text in (page(agent), detail(agent, member)):
        assert "<img src=x" not in text
        assert "<b>" not in text
        assert "&lt;img src=x&gt;" in text
        assert "tag=a%26b" in text


def test_a_member_shows_what_was_sent(ours: World, agent: Client) -> None:
    member = ours.contact()
    broadcast = ours.broadcast(name="Renewal")
    message = tried(
        ours, "delivered", attempts=2, contact=member, broadcast_id=broadcast.pk
    )
    tried(ours, "failed")

    text = detail(agent, member)

    assert re.findall(r'href="/messages/(\d+)/"', text) == [str(message.pk)]
    assert "Hello Ama" in text
    assert "Renewal" in text
    assert "Delivered" in text


def test_communications_are_paged(ours: World, agent: Client) -> None:
    member = ours.contact()
    made = [tried(ours, "delivered", contact=member).pk for _ in range(27)]
    first = detail(agent, member)
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older is not None

    second = detail(agent, member, older[1].replace("&amp;", "&"))

    numbers = re.findall(r'href="/messages/(\d+)/"', first + second)
    assert [int(number) for number in numbers] == list(reversed(made))


@pytest.mark.parametrize(
    ("hours", "words"),
    [(None, "has not written to us"), (3, "Open until"), (30, "Closed since")],
)
def test_the_whatsapp_window_is_told(
    ours: World, agent: Client, hours: int | None, words: str
) -> None:
    wrote = timezone.now() - timedelta(hours=hours) if hours else None
    member = ours.contact(whatsapp_inbound_at=wrote, opted_out_channels=["email"])

    text = detail(agent, member)

    assert words in text
    assert "Opted out" in text


def test_searching_members_goes_by_index(ours: World, agent: Client) -> None:
    Contact.objects.bulk_create(
        Contact(organization=ours.organization, external_id=f"B{n}", name=f"Name {n}")
        for n in range(3_000)
    )
    search = next(
        sql
        for sql in queries_for(agent, f"{reverse('messaging:member-list')}?q=zed")
        if "LIKE" in sql
    )

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE messaging_contact")
        cursor.execute(f"EXPLAIN {search}")
        plan = "\n".join(row[0] for row in cursor.fetchall())

    for column in ("name", "last_word", "external_id", "email"):
        assert f"contact_{column}_begins" in plan
    assert "Seq Scan" not in plan


@pytest.mark.parametrize("text", ["becker", "Beck", "yaw b", "yaw kofi"])
def test_members_are_found_by_their_last_name_too(
    ours: World, theirs: World, agent: Client, text: str
) -> None:
    ours.contact(name="Yaw Kofi Becker" if "kofi" in text else "Yaw Becker")
    ours.contact(name="Beatrice Yawson")
    theirs.contact(name="Ama Becker")

    found = page(agent, f"?q={text}")

    assert "Becker" in found
    assert "Beatrice" not in found
    assert "Ama Becker" not in found
