"""Endpoints: what is accepted, secrets that are kept sealed, and being given up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings
from standardwebhooks import Webhook

from messaging.models import (
    OffReason,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookHealth,
    WebhookSecret,
)
from messaging.webhooks import courier, endpoints, tending
from messaging.webhooks.endpoints import EndpointError, Fields
from messaging.webhooks.schedule import TRIES
from tests.factories import World
from tests.messaging.webhooks.receiver import OK, Answer, Receiver
from tests.messaging.webhooks.steps import endpoint_of, make_due, tell

FIVE_DAYS = timedelta(days=5, seconds=1)


def refused(world: World, **values: object) -> EndpointError:
    fields = {
        "name": "Shop",
        "url": "https://shop.example/",
        "events": ["message.sent"],
    }
    with pytest.raises(EndpointError) as caught:
        endpoints.create(
            organization=world.organization,
            fields=Fields(**{**fields, **values}),  # type: ignore[arg-type]
        )
    return caught.value


@pytest.mark.django_db
def test_a_secret_is_kept_sealed_and_fits_the_specification(ours: World) -> None:
    endpoint, secret = endpoint_of(ours)

    kept = WebhookSecret.objects.get(endpoint=endpoint)
    assert secret.startswith("whsec_")
    assert secret not in kept.encrypted
    assert kept.text == secret
    assert Webhook(secret)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.example",
        "ftp://shop.example/",
        "http://shop.example/",
        "https:///hooks",
        "https://[::1/hooks",
        "https://shop.example:99999/",
        "https://shop.example/a b",
        "https://shop.example/" + "x" * 500,
    ],
)
def test_what_is_no_address_is_refused(
    ours: World, settings: Settings, url: str
) -> None:
    settings.FETCH_FROM_PRIVATE_ADDRESSES = False

    error = refused(ours, url=url)

    assert error.field == "url"
    assert "https://" in error.sentence


@pytest.mark.django_db
@pytest.mark.parametrize(
    "url", ["https://me:secret@shop.example/", "https://shop.example/#top"]
)
def test_what_does_not_belong_into_an_address_is_refused(ours: World, url: str) -> None:
    assert "Leave out" in refused(ours, url=url).sentence


@pytest.mark.django_db
@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.1.2.3", "[::1]", "169.254.169.254", "localhost"]
)
def test_an_address_inside_is_refused_when_it_is_entered(
    ours: World, settings: Settings, host: str
) -> None:
    settings.FETCH_FROM_PRIVATE_ADDRESSES = False

    error = refused(ours, url=f"https://{host}/hooks")

    assert "inside a private network" in error.sentence


@pytest.mark.django_db
def test_nothing_to_be_told_about_is_refused(ours: World) -> None:
    assert refused(ours, events=[]).field == "events"
    assert refused(ours, events=["webhook.test", "message.read"]).field == "events"


@pytest.mark.django_db
def test_a_name_is_taken_once_and_free_after_a_removal(
    ours: World, theirs: World
) -> None:
    endpoint, _ = endpoint_of(ours, name="Shop")
    endpoint_of(theirs, name="Shop")
    assert refused(ours, name="Shop").field == "name"

    endpoints.remove(endpoint)

    endpoint_of(ours, name="Shop")


@pytest.mark.django_db
def test_there_are_so_many_and_no_more(ours: World) -> None:
    for number in range(endpoints.MOST_ENDPOINTS):
        endpoint_of(ours, name=f"Shop {number}")

    assert "which is the most" in refused(ours, name="One more").sentence


@pytest.mark.django_db
def test_editing_does_not_move_the_switch(ours: World) -> None:
    endpoint, _ = endpoint_of(ours)
    stale = WebhookEndpoint.objects.get(pk=endpoint.pk)
    endpoints.switch_off(endpoint)

    endpoints.edit(stale, Fields("New name", "https://new.example/", ["message.sent"]))

    endpoint.refresh_from_db()
    assert (endpoint.name, endpoint.events) == ("New name", ["message.sent"])
    assert not endpoint.is_on


@pytest.mark.django_db
def test_of_three_secrets_two_overlap_and_the_oldest_keeps_its_end(
    ours: World,
) -> None:
    endpoint, _ = endpoint_of(ours)
    endpoints.rotate(endpoint)
    first_end = endpoint.secrets.get(expires_at__isnull=False).expires_at

    endpoints.rotate(endpoint)

    ends = list(endpoint.secrets.order_by("pk").values_list("expires_at", flat=True))
    assert ends[0] == first_end
    assert ends[1] is not None
    assert ends[2] is None
    hours = (ends[1] - timezone.now()).total_seconds() / 3600
    assert 23.9 < hours <= 24


@pytest.mark.django_db(transaction=True)
def test_one_that_is_gone_is_switched_off_at_once(
    ours: World, receiver: Receiver, endpoint: WebhookEndpoint
) -> None:
    receiver.script = lambda received: Answer(410)
    tell(ours)

    courier.run()

    endpoint.refresh_from_db()
    assert not endpoint.is_on
    assert endpoint.off_reason == OffReason.GONE
    assert WebhookDelivery.objects.get().state == "failed"
    [notice] = endpoints.notices(ours.organization)
    assert (notice.tone, notice.endpoint) == ("bad", endpoint)
    assert "gone for good" in notice.sentence


def give_up(world: World) -> None:
    """Let one delivery use up all its tries."""
    tell(world)
    for _ in range(TRIES):
        courier.run()
        make_due()


@pytest.mark.django_db(transaction=True)
def test_five_days_without_a_delivery_switch_it_off(
    ours: World, theirs: World, receiver: Receiver, endpoint: WebhookEndpoint
) -> None:
    receiver.script = lambda received: Answer(500)
    not_yet = timezone.now() - timedelta(days=4, hours=23)
    WebhookHealth.objects.update(failing_since=not_yet)
    give_up(ours)
    endpoint.refresh_from_db()
    assert endpoint.is_on
    WebhookHealth.objects.update(failing_since=timezone.now() - FIVE_DAYS)

    give_up(ours)

    endpoint.refresh_from_db()
    assert endpoint.off_reason == OffReason.FAILING
    assert endpoint.off_at is not None
    [notice] = endpoints.notices(ours.organization)
    assert "five days" in notice.sentence
    assert endpoints.notices(theirs.organization) == []


@pytest.mark.django_db(transaction=True)
def test_a_single_failed_try_after_a_quiet_week_switches_nothing_off(
    ours: World, receiver: Receiver, endpoint: WebhookEndpoint
) -> None:
    receiver.script = lambda received: Answer(500)
    WebhookHealth.objects.update(failing_since=timezone.now() - FIVE_DAYS)
    tell(ours)

    courier.run()

    endpoint.refresh_from_db()
    assert endpoint.is_on
    [notice] = endpoints.notices(ours.organization)
    assert notice.tone == "warn"


@pytest.mark.django_db(transaction=True)
def test_one_delivery_begins_the_five_days_anew(
    ours: World, receiver: Receiver, endpoint: WebhookEndpoint
) -> None:
    WebhookHealth.objects.update(failing_since=timezone.now() - FIVE_DAYS)
    tell(ours)
    courier.run()
    receiver.script = lambda received: Answer(500)

    give_up(ours)

    endpoint.refresh_from_db()
    assert endpoint.is_on


@pytest.mark.django_db(transaction=True)
def test_switched_on_by_hand_it_begins_with_a_clean_sheet(
    ours: World, receiver: Receiver, endpoint: WebhookEndpoint
) -> None:
    answers = [Answer(410), OK]
    receiver.script = lambda received: answers.pop(0)
    tell(ours)
    courier.run()

    endpoints.switch_on(endpoint)
    tell(ours)
    courier.run()

    endpoint.refresh_from_db()
    assert (endpoint.is_on, endpoint.off_reason) == (True, "")
    assert endpoints.notices(ours.organization) == []
    assert len(receiver.received) == 2


@pytest.mark.django_db(transaction=True)
def test_what_waits_for_one_that_is_off_is_given_up(
    ours: World, receiver: Receiver, endpoint: WebhookEndpoint
) -> None:
    other, _ = endpoint_of(ours)
    tell(ours, 3)

    endpoints.switch_off(endpoint)
    tending.tend()

    mine = WebhookDelivery.objects.filter(endpoint=endpoint)
    assert set(mine.values_list("state", "error")) == {("failed", "endpoint_off")}
    assert receiver.received == []
    rest = WebhookDelivery.objects.filter(endpoint=other)
    assert set(rest.values_list("state", flat=True)) == {"waiting"}


@pytest.mark.django_db
def test_a_removed_one_is_gone_with_its_log(ours: World) -> None:
    endpoint, _ = endpoint_of(ours)
    other, _ = endpoint_of(ours)
    tell(ours, 3)

    endpoints.remove(endpoint)
    assert [one.pk for one in endpoints.of(ours.organization)] == [other.pk]
    assert tending.prune() == 3

    assert not WebhookEndpoint.objects.filter(pk=endpoint.pk).exists()
    left = WebhookDelivery.objects.values_list("endpoint_id", flat=True)
    assert set(left) == {other.pk}


@pytest.mark.django_db
def test_the_log_is_kept_for_thirty_days(ours: World) -> None:
    endpoint_of(ours)
    tell(ours, 5)
    *old, nearly = WebhookDelivery.objects.order_by("pk")[:4]
    month = timezone.now() - timedelta(days=30)
    for one in old:
        moment = month - timedelta(seconds=1)
        WebhookDelivery.objects.filter(pk=one.pk).update(created_at=moment)
    moment = month + timedelta(hours=1)
    WebhookDelivery.objects.filter(pk=nearly.pk).update(created_at=moment)

    assert tending.prune() == 3
    assert tending.prune() == 0

    assert WebhookDelivery.objects.count() == 2
