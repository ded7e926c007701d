"""What tests of bulk resends do: choose, look, confirm, work off, look it up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet

from messaging.bulk import freezing, running
from messaging.bulk import verdict as verdicts
from messaging.bulk.freezing import Order
from messaging.bulk.selection import Selection
from messaging.bulk.verdict import Verdict
from messaging.models import BulkResend, BulkResendRefusal, Message
from tests.factories import World

Fail = Callable[..., Message]


def chosen(
    world: World, messages: QuerySet[Message] | None = None, **values: Any
) -> Selection:
    own = Message.objects.filter(organization=world.organization)
    rows = own if messages is None else messages
    return Selection(rows, "All messages", **{"is_filter": True, **values})


def shown(world: World, selection: Selection | None = None) -> Verdict:
    return verdicts.verdict(selection or chosen(world), world.organization)


def frozen(
    world: World, selection: Selection | None = None, **values: Any
) -> BulkResend:
    selection = selection or chosen(world)
    seen = shown(world, selection)
    outcome = freezing.freeze(
        selection,
        world.organization,
        Order(world.editor, seen.shown_at, seen.candidates, **values),
    )
    assert isinstance(outcome, BulkResend), outcome
    return outcome


def worked_off(bulk: BulkResend) -> BulkResend:
    running.run()
    bulk.refresh_from_db()
    return bulk


def answers(bulk: BulkResend) -> dict[int, tuple[str, str]]:
    items = bulk.items.values_list("message_id", "state", "code")
    return {message_id: (state, code) for message_id, state, code in items}


def counts_match_items(bulk: BulkResend) -> None:
    states = Counter(bulk.items.values_list("state", flat=True))
    assert bulk.total == sum(states.values())
    assert bulk.queued_count == states["queued"]
    assert bulk.refused_count == states["refused"]
    assert bulk.cancelled_count == states["cancelled"]
    causes = Counter(
        bulk.items.exclude(code="").values_list("code", "cause", named=False)
    )
    kept = {
        (one.code, one.cause): one.count
        for one in BulkResendRefusal.objects.filter(bulk=bulk)
    }
    assert kept == causes
