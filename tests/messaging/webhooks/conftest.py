"""A receiver on this machine, and endpoints that lead to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from messaging.models import WebhookEndpoint
from tests.factories import World
from tests.messaging.webhooks.receiver import Receiver
from tests.messaging.webhooks.steps import endpoint_of


@pytest.fixture(autouse=True)
def inside_is_fine(settings: Settings) -> None:
    settings.FETCH_FROM_PRIVATE_ADDRESSES = True


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def endpoint(ours: World, receiver: Receiver) -> WebhookEndpoint:
    """An endpoint of ours that is told everything."""
    return endpoint_of(ours, receiver.url)[0]
