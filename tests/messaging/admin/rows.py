"""Rows of every kind, and the addresses of the admin."""

from __future__ import annotations

from django.db.models import Model
from django.test import Client
from django.urls import reverse

from messaging import api_clients
from messaging.models import (
    ApiClient,
    Attempt,
    BulkResend,
    Contact,
    Content,
    CountedDelivery,
    CreditAccount,
    CreditEntry,
    Integration,
    Message,
    Meter,
    Organization,
    Receipt,
    Tally,
    User,
)
from tests.factories import World
from tests.messaging.views.rows import receipt, tried

OWNED: list[type[Model]] = [
    ApiClient,
    Attempt,
    BulkResend,
    Contact,
    Content,
    CountedDelivery,
    CreditAccount,
    CreditEntry,
    Integration,
    Message,
    Meter,
    Organization,
    Receipt,
    Tally,
    User,
]


def browser(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def fill(world: World) -> None:
    """Give an organization a row of every kind."""
    message = tried(world, "failed", attempts=1)
    receipt(message.attempts.get(), "failed")
    api_clients.create(
        organization=world.organization, name=f"Shop of message {message.pk}"
    )
    BulkResend.objects.create(
        organization=world.organization, chosen=f"Message {message.pk}"
    )
    CountedDelivery.objects.create(
        organization=world.organization,
        message_id=message.pk,
        attempt_id=message.attempts.get().pk,
        person_name=f"Somebody of {world.organization}",
    )


def row_of(model: type[Model], world: World) -> Model:
    rows = model._default_manager.all()
    if model is Organization:
        return world.organization
    return rows.filter(organization=world.organization).order_by("pk")[0]


def url(model: type[Model], view: str, *args: object) -> str:
    name = f"{model._meta.app_label}_{model._meta.model_name}_{view}"
    return reverse(f"admin:{name}", args=args)


def text_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return response.content.decode()
