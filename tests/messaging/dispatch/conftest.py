"""Integrations that point at the sandbox, and claims without a network."""

from __future__ import annotations

import pytest

from messaging.dispatch import pulse
from messaging.models import Integration
from resend_admin.sandbox.thread import Sandbox
from tests.factories import World


@pytest.fixture
def whatsapp(ours: World, sandbox: Sandbox) -> Integration:
    pulse.beat()
    return ours.integration(settings={"base_url": sandbox.base_url("whatsapp_cloud")})


@pytest.fixture
def telegram(ours: World, sandbox: Sandbox) -> Integration:
    pulse.beat()
    return ours.integration(
        "telegram_bot", settings={"base_url": sandbox.base_url("telegram_bot")}
    )
