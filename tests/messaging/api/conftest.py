"""An organization that sends by WhatsApp, and programs with and without rights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from messaging.dispatch import pace
from messaging.models import ApiAccess, Integration, Message
from resend_admin.sandbox.thread import Sandbox
from tests.factories import World
from tests.messaging.api.callers import Caller, caller, settled

Fail = Callable[..., Message]


@pytest.fixture
def whatsapp(ours: World, sandbox: Sandbox) -> Integration:
    made = ours.integration(settings={"base_url": sandbox.base_url("whatsapp_cloud")})
    pace.prepare(made.pk)
    return made


@pytest.fixture
def writer(ours: World) -> Caller:
    return caller(ours)


@pytest.fixture
def reader(ours: World) -> Caller:
    return caller(ours, ApiAccess.READ)


@pytest.fixture
def nobody(ours: World) -> Caller:
    return caller(ours, ApiAccess.NONE)


@pytest.fixture
def stranger(theirs: World) -> Caller:
    return caller(theirs)


@pytest.fixture
def failed(ours: World, whatsapp: Integration) -> Fail:
    """Make a message that has failed, or ended in another state."""

    def make(state: str = "failed", last_digits: str = "", **values: Any) -> Message:
        error = {
            name: values.pop(name) for name in ("code", "error_class") if name in values
        }
        if "contact" not in values:
            values["contact"] = ours.contact(last_digits)
        message = ours.message(integration=whatsapp, **values)
        done = settled(whatsapp, message, state, **error)
        ours.rest()
        return done

    return make
