"""Flows: steps are edited at will, published content never changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import transaction

from broadcasts import access, record
from broadcasts.models import Broadcast, BroadcastState, Flow, FlowStep
from broadcasts.problems import bad_input, not_found
from messaging.channels import PROVIDERS
from messaging.channels.contract import ContentKind
from messaging.dispatch.waiting import skip_waiting
from messaging.models import Content, SkipReason, User

MOST_STEPS = 15
"""What a message can keep track of, part by part."""
BATCH = 5_000
UNPUBLISH_BATCHES = 4
"""Batches of waiting rows skipped within the request; the tick does the rest."""
SKIPPED = SkipReason.FLOW_UNPUBLISHED


def save_steps(*, flow: Flow, person: User | None, contents: Sequence[Content]) -> None:
    """Replace the steps, in the order given. What is published stays as it is."""
    access.require_writer(person, flow.organization_id)
    for content in contents:
        if content.organization_id != flow.organization_id:
            raise not_found("content")
        if content.kind == ContentKind.FLOW:
            raise bad_input("A flow cannot be a step of a flow.", "steps")
    with transaction.atomic():
        Flow.objects.select_for_update(no_key=True).get(pk=flow.pk)
        flow.steps.all().delete()
        FlowStep.objects.bulk_create(
            FlowStep(flow=flow, position=position, content=content)
            for position, content in enumerate(contents, start=1)
        )


def publish(*, flow: Flow, person: User | None) -> Content:
    """Let the steps, as they are now, be sent from now on."""
    access.require_writer(person, flow.organization_id)
    with transaction.atomic():
        content = freeze(flow)
        record.note_flow(flow, f"Published the flow “{flow.name}”.", person)
    return content


def freeze(flow: Flow) -> Content:
    """Make one content of the steps, which is sent from now on.

    Broadcasts that have started keep the content they started with. Refuses a
    flow that no provider could carry.
    """
    with transaction.atomic():
        Flow.objects.select_for_update(no_key=True).get(pk=flow.pk)
        steps = FlowStep.objects.filter(flow=flow).select_related("content")
        parts = [
            {"kind": step.content.kind, "payload": step.content.payload}
            for step in steps.order_by("position")
        ]
        if not parts:
            raise bad_input("Add at least one step before you publish.", "steps")
        if len(parts) > MOST_STEPS:
            raise bad_input(
                f"Shorten the flow to {MOST_STEPS} steps; it has {len(parts)}.", "steps"
            )
        payload: dict[str, object] = {"parts": parts}
        _require_carrier(payload)
        content = Content.objects.create(
            organization_id=flow.organization_id,
            kind=ContentKind.FLOW,
            name=flow.name,
            payload=payload,
        )
        flow.published_content = content
        flow.is_published = True
        flow.save(update_fields=["published_content", "is_published"])
    return content


def unpublish(*, flow: Flow, person: User | None) -> None:
    """Stop sending the flow: whoever it has not left to yet is skipped.

    The first rows here, the rest by the tick.
    """
    access.require_writer(person, flow.organization_id)
    flow.is_published = False
    with transaction.atomic():
        flow.save(update_fields=["is_published"])
        record.note_flow(flow, f"Stopped sending the flow “{flow.name}”.", person)
    with transaction.atomic():
        # A page that is being filled began while the flow was published; its rows
        # are there once the broadcast can be held. Later pages see the flow as it is.
        held = Broadcast.objects.select_for_update(no_key=True).order_by("pk")
        sending = [
            one.pk for one in held.filter(flow=flow, state=BroadcastState.SENDING)
        ]
    _skip(sending, batches=UNPUBLISH_BATCHES)


def skip_unpublished(*, batches: int) -> None:
    """Go on skipping what waits in broadcasts whose flow was unpublished."""
    sending = Broadcast.objects.filter(
        flow__is_published=False, state=BroadcastState.SENDING
    )
    for broadcast_id in sending.order_by("pk").values_list("pk", flat=True)[:100]:
        _skip([broadcast_id], batches=batches)


def _skip(broadcast_ids: Iterable[int], *, batches: int) -> None:
    """Skip up to so many batches, of all these broadcasts together."""
    for broadcast_id in broadcast_ids:
        while batches:
            batches -= 1
            if skip_waiting(broadcast_id, reason=SKIPPED, limit=BATCH) < BATCH:
                break


def _require_carrier(payload: dict[str, object]) -> None:
    """Refuse what not a single provider takes; a route may still be choosier."""
    refusals = [one.refusals(ContentKind.FLOW, payload) for one in PROVIDERS.values()]
    if all(refusals):
        raise bad_input(refusals[0][0], "steps")
