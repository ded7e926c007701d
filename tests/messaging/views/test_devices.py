"""Phones on pages: how they are, since when, what to do, and asking right now."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from messaging.channels.gateway_requests import DeviceStatus
from messaging.devices import checking
from messaging.devices.noting import Word, note
from messaging.devices.words import sentence_of
from messaging.dispatch import doorbell
from messaging.models import (
    Actor,
    AuditEntry,
    DeviceHealth,
    DeviceState,
    Integration,
)
from messaging.retransmission import asking
from messaging.retransmission.claiming import Target
from messaging.trail import Doer
from resend_admin.sandbox.thread import Sandbox
from tests.factories import World
from tests.messaging.retransmission.steps import PERSON, unread_message

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/unreadable/"


@pytest.fixture
def gateway(ours: World, sandbox: Sandbox) -> Integration:
    return ours.integration(
        "device_gateway",
        name="Front desk",
        settings={"base_url": sandbox.base_url("device_gateway")},
    )


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def check(client: Client, integration: Integration, **more: Any) -> Any:
    address = reverse("messaging:device-check", args=[integration.pk])
    return client.post(address, more, follow=True)


def stand(integration: Integration, state: DeviceState, **more: Any) -> None:
    at = timezone.now() - timedelta(minutes=3)
    note(Word(integration.pk, state, at, known_at=at, checked_at=at, **more))


@pytest.mark.parametrize("state", DeviceState)
def test_each_state_is_told_with_what_to_do(
    gateway: Integration, agent: Client, state: DeviceState
) -> None:
    stand(gateway, state, detail="Session lost")

    page = text(agent.get(LIST))

    health = DeviceHealth.objects.get()
    assert sentence_of(health) in page.replace("&#x27;", "'")
    assert "Since" in page
    assert "asked" in page
    if state == DeviceState.UNCLEAR:
        assert "Session lost" in page


def test_a_phone_that_nobody_asked_about_yet(
    gateway: Integration, agent: Client
) -> None:
    assert "Not asked yet" in text(agent.get(LIST))


def test_the_page_asks_no_gateway(
    gateway: Integration, agent: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(accounts: Any) -> Any:
        raise AssertionError("A page waited for a gateway.")

    monkeypatch.setattr(checking, "device_statuses", never)
    stand(gateway, DeviceState.SILENT)

    assert agent.get(LIST).status_code == 200
    assert agent.get("/").status_code == 200


def test_check_now_asks_and_says_what_came_of_it(
    gateway: Integration, editor: Client, sandbox: Sandbox
) -> None:
    sandbox.phone(account="device", linked=False)

    answer = check(editor, gateway, next="/unreadable/?state=waiting")

    assert answer.redirect_chain[0][0] == "/unreadable/?state=waiting"
    assert "“Front desk”: not linked since" in text(answer)
    assert "new QR code" in text(answer)
    assert DeviceHealth.objects.get().state == "logged_out"

    sandbox.phone(account="device")
    DeviceHealth.objects.update(checked_at=timezone.now() - timedelta(minutes=1))
    assert "“Front desk”: connected since" in text(check(editor, gateway))


def test_the_dialog_says_that_a_phone_is_away(
    gateway: Integration, ours: World, editor: Client
) -> None:
    unread_message(gateway, "A")
    idle = ours.integration("device_gateway", name="Back office")
    stand(idle, DeviceState.LOGGED_OUT)
    assert "can hardly be asked" not in text(editor.get("/unreadable/ask/?all=1"))

    stand(gateway, DeviceState.LOGGED_OUT)
    dialog = text(editor.get("/unreadable/ask/?all=1"))

    assert "“Front desk” is not linked: its messages can hardly be asked" in dialog
    assert "Back office" not in dialog


def test_check_now_leads_to_no_other_site(
    gateway: Integration, editor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def well(accounts: Any) -> Any:
        return [DeviceStatus(is_connected=True, is_logged_in=True)]

    monkeypatch.setattr(checking, "device_statuses", well)
    answer = check(editor, gateway, next="https://evil.example/")

    assert answer.redirect_chain[0][0] == LIST


def test_who_only_reads_checks_nothing(
    gateway: Integration, agent: Client, sandbox: Sandbox
) -> None:
    assert "Check now" not in text(agent.get(LIST))
    assert check(agent, gateway).status_code == 403
    assert not DeviceHealth.objects.exists()


def test_another_organizations_phone_is_not_found(
    theirs: World, ours: World, editor: Client
) -> None:
    foreign = theirs.integration("device_gateway", name="Theirs")
    stand(foreign, DeviceState.LOGGED_OUT)

    assert check(editor, foreign).status_code == 404
    bot = ours.integration("telegram_bot", name="Bot")
    assert "“Bot” has no phone" in text(check(editor, bot))
    assert not DeviceHealth.objects.filter(integration=bot).exists()
    assert "Theirs" not in text(editor.get(LIST))


def test_many_phones_cost_no_more_than_one(
    ours: World, agent: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(9):
        one = ours.integration("device_gateway", name=f"Phone {number}")
        stand(one, DeviceState.CONNECTED if number else DeviceState.DISCONNECTED)

    with django_assert_max_num_queries(9):
        page = text(agent.get(LIST))

    assert page.index("Phone 0") < page.index("Phone 1")
    assert "And 4 more phones that are connected or not asked yet." in page


def test_the_integrations_page_shows_its_phone(
    gateway: Integration, ours: World, client: Client
) -> None:
    client.force_login(ours.admin)
    address = reverse("admin:messaging_integration_change", args=[gateway.pk])
    assert "it has not answered yet" in text(client.get(address))

    stand(gateway, DeviceState.LOGGED_OUT)
    page = text(client.get(address))

    assert "<strong>Not linked</strong> since" in page
    assert "new QR code" in page
    assert "Check the phone now" in page
    answer = check(client, gateway, next=address)
    assert answer.redirect_chain[0][0] == address
    assert "<strong>Connected</strong> since" in text(answer)


def test_other_integrations_have_no_phone(ours: World, client: Client) -> None:
    client.force_login(ours.admin)
    other = ours.integration("telegram_bot")
    address = reverse("admin:messaging_integration_change", args=[other.pk])

    assert "Check the phone now" not in text(client.get(address))


def test_a_refusal_for_the_phones_sake_has_it_asked(
    gateway: Integration,
    editor: Client,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rung: list[tuple[Any, ...]] = []
    monkeypatch.setattr(doorbell, "call", lambda *call: rung.append(call))
    rows = [
        unread_message(gateway, f"M{n}", chat_jid=f"55119999{n:05d}@s.whatsapp.net")
        for n in range(20)
    ]
    sandbox.phone(account="device", connected=False)

    editor.post("/unreadable/ask/", {"ids": [one.pk for one in rows]})
    assert rung == [("messaging.tasks.check_device", gateway.pk)]

    wanted = Target(gateway, PERSON, PERSON, ("NEW",))
    asking.ask(wanted, Doer(Actor.API, "Shop"))
    assert rung == [("messaging.tasks.check_device", gateway.pk)] * 2


def test_one_press_is_one_line_of_the_trail(
    gateway: Integration, editor: Client, ours: World
) -> None:
    rows = [
        unread_message(gateway, f"M{n}", chat_jid=f"55119999{n:05d}@s.whatsapp.net")
        for n in range(4)
    ]
    editor.post("/unreadable/ask/", {"ids": [one.pk for one in rows]})
    editor.post(f"/unreadable/{unread_message(gateway, 'ONE').pk}/ask/")

    entries = AuditEntry.objects.order_by("pk")
    assert [one.sentence for one in entries] == [
        "Asked “Front desk” for 4 messages again.",
        "Asked “Front desk” for a message again: ONE.",
    ]
    assert {(one.actor, one.person_id) for one in entries} == {
        ("person", ours.editor.pk)
    }
    assert {one.link for one in entries} == {LIST}


def test_what_was_not_asked_for_is_no_line_of_the_trail(
    gateway: Integration, editor: Client
) -> None:
    row = unread_message(gateway, "A", requests=5, state="requested")

    editor.post(f"/unreadable/{row.pk}/ask/")

    assert not AuditEntry.objects.exists()


def test_who_asks_for_history_stands_in_the_trail(
    gateway: Integration, editor: Client, ours: World
) -> None:
    member = ours.contact(phone="+5511999999999")

    editor.post(f"/members/{member.pk}/history/", {"device": str(gateway.uid)})

    [entry] = AuditEntry.objects.all()
    assert entry.sentence == "Asked “Front desk” for up to 50 older messages of a chat."
    assert entry.link == f"/members/{member.pk}/#inbound"
    assert entry.person_id == ours.editor.pk
