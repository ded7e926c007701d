"""Rows of every kind, and the addresses of the admin."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any, Final

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from broadcasts.models import Flow, FlowStep, FrozenMembers, Route
from messaging import api_clients, second_factor, trail
from messaging.dispatch import pace
from messaging.models import (
    ApiClientPace,
    AudioJob,
    AuditKind,
    AutomaticRetry,
    BulkResend,
    BulkResendItem,
    BulkResendOutcome,
    BulkResendRefusal,
    CountedDelivery,
    DeviceHealth,
    EndedBroadcast,
    FollowUp,
    Integration,
    KeptAnswer,
    Message,
    Recovery,
    Role,
    Session,
    StoppedRetry,
    User,
    WebhookRecovery,
)
from messaging.webhooks import emitting
from tests.factories import World
from tests.messaging.retransmission.steps import unread_message
from tests.messaging.test_second_factor import code_of
from tests.messaging.views.rows import receipt, tried
from tests.messaging.webhooks.steps import endpoint_of

_number = itertools.count(1)
OWNED: Final[list[type[Model]]] = [
    model
    for model, own in admin.site._registry.items()
    if own.organization_path  # type: ignore[attr-defined]
]
"""Every model but those of no organization."""


def browser(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def fill(world: World) -> None:
    """Give an organization a row of every kind, with its name wherever there is one."""
    number = next(_number)
    whose = f"{number} of {world.organization.name}"
    phone = world.integration("device_gateway", name=f"Phone of {whose}")
    member = world.contact(name=f"Member of {whose}")
    message = tried(world, "failed", attempts=1, contact=member, integration=phone)
    receipt(message.attempts.get(), "failed")
    pace.prepare(phone.pk)
    _programs(world, whose)
    _what_people_did(world, message, whose)
    _retries(world, number)
    _sets(world, message, whose)
    _recovery(world, number)
    _devices(world, phone, whose)
    _webhooks(world, whose)
    _broadcasts(world, phone, whose)
    _people(world, number)


def _programs(world: World, whose: str) -> None:
    client, _ = api_clients.create(
        organization=world.organization, name=f"Shop of {whose}"
    )
    ApiClientPace.objects.create(client=client, paid_until=timezone.now())
    KeptAnswer.objects.create(client=client, key=f"Key of {whose}", request_hash="0")


def _what_people_did(world: World, message: Message, whose: str) -> None:
    CountedDelivery.objects.create(
        organization=world.organization,
        message_id=message.pk,
        attempt_id=message.attempts.get().pk,
        person_name=f"Somebody of {whose}",
    )
    trail.record(
        AuditKind.OTHER,
        f"Did something for {whose}.",
        organization_id=world.organization.pk,
        doer=trail.by_person(world.admin),
    )
    FollowUp.objects.create(
        organization=world.organization,
        contact=message.contact,
        message=message,
        opener=world.message(contact=message.contact, integration=message.integration),
    )


def _retries(world: World, number: int) -> None:
    AutomaticRetry.objects.get_or_create(
        organization=world.organization, channel="sms", defaults={"is_on": True}
    )
    StoppedRetry.objects.create(
        organization=world.organization,
        error_code=f"whatsapp:{number}",
        tried=20,
        delivered=0,
    )


def _sets(world: World, message: Message, whose: str) -> None:
    bulk = BulkResend.objects.create(
        organization=world.organization, chosen=f"Messages of {whose}"
    )
    BulkResendItem.objects.create(bulk=bulk, message=message)
    BulkResendRefusal.objects.get_or_create(
        bulk=bulk, code="limit_reached", defaults={"sentence": "Enough.", "count": 1}
    )
    BulkResendOutcome.objects.create(
        bulk=bulk, integration_id=message.integration_id or 0, state="sent", count=1
    )


def _recovery(world: World, number: int) -> None:
    Recovery.objects.create(
        organization=world.organization,
        day=timezone.now().date(),
        channel="whatsapp",
        resend_number=number,
        bucket=1,
        count=1,
    )


def _devices(world: World, phone: Integration, whose: str) -> None:
    unread_message(phone, f"ID of {whose}", state="requested")
    now = timezone.now()
    DeviceHealth.objects.create(
        integration=phone, state="connected", since=now, known_at=now
    )
    AudioJob.objects.create(
        organization=world.organization,
        integration=phone,
        phone="233240000001",
        asked_by_name=f"Shop of {whose}",
    )


def _webhooks(world: World, whose: str) -> None:
    endpoint, _ = endpoint_of(
        world, "https://receiver.example/hooks", name=f"Endpoint of {whose}"
    )
    emitting.send_test(endpoint, by=trail.by_person(world.admin))
    WebhookRecovery.objects.create(endpoint=endpoint, since=timezone.now())


def _broadcasts(world: World, phone: Integration, whose: str) -> None:
    broadcast = world.broadcast(name=f"Broadcast of {whose}")
    template = world.template(name=f"Template of {whose}")
    Route.objects.create(
        broadcast=broadcast,
        role="route",
        position=1,
        integration=phone,
        content=template,
    )
    EndedBroadcast.objects.create(
        organization=world.organization, broadcast_id=broadcast.pk
    )
    FrozenMembers.objects.create(broadcast=broadcast, size=0, message_ids=[])
    flow = Flow.objects.create(organization=world.organization, name=f"Flow of {whose}")
    FlowStep.objects.create(flow=flow, position=1, content=world.text())


def _people(world: World, number: int) -> None:
    person = world.person(f"colleague-{number}-", Role.AGENT)
    second_factor.begin(person)
    second_factor.confirm(person, code_of(person))
    Session.objects.create(
        session_key=f"{number} of {world.organization.pk}",
        person=person,
        expire_date=timezone.now() + timedelta(days=1),
    )


def rows_of(model: type[Model], world: World) -> QuerySet[Any]:
    """Return the rows of this kind that an organization has, the oldest first."""
    path = admin.site.get_model_admin(model).organization_path  # type: ignore[attr-defined]
    return model._default_manager.filter(**{path: world.organization.pk}).order_by("pk")


def row_of(model: type[Model], world: World) -> Any:
    return rows_of(model, world)[0]


def url(model: type[Model], view: str, *args: object) -> str:
    name = f"{model._meta.app_label}_{model._meta.model_name}_{view}"
    return reverse(f"admin:{name}", args=args)


def text_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return response.content.decode()
