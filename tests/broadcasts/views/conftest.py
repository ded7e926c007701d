"""A browser for each person of the two organizations."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from messaging.models import User
from tests.factories import World

LogIn = Callable[[User], Client]


@pytest.fixture
def log_in() -> LogIn:
    def open_browser(person: User) -> Client:
        client = Client()
        client.force_login(person)
        return client

    return open_browser


@pytest.fixture
def agent(ours: World, log_in: LogIn) -> Client:
    return log_in(ours.agent)


@pytest.fixture
def editor(ours: World, log_in: LogIn) -> Client:
    return log_in(ours.editor)


@pytest.fixture
def stranger(theirs: World, log_in: LogIn) -> Client:
    return log_in(theirs.admin)
