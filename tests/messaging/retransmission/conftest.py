"""A device gateway of ours, played by the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from messaging.models import InboundMessage, Integration
from resend_admin.sandbox.thread import Sandbox
from tests.factories import World
from tests.messaging.retransmission.steps import Phone


@pytest.fixture
def gateway(ours: World, sandbox: Sandbox) -> Integration:
    return ours.integration(
        "device_gateway",
        name="Front desk",
        settings={"base_url": sandbox.base_url("device_gateway")},
    )


@pytest.fixture
def phone(gateway: Integration, sandbox: Sandbox, live_server: LiveServer) -> Phone:
    """The phone behind the gateway, whose events reach the real hook over HTTP."""
    sandbox.register_hook(
        "gateway",
        "device",
        f"{live_server.url}/hooks/{gateway.uid}",
        gateway.credentials["webhook_secret"],
    )
    return Phone(gateway, sandbox)


Unread = Callable[..., InboundMessage]


@pytest.fixture
def unread(gateway: Integration) -> Unread:
    """Make a message that could not be read."""

    def make(message_id: str = "3EB0A1", **values: Any) -> InboundMessage:
        from tests.messaging.retransmission.steps import unread_message

        return unread_message(values.pop("integration", gateway), message_id, **values)

    return make
