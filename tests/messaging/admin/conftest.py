"""A manager of the first organization, and an operator of the server."""

from __future__ import annotations

import pytest
from django.test import Client

from messaging.models import User
from tests.factories import World
from tests.messaging.admin.rows import browser


@pytest.fixture
def manager(ours: World) -> Client:
    return browser(ours.admin)


@pytest.fixture
def operator(db: None) -> Client:
    return browser(User.objects.create_superuser("operator"))
