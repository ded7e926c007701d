"""Integrations that point at the sandbox, and claims without a network."""

from __future__ import annotations

import pytest

from messaging.dispatch import pace, pulse
from messaging.models import Integration
from resend_admin.sandbox.thread import Sandbox
from tests.factories import World


@pytest.fixture
def whatsapp(ours: World, sandbox: Sandbox) -> Integration:
    pulse.beat()
    made = ours.integration(settings={"base_url": sandbox.base_url("whatsapp_cloud")})
    pace.prepare(made.pk)
    return made


@pytest.fixture
def telegram(ours: World, sandbox: Sandbox) -> Integration:
    pulse.beat()
    made = ours.integration(
        "telegram_bot", settings={"base_url": sandbox.base_url("telegram_bot")}
    )
    pace.prepare(made.pk)
    return made
