"""Whoever may ask: people of both organizations, and programs."""

from __future__ import annotations

import pytest

from messaging.models import ApiAccess
from tests.broadcasts.graphql.asking import Asker, person, program
from tests.factories import World
from tests.messaging.api.callers import caller


@pytest.fixture
def agent(ours: World) -> Asker:
    return person(ours.agent)


@pytest.fixture
def editor(ours: World) -> Asker:
    return person(ours.editor)


@pytest.fixture
def stranger(theirs: World) -> Asker:
    return person(theirs.admin)


@pytest.fixture
def writer(ours: World) -> Asker:
    return program(caller(ours))


@pytest.fixture
def reader(ours: World) -> Asker:
    return program(caller(ours, ApiAccess.READ))
