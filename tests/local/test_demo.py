"""The demo is there as a whole, also when its first start was killed."""

from __future__ import annotations

from typing import Any

import pytest

from broadcasts.models import Broadcast, BroadcastState, Flow
from messaging.models import Contact, Content, Integration, Receipt, User
from resend_admin.local import demo, demo_members

pytestmark = pytest.mark.django_db


class KilledError(Exception):
    """What stands for a kill in the middle."""


def killed(*args: Any, **kwargs: Any) -> None:
    raise KilledError


@pytest.fixture(autouse=True)
def few_members(monkeypatch: pytest.MonkeyPatch) -> None:
    some = demo_members.members()[:60]
    monkeypatch.setattr(demo_members, "members", lambda: some)


def assert_complete() -> None:
    assert User.objects.count() == 3
    assert Integration.objects.count() == 5
    assert Contact.objects.count() == 60
    assert Contact.objects.exclude(whatsapp_inbound_at=None).exists()
    assert not Receipt.objects.filter(applied_at=None).exists()
    assert Flow.objects.filter(is_published=True).count() == 1
    states = Broadcast.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == [BroadcastState.SCHEDULED, BroadcastState.DRAFT]


def test_the_demo_is_made_once() -> None:
    assert demo.seed() is True
    assert demo.seed() is False
    assert_complete()


@pytest.mark.parametrize(
    "step",
    [
        "_people",
        "demo_integrations.add",
        "demo_integrations.point_at_sandbox",
        "_members",
        "_templates",
        "_flow",
        "_broadcasts",
    ],
)
def test_a_start_that_was_killed_is_made_up_for(
    monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(f"{demo.__name__}.{step}", killed)
        with pytest.raises(KilledError):
            demo.seed()
    assert not Contact.objects.exists()
    assert not Content.objects.exists()

    assert demo.seed() is True
    assert_complete()


def test_a_demo_that_people_use_is_left_as_it_is() -> None:
    demo.seed()
    Contact.objects.all().delete()
    Broadcast.objects.filter(state=BroadcastState.DRAFT).delete()

    assert demo.seed() is False

    assert not Contact.objects.exists()
    assert Broadcast.objects.count() == 1
