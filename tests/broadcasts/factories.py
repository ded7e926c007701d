"""Broadcasts that stand where a test needs them, made by the services."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from broadcasts import drafts, flows, retry, retrying, run, schedule
from broadcasts.audience import Audience
from broadcasts.fields import BroadcastFields, RouteSpec
from broadcasts.models import Broadcast, BroadcastKind, Flow
from broadcasts.problems import Problem
from messaging.channels import catalogue
from messaging.models import (
    Contact,
    Content,
    Integration,
    Message,
    MessageState,
    SkipReason,
)
from tests.factories import World

SOON = timedelta(minutes=5)
LATER = timedelta(days=1)
TIMED_OUT = "whatsapp:131016"
BLOCKED = "telegram:403:blocked"


NOWHERE = {"phone": "", "email": "", "telegram_chat_id": ""}


def refusal(call: Callable[[], object]) -> Problem:
    """Return how the call is refused; that it is refused is part of the test."""
    with pytest.raises(Problem) as caught:
        call()
    return caught.value


def only(rows: QuerySet[Message], place: int) -> QuerySet[Message]:
    """One of the rows, as something that can be updated."""
    return Message.objects.filter(pk=list(rows)[place].pk)


def age(broadcast: Broadcast, days: int = 31) -> None:
    """Let a broadcast have run so many days ago."""
    long_ago = timezone.now() - timedelta(days=days)
    rows_of(broadcast).update(created_at=long_ago)
    Broadcast.objects.filter(pk=broadcast.pk).update(started_at=long_ago)


def route(integration: Integration, content: Content | None = None) -> RouteSpec:
    return RouteSpec(integration.pk, content.pk if content else None)


def template_fields(world: World, **values: Any) -> BroadcastFields:
    """Fields that can be scheduled: one template by one WhatsApp number."""
    if "routes" not in values:
        values["routes"] = [route(world.integration(), world.template())]
    return BroadcastFields(
        **{"name": "Renewal", "kind": BroadcastKind.TEMPLATE, **values}
    )


def draft(world: World, **values: Any) -> Broadcast:
    return drafts.create_draft(
        organization=world.organization,
        person=world.editor,
        fields=template_fields(world, **values),
    )


def scheduled(world: World, **values: Any) -> Broadcast:
    made = draft(world, **values)
    return schedule.schedule(
        broadcast=made,
        person=world.editor,
        run_at=timezone.now() + SOON,
        time_zone="UTC",
    )


def published_flow(world: World, *contents: Content, name: str = "Welcome") -> Flow:
    flow = Flow.objects.create(organization=world.organization, name=name)
    flows.save_steps(
        flow=flow, person=world.editor, contents=contents or [world.text()]
    )
    flows.publish(flow=flow, person=world.editor)
    return flow


def flow_fields(world: World, flow: Flow, **values: Any) -> BroadcastFields:
    values.setdefault("routes", [route(world.integration())])
    return BroadcastFields(
        **{
            "name": "Welcome",
            "kind": BroadcastKind.FLOW,
            "flow_id": flow.pk,
            **values,
        }
    )


def flow_broadcast(world: World, flow: Flow | None = None, **values: Any) -> Broadcast:
    """A scheduled broadcast of a flow, by one WhatsApp number if nothing else."""
    flow = flow or published_flow(world)
    made = drafts.create_draft(
        organization=world.organization,
        person=world.editor,
        fields=flow_fields(world, flow, **values),
    )
    return schedule.schedule(
        broadcast=made,
        person=world.editor,
        run_at=timezone.now() + SOON,
        time_zone="UTC",
    )


def make_due(broadcast: Broadcast) -> None:
    Broadcast.objects.filter(pk=broadcast.pk).update(
        run_at=timezone.now() - timedelta(seconds=1)
    )


def started(broadcast: Broadcast) -> Broadcast:
    """Let a scheduled broadcast begin; its rows are made, and none is sent."""
    make_due(broadcast)
    run.tick()
    broadcast.refresh_from_db()
    return broadcast


def rows_of(broadcast: Broadcast) -> QuerySet[Message]:
    return Message.objects.filter(broadcast_id=broadcast.pk).order_by("pk")


def stand(rows: QuerySet[Message], state: str, code: str = TIMED_OUT) -> None:
    """Put rows where the engine or a receipt would leave them."""
    now = timezone.now()
    values: dict[str, Any] = {
        "state": state,
        "state_at": now,
        "due_at": None,
        "error_code": "",
        "error_class": "",
        "reason": "",
        "delivered_at": None,
    }
    match state:
        case MessageState.FAILED:
            error_class = catalogue.lookup(code).error_class
            values |= {"error_code": code, "error_class": error_class}
        case MessageState.DELIVERED | MessageState.READ:
            values |= {"delivered_at": now, "sent_at": now}
        case MessageState.CANCELLED:
            values["reason"] = SkipReason.CANCELLED
        case MessageState.SKIPPED:
            values["reason"] = SkipReason.OPTED_OUT
        case MessageState.QUEUED:
            values["due_at"] = now
    values["attempt_count"] = 1
    Message.objects.filter(pk__in=list(rows.values_list("pk", flat=True))).update(
        **values
    )


def outcomes(broadcast: Broadcast, *states: str) -> list[Message]:
    """Give the rows these states, in their order, and let the broadcast end."""
    made = list(rows_of(broadcast))
    assert len(made) == len(states)
    for message, state in zip(made, states, strict=True):
        stand(Message.objects.filter(pk=message.pk), state)
    run.tick()
    broadcast.refresh_from_db()
    return list(rows_of(broadcast))


def finished(world: World, *states: str, **values: Any) -> Broadcast:
    """A broadcast that ran to one new member per state, and ended so."""
    members = [world.contact() for _ in states]
    tag = f"of {members[0].pk}"
    Contact.objects.filter(pk__in=[one.pk for one in members]).update(tags=[tag])
    made = started(scheduled(world, audience=Audience(tags=(tag,)), **values))
    outcomes(made, *states)
    return made


def retried(
    source: Broadcast,
    world: World,
    *,
    include_unknown: bool = False,
    ahead: timedelta = SOON,
) -> Broadcast:
    """A retry of everybody that the dialog shows, not started yet."""
    offer = retry.offer(source, include_unknown=include_unknown)
    return retrying.create(
        broadcast=source,
        person=world.editor,
        run_at=timezone.now() + ahead,
        time_zone="UTC",
        shown_count=offer.count,
        shown_at=offer.shown_at,
        include_unknown=include_unknown,
    )


def states_of(broadcast: Broadcast) -> Sequence[str]:
    return list(rows_of(broadcast).values_list("state", flat=True))
