"""The page of messages that could not be read, and asking for them from there."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from messaging import receipts
from messaging.models import InboundMessage, Integration
from messaging.retransmission import unreadable
from resend_admin.sandbox.thread import Sandbox
from tests.factories import World
from tests.messaging.retransmission.steps import (
    GROUP,
    came_in,
    unread_message,
    until,
)

pytestmark = pytest.mark.django_db(transaction=True)
LIST, ASK = "/unreadable/", "/unreadable/ask/"


@pytest.fixture
def gateway(ours: World, sandbox: Sandbox) -> Integration:
    return ours.integration(
        "device_gateway",
        name="Front desk",
        settings={"base_url": sandbox.base_url("device_gateway")},
    )


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def test_each_state_is_told_in_words(
    ours: World, gateway: Integration, editor: Client
) -> None:
    member = ours.contact(phone="+5511999999999", name="Ama Owusu")
    unread_message(gateway, "W")
    unread_message(gateway, "Q", state="requested", phone="", push_name="Somebody")
    unread_message(gateway, "R", state="recovered", text="Here <b>I</b> am")
    unread_message(gateway, "E", state="expired", reason="in_vain", requests=5)
    unread_message(gateway, "G", chat_jid=GROUP)

    page = text(editor.get(LIST))

    assert "The phone could not decrypt it." in page
    assert "Asked for 1 of 5 times, last by Kofi Mensah" in page
    assert "Here &lt;b&gt;I&lt;/b&gt; am" in page
    assert "Ask the person to send it again." in page
    assert f"In the group {GROUP}" in page
    assert "Ama Owusu" in page
    assert "Somebody" in page
    assert f"/members/{member.pk}/#inbound" in page


@pytest.mark.parametrize("state", ["waiting", "requested", "recovered", "expired"])
def test_the_state_stands_in_the_address(
    gateway: Integration, editor: Client, state: str
) -> None:
    for one in ("waiting", "requested", "recovered", "expired"):
        unread_message(gateway, f"ID-{one}", state=one)

    page = text(editor.get(LIST, {"state": state}))

    shown = [
        one
        for one in ("waiting", "requested", "recovered", "expired")
        if f"ID-{one}" in page
    ]
    assert shown == [state]
    assert text(editor.get(LIST, {"state": "nonsense"})).count("<code>ID-") == 4


def test_readable_messages_are_not_in_the_queue(
    gateway: Integration, editor: Client
) -> None:
    came_in(gateway, "A")
    receipts.apply()

    assert "Everything could be read" in text(editor.get(LIST))


def test_without_a_phone_the_page_says_what_it_is_about(editor: Client) -> None:
    page = text(editor.get(LIST))

    assert "No WhatsApp phone is connected" in page
    assert "An admin adds one under Integrations." in page
    assert "Connect a phone" not in page
    assert 'class="chips"' not in page


def test_an_admin_without_a_phone_is_led_to_where_one_is_connected(
    ours: World, client: Client
) -> None:
    client.force_login(ours.admin)

    page = client.get(LIST).content.decode()
    address = re.search(r'href="([^"]+)"[^>]*>(?:<svg.*?</svg>)?\s*Connect a', page)

    assert address is not None
    assert "Add integration" in text(client.get(address[1]))


def test_an_agent_reads_and_asks_for_nothing(
    gateway: Integration, agent: Client, sandbox: Sandbox
) -> None:
    row = unread_message(gateway, "A")

    assert "Ask again" not in text(agent.get(LIST))
    assert agent.post(f"/unreadable/{row.pk}/ask/").status_code == 403
    assert agent.post(ASK, {"ids": [row.pk]}).status_code == 403
    assert sandbox.asks() == []


def test_one_click_asks_for_one(
    gateway: Integration, editor: Client, sandbox: Sandbox, ours: World
) -> None:
    row = unread_message(gateway, "A")
    other = unread_message(gateway, "B")

    answer = editor.post(
        f"/unreadable/{row.pk}/ask/", {"state": "waiting"}, follow=True
    )

    assert answer.redirect_chain[0][0] == "/unreadable/?state=waiting"
    assert "Asked for 1 message." in text(answer)
    assert [ask.message_ids for ask in sandbox.asks()] == [["A"]]
    row.refresh_from_db()
    assert row.state == "requested"
    assert row.request is not None
    assert row.request.asked_by == "person"
    assert row.request.asked_by_name == ours.editor.username
    other.refresh_from_db()
    assert other.state == "waiting"
    again = editor.post(f"/unreadable/{row.pk}/ask/", follow=True)
    assert "a moment ago" in text(again)
    assert len(sandbox.asks()) == 1


def test_a_phone_that_is_off_is_told_in_words(
    gateway: Integration, editor: Client, sandbox: Sandbox
) -> None:
    row = unread_message(gateway, "A")
    sandbox.phone(account="device", connected=False)

    answer = editor.post(f"/unreadable/{row.pk}/ask/", follow=True)

    assert "The phone of “Front desk” is not connected." in text(answer)
    assert "asked for it in vain" in text(answer)


def test_a_press_asks_for_exactly_what_was_shown(
    gateway: Integration, editor: Client, sandbox: Sandbox
) -> None:
    first, second = unread_message(gateway, "A"), unread_message(gateway, "B")

    dialog = text(editor.get(ASK, {"all": "1"}))
    assert "Ask for 2 messages again?" in dialog
    unread_message(gateway, "LATER")
    answer = editor.post(ASK, {"ids": [first.pk, second.pk]}, follow=True)

    assert "Asked for 2 messages." in text(answer)
    asked = {one for ask in sandbox.asks() for one in ask.message_ids}
    assert asked == {"A", "B"}
    assert InboundMessage.objects.get(message_id="LATER").state == "waiting"


def test_no_more_than_fifty_at_a_time(
    gateway: Integration, editor: Client, sandbox: Sandbox
) -> None:
    for number in range(60):
        unread_message(gateway, f"M{number}")

    dialog = text(editor.get(ASK, {"all": "1"}))
    assert "Ask for 50 messages again?" in dialog
    assert "More than 50 wait" in dialog
    ids = list(InboundMessage.objects.values_list("pk", flat=True))
    editor.post(ASK, {"ids": ids})

    assert sum(len(ask.message_ids) for ask in sandbox.asks()) == 50


@pytest.mark.parametrize("chosen", [{}, {"ids": ["x", "9" * 30]}, {"all": "1"}])
def test_nothing_chosen_is_said(
    gateway: Integration, editor: Client, chosen: dict[str, Any]
) -> None:
    page = text(editor.get(ASK, chosen))

    assert "Nothing is ticked" in page or "Nothing waits any more" in page
    assert editor.post(ASK, {"ids": ["x"]}).status_code == 422


def test_what_another_organization_owns_cannot_be_chosen(
    gateway: Integration, theirs: World, editor: Client, sandbox: Sandbox
) -> None:
    foreign = unread_message(theirs.integration("device_gateway"), "FOREIGN")

    assert editor.post(f"/unreadable/{foreign.pk}/ask/").status_code == 404
    assert editor.post(ASK, {"ids": [foreign.pk]}).status_code == 422
    assert "FOREIGN" not in text(editor.get(LIST))
    assert sandbox.asks() == []


def test_the_queue_costs_a_fixed_number_of_questions(
    gateway: Integration, editor: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(25):
        unread_message(gateway, f"M{number}", state="requested")

    with django_assert_max_num_queries(8):
        editor.get(LIST)


def test_whether_anything_waits_is_one_probe(
    gateway: Integration, theirs: World, django_assert_num_queries: Any
) -> None:
    unread_message(theirs.integration("device_gateway"), "A")
    unread_message(gateway, "B", state="requested")
    with django_assert_num_queries(1):
        assert not unreadable.waiting(gateway.organization)

    unread_message(gateway, "C")
    assert unreadable.waiting(gateway.organization)


def test_the_members_page_shows_what_came_in(
    ours: World, gateway: Integration, agent: Client
) -> None:
    member = ours.contact(phone="+5511999999999")
    unread_message(gateway, "A", state="recovered", text="Here after all")
    unread_message(gateway, "B")

    page = text(agent.get(f"/members/{member.pk}/"))

    assert "Here after all" in page
    assert "The phone could not decrypt it." in page
    assert "Ask the phone for older messages" not in page


def test_older_messages_are_a_click_away(
    ours: World, gateway: Integration, agent: Client
) -> None:
    member = ours.contact(phone="+5511999999999")
    now = timezone.now()
    for number in range(30):
        unread_message(
            gateway,
            f"M{number}",
            state="received",
            text=f"Line {number:02}.",
            occurred_at=now - timedelta(hours=number),
        )

    first = text(agent.get(f"/members/{member.pk}/"))
    assert "Line 00." in first
    assert "Line 20." not in first
    last = InboundMessage.objects.get(message_id="M19")
    assert f"?before={last.pk}#inbound" in first
    second = text(agent.get(f"/members/{member.pk}/", {"before": last.pk}))
    assert "Line 20." in second
    assert "Line 19." not in second


def test_history_is_asked_for_and_comes_in(
    ours: World,
    gateway: Integration,
    editor: Client,
    sandbox: Sandbox,
    live_server: Any,
) -> None:
    member = ours.contact(phone="+5511999999999")
    sandbox.register_hook(
        "gateway",
        "device",
        f"{live_server.url}/hooks/{gateway.uid}",
        gateway.credentials["webhook_secret"],
    )

    answer = editor.post(
        f"/members/{member.pk}/history/", {"device": str(gateway.uid)}, follow=True
    )

    assert "Asked “Front desk” for up to 50 older messages." in text(answer)

    def is_there() -> bool:
        receipts.apply()
        return InboundMessage.objects.exists()

    until(is_there)
    page = text(editor.get(f"/members/{member.pk}/"))
    assert "Is the boathouse open today?" in page
    assert "From us" in page


def test_history_of_a_foreign_phone_is_not_asked_for(
    ours: World, theirs: World, editor: Client, sandbox: Sandbox
) -> None:
    member = ours.contact()
    foreign = theirs.integration("device_gateway")

    answer = editor.post(
        f"/members/{member.pk}/history/", {"device": str(foreign.uid)}, follow=True
    )

    assert "not connected any more" in text(answer)
    assert sandbox.asks("history") == []
