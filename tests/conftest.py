"""The servers of the test run stand before Django reads its settings."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import django
import pytest

from resend_admin.local.servers import for_tests
from resend_admin.sandbox.thread import Sandbox

if TYPE_CHECKING:
    from tests.factories import World

os.environ.update(for_tests())
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resend_admin.settings")
django.setup()


@pytest.fixture
def ours(db: None) -> World:
    """The organization that a test acts for."""
    from tests.factories import world

    return world("Ours")


@pytest.fixture
def theirs(db: None) -> World:
    """The other organization, which a test must never meet."""
    from tests.factories import world

    return world("Theirs")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running
