"""Everything at once: pages, worker, beat, and the providers' stand-ins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from broadcasts.models import Broadcast, BroadcastKind, Flow, Route
from broadcasts.models.broadcast import BroadcastState
from messaging.dispatch import pulse
from messaging.models import Content, Integration
from resend_admin.sandbox.thread import Sandbox
from tests.factories import World
from tests.journeys.engine import Engine


@pytest.fixture
def public_url(live_server: LiveServer, settings: Settings) -> str:
    settings.PUBLIC_URL = live_server.url
    return live_server.url


@pytest.fixture
def engine(public_url: str, tmp_path: Path) -> Iterator[Engine]:
    pulse.beat()
    with Engine(tmp_path, public_url) as running:
        yield running


@dataclass
class Club:
    """An organization that is ready to send a flow by WhatsApp."""

    world: World
    whatsapp: Integration
    flow: Flow

    def due_broadcast(self, name: str) -> Broadcast:
        """Make a broadcast that is due now; people have to wait two minutes."""
        broadcast = self.world.broadcast(
            BroadcastState.SCHEDULED,
            name=name,
            kind=BroadcastKind.FLOW,
            flow=self.flow,
            created_by=self.world.editor,
        )
        Route.objects.create(
            broadcast=broadcast, role="route", position=1, integration=self.whatsapp
        )
        return broadcast

    def members(self, number: int, last_digits: str = "") -> None:
        for _ in range(number):
            self.world.contact(last_digits, whatsapp_inbound_at=timezone.now())


@pytest.fixture
def club(ours: World, theirs: World, sandbox: Sandbox, public_url: str) -> Club:
    integration = ours.integration(
        settings={"base_url": sandbox.base_url("whatsapp_cloud")},
        rate_per_second=100,
    )
    sandbox.register_hook(
        "whatsapp",
        integration.settings["phone_number_id"],
        integration.hook_url,
        integration.credentials["app_secret"],
    )
    theirs.contact(whatsapp_inbound_at=timezone.now() - timedelta(hours=1))
    part = {"kind": "text", "payload": {"text": "Hello {{first_name}}"}}
    content = Content.objects.create(
        organization=ours.organization, kind="flow", payload={"parts": [part]}
    )
    flow = Flow.objects.create(
        organization=ours.organization,
        name="Newsletter",
        published_content=content,
        is_published=True,
    )
    return Club(ours, integration, flow)
