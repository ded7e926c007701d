"""The pages of webhooks, as an admin uses them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from messaging.models import (
    WebhookDelivery,
    WebhookEndpoint,
    WebhookHealth,
    WebhookRecovery,
)
from messaging.webhooks import courier, endpoints
from tests.factories import World
from tests.messaging.webhooks.receiver import Answer, Receiver
from tests.messaging.webhooks.steps import endpoint_of, ready, send, tell

pytestmark = pytest.mark.django_db

ENTERED = {
    "name": "Shop backend",
    "url": "https://shop.example/hooks",
    "messages": ["message.sent", "message.failed"],
    "others": ["integration.paused"],
}
IN_DIALOG = {"HX-Request": "true", "HX-Target": "dialog"}


@pytest.fixture
def admin(ours: World) -> Client:
    client = Client()
    client.force_login(ours.admin)
    return client


def url(name: str, *numbers: int) -> str:
    return reverse(f"messaging:webhook-{name}", args=numbers)


def text(answer: Any) -> str:
    return str(answer.content.decode())


def flat(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text(answer)).split())


def test_an_endpoint_is_added_and_its_secret_shown_once(
    ours: World, admin: Client
) -> None:
    answer = admin.post(url("create"), ENTERED, headers=IN_DIALOG)

    endpoint = WebhookEndpoint.objects.get()
    secret = endpoint.secrets.get().text
    assert answer.status_code == 200
    assert secret in text(answer)
    assert "no-store" in answer["Cache-Control"]
    assert endpoint.organization == ours.organization
    assert endpoint.events == [
        "message.sent",
        "message.failed",
        "integration.paused",
    ]
    for page in (url("list"), url("detail", endpoint.pk), url("edit", endpoint.pk)):
        assert secret not in text(admin.get(page))


def test_without_scripts_the_secret_has_a_page(ours: World, admin: Client) -> None:
    answer = admin.post(url("create"), ENTERED)

    assert WebhookEndpoint.objects.get().secrets.get().text in text(answer)
    assert "<main" in text(answer)


def test_everything_that_is_wrong_is_said_at_once(admin: Client) -> None:
    answer = admin.post(url("create"), {"name": "", "url": "shop"})

    assert set(answer.context["form"].errors) == {"name", "url", "messages"}
    assert 'value="shop"' in text(answer)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "Enter a name"),
        ({"url": "shop"}, "begins with https://"),
        ({"url": "https://10.0.0.1/"}, "inside a private network"),
        ({"messages": [], "others": []}, "Choose at least one event"),
        ({"messages": ["message.read"]}, "not one of the available choices"),
    ],
)
def test_what_cannot_be_saved_says_why(
    ours: World, admin: Client, changes: dict[str, Any], words: str
) -> None:
    answer = admin.post(url("create"), {**ENTERED, **changes}, headers=IN_DIALOG)

    assert answer.status_code == 422
    assert words in text(answer)
    assert not WebhookEndpoint.objects.exists()


def test_an_endpoint_is_edited(ours: World, admin: Client) -> None:
    endpoint, _ = endpoint_of(ours)
    shown = text(admin.get(url("edit", endpoint.pk)))
    assert (
        len(re.findall(r'name="(?:messages|broadcasts|others)"[^>]* checked', shown))
        == 12
    )

    admin.post(url("edit", endpoint.pk), ENTERED)

    endpoint.refresh_from_db()
    assert endpoint.name == "Shop backend"
    assert len(endpoint.events) == 3


def test_a_secret_is_replaced_and_the_new_one_shown(ours: World, admin: Client) -> None:
    endpoint, old = endpoint_of(ours)

    answer = admin.post(url("rotate", endpoint.pk), headers=IN_DIALOG)

    assert endpoint.secrets.count() == 2
    new = endpoint.secrets.get(expires_at__isnull=True).text
    assert new in text(answer)
    assert old not in text(answer)
    assert "24 hours" in text(answer)
    assert "Two sign until" in text(admin.get(url("detail", endpoint.pk)))


def test_a_lost_secret_is_stopped(ours: World, admin: Client) -> None:
    endpoint, _ = endpoint_of(ours)

    admin.post(url("rotate", endpoint.pk), {"at_once": "on"})

    assert endpoint.secrets.count() == 1


def test_the_switch_goes_where_the_form_says(ours: World, admin: Client) -> None:
    endpoint, _ = endpoint_of(ours)
    assert "Switch off" in text(admin.get(url("switch", endpoint.pk)))

    for _ in range(2):
        admin.post(url("switch", endpoint.pk), {"to": "off"})
        endpoint.refresh_from_db()
        assert not endpoint.is_on

    admin.post(url("switch", endpoint.pk), {"to": "on"})
    endpoint.refresh_from_db()
    assert endpoint.is_on


def test_a_deleted_endpoint_is_not_found(ours: World, admin: Client) -> None:
    endpoint, _ = endpoint_of(ours)

    answer = admin.post(url("delete", endpoint.pk), follow=True)

    assert endpoint.name not in flat(answer).replace(
        f"“{endpoint.name}” is deleted", ""
    )
    assert admin.get(url("detail", endpoint.pk)).status_code == 404


def test_the_list_says_what_is_wrong(ours: World, admin: Client) -> None:
    fine, _ = endpoint_of(ours, name="Fine")
    failing, _ = endpoint_of(ours, name="Failing one")
    given_up, _ = endpoint_of(ours, name="Given up")
    WebhookHealth.objects.filter(endpoint=failing).update(
        failing_since=timezone.now() - timedelta(hours=2),
        last_error="status",
        last_status=503,
    )
    WebhookEndpoint.objects.filter(pk=given_up.pk).update(
        state="off", off_reason="failing", off_at=timezone.now()
    )

    shown = flat(admin.get(url("list")))

    assert "It answered 503. Nothing was delivered since" in shown
    assert "“Given up” took nothing for five days, so it was switched off" in shown
    assert "“Failing one” takes nothing at the moment" in shown
    assert fine.name in shown


def test_a_test_is_sent_and_can_be_watched(ours: World, admin: Client) -> None:
    endpoint, _ = endpoint_of(ours, events=["message.sent"])

    answer = admin.post(url("test", endpoint.pk), follow=True)

    delivery = WebhookDelivery.objects.get()
    assert delivery.type == "webhook.test"
    assert answer.redirect_chain[-1][0] == url("delivery", endpoint.pk, delivery.pk)
    assert "data-poll" in text(answer)


def test_one_that_is_off_gets_no_test(ours: World, admin: Client) -> None:
    endpoint, _ = endpoint_of(ours)
    endpoints.switch_off(endpoint)

    answer = admin.post(url("test", endpoint.pk), follow=True)

    assert not WebhookDelivery.objects.exists()
    assert "Switch it on first" in flat(answer)


def test_the_log_is_narrowed_down(ours: World, admin: Client) -> None:
    endpoint, _ = endpoint_of(ours)
    integration = ready(ours)
    for state in ("sent", "failed"):
        ours.message(integration=integration)
        send(integration, state)
    sent, failed = WebhookDelivery.objects.order_by("pk").select_related("event")
    WebhookDelivery.objects.filter(pk=failed.pk).update(
        state="failed", error="timeout", finished_at=timezone.now()
    )
    page = url("detail", endpoint.pk)

    def shown(**query: str) -> set[int]:
        html = text(admin.get(page, query))
        return {int(one) for one in re.findall(r'id="delivery-(\d+)"', html)}

    assert shown() == {sent.pk, failed.pk}
    assert shown(event="message.sent") == {sent.pk}
    assert shown(outcome="failed") == {failed.pk}
    assert shown(outcome="waiting") == {sent.pk}
    assert shown(q=f" {failed.event.public_id} ") == {failed.pk}
    assert shown(q=str(sent.event_id)) == {sent.pk}
    for nothing in ("evt_", "x", "9" * 30, "evt_1'--", "\x00"):
        assert shown(q=nothing) == set()
    assert shown(event="no.such") == set()


def test_another_organizations_delivery_is_not_found_under_an_own_endpoint(
    ours: World, theirs: World, admin: Client
) -> None:
    endpoint, _ = endpoint_of(ours)
    endpoint_of(theirs)
    [foreign] = tell(theirs)

    assert admin.get(url("delivery", endpoint.pk, foreign.pk)).status_code == 404
    again = admin.post(url("delivery-resend", endpoint.pk, foreign.pk))
    assert again.status_code == 404
    assert admin.get(url("delivery", endpoint.pk, 2**63)).status_code == 404


def test_all_failed_are_sent_again_after_saying_how_many(
    ours: World, admin: Client
) -> None:
    endpoint, _ = endpoint_of(ours)
    tell(ours, 3)
    WebhookDelivery.objects.update(
        state="failed", error="timeout", finished_at=timezone.now()
    )
    page = url("recover", endpoint.pk)
    assert "3 deliveries to" in flat(admin.get(page))

    hour_ago = timezone.localtime(timezone.now() - timedelta(hours=1))
    answer = admin.post(page, {"since": f"{hour_ago:%Y-%m-%dT%H:%M}"}, follow=True)

    assert "3 deliveries that failed since" in flat(answer)
    assert WebhookRecovery.objects.get().asked_by_name == ours.admin.username


def test_where_nothing_failed_there_is_nothing_to_send(
    ours: World, admin: Client
) -> None:
    endpoint, _ = endpoint_of(ours)
    page = url("recover", endpoint.pk)
    now = timezone.localtime(timezone.now())

    past = admin.post(page, {"since": f"{now:%Y-%m-%dT00:00}"})
    future = admin.post(page, {"since": f"{now.year + 1}-01-01T00:00"})

    assert "Nothing has failed since then" in flat(past)
    assert "a moment that has passed" in flat(future)
    assert not WebhookRecovery.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_delivery_shows_each_try_with_its_answer(
    ours: World, admin: Client, settings: Settings
) -> None:
    settings.FETCH_FROM_PRIVATE_ADDRESSES = True
    with Receiver(lambda received: Answer(500, b"<b>out of order</b>")) as receiver:
        endpoint, _ = endpoint_of(ours, receiver.url)
        integration = ready(ours)
        message = ours.message(integration=integration)
        send(integration, "failed")
        courier.run()
    delivery = WebhookDelivery.objects.get()

    page = admin.get(url("delivery", endpoint.pk, delivery.pk))
    shown = text(page)

    assert "&lt;b&gt;out of order&lt;/b&gt;" in shown
    assert "<b>out of order" not in shown
    assert "Try 1: it answered 500" in shown
    assert "and has 6 more tries" in flat(page)
    assert f"webhook-id: {delivery.event.public_id}" in shown
    assert "webhook-signature: v1," in shown
    assert message.public_id in shown
    assert reverse("messaging:message-detail", args=[message.pk]) in shown

    live = url("delivery-live", endpoint.pk, delivery.pk)
    found = re.search(r"\?v=([^\"]+)", shown)
    assert found
    assert admin.get(live, {"v": found[1]}).status_code == 204
    answer = admin.post(url("delivery-resend", endpoint.pk, delivery.pk), follow=True)
    assert "It is sent again." in flat(answer)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.run_tries) == ("waiting", 0)
    assert admin.get(live, {"v": found[1]}).status_code == 200


def test_only_admins_find_webhooks_in_the_navigation(
    ours: World, admin: Client
) -> None:
    editor = Client()
    editor.force_login(ours.editor)
    link = f'href="{url("list")}"'

    assert link in text(admin.get(reverse("messaging:member-list")))
    assert link not in text(editor.get(reverse("messaging:member-list")))
