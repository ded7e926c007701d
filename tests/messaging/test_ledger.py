"""Whatever happens, in whatever order: no credit appears and none is lost."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.db.models import Exists, OuterRef
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messaging import credits, receipts
from messaging.audit import (
    figure_differences,
    ledger_differences,
    recovery_differences,
    tally_differences,
)
from messaging.channels.contract import Event, EventKind
from messaging.dispatch import pace
from messaging.dispatch.claim import claim
from messaging.dispatch.rescue import rescue
from messaging.dispatch.settle import Result, settle
from messaging.models import Attempt, CreditEntry, Integration, Message
from tests.factories import World, world

pytestmark = pytest.mark.django_db

PRICE = 3

steps = st.one_of(
    st.tuples(st.just("claim"), st.integers(1, 3)),
    st.tuples(st.just("settle"), st.sampled_from(["sent", "failed", "unknown"])),
    st.tuples(
        st.just("receipt"), st.sampled_from(["sent", "failed", "delivered", "read"])
    ),
    st.tuples(st.just("again"), st.just(0)),
    st.tuples(st.just("rescue"), st.just(0)),
    st.tuples(st.just("release"), st.just(0)),
    st.tuples(st.just("top up"), st.integers(1, 9)),
)


@pytest.fixture
def poor(db: None) -> World:
    return world("Poor", credits=10)


@given(story=st.lists(steps, min_size=4, max_size=25), choice=st.randoms())
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_story_leaves_the_ledger_without_drift(
    poor: World, story: list[tuple[str, object]], choice: object
) -> None:
    integration = poor.integration(credit_price=PRICE)
    pace.prepare(integration.pk)
    content = poor.text()
    for _ in range(4):
        poor.message(integration=integration, content=content)

    for verb, value in story:
        happen(poor, integration, verb, value, choice)
        account = poor.account
        assert min(account.available, account.held, account.owed) >= 0

    assert ledger_differences() == []
    assert tally_differences() == []
    assert recovery_differences() == []
    assert figure_differences() == []
    for attempt in Attempt.objects.filter(state__in=["delivered", "read"]):
        charges = CreditEntry.objects.filter(attempt_id=attempt.pk, step="charge")
        assert [entry.amount for entry in charges] == [PRICE]


def happen(
    poor: World, integration: Integration, verb: str, value: object, choice: object
) -> None:
    mine = Attempt.objects.filter(integration=integration)
    attempts = list(mine.order_by("pk"))
    one = choice.choice(attempts) if attempts else None  # type: ignore[attr-defined]
    match verb:
        case "claim":
            claim(integration, limit=int(str(value)))
        case "settle" if one is not None:
            code = "" if value == "sent" else "whatsapp:131000"
            settle(
                integration,
                [
                    Result(
                        one.pk,
                        str(value),
                        error_code=code,
                        error_class=code and "retry",
                    )
                ],
            )
        case "receipt" if one is not None:
            event = Event(
                key=str(uuid.uuid4()),
                kind=EventKind.STATUS,
                raw={},
                reference=f"{one.pk}:0",
                state=str(value),
            )
            receipts.store(integration, [event])
            receipts.apply()
        case "again":
            Message.objects.filter(integration=integration, state="failed").update(
                state="queued", due_at=timezone.now() - timedelta(minutes=1)
            )
        case "rescue":
            mine.filter(state="open").update(
                opened_at=timezone.now() - timedelta(hours=1)
            )
            rescue()
        case "release":
            mine.update(opened_at=timezone.now() - timedelta(days=31))
            credits.release_old_holds(poor.organization)
            settled = CreditEntry.objects.filter(step__in=["charge", "release"])
            assert not mine.filter(
                ~Exists(settled.filter(attempt_id=OuterRef("pk"))),
                state__in=["sent", "unknown"],
            ).exists()
        case "top up":
            poor.top_up(int(str(value)))
