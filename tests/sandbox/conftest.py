from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from resend_admin.sandbox.thread import Sandbox
from tests.sandbox.receiver import Receiver
from tests.sandbox.senders import NUMBER_ID

APP_SECRET = "app-secret"


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox in a hurry: what takes 30 s takes 0.3 s."""
    log = tmp_path / "sandbox.jsonl"
    with Sandbox(log=log, delivery_delay=0.02, pace=0.01) as running:
        yield running


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def hooked(sandbox: Sandbox, receiver: Receiver) -> Sandbox:
    """A sandbox that posts WhatsApp's receipts to the receiver."""
    sandbox.register_hook("whatsapp", NUMBER_ID, f"{receiver.url}/hooks/a", APP_SECRET)
    return sandbox
