"""When a broadcast runs, what may still be changed, and taking it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models.functions import Now

from broadcasts import access, record, settling
from broadcasts.clock import (
    check_lead,
    check_order,
    checked_start,
    local_day,
    local_moment,
)
from broadcasts.drafts import new_draft, write_fields
from broadcasts.fields import (
    BroadcastFields,
    RouteSpec,
    check_any_route,
    checked_name,
    replace_routes,
    specs_of,
)
from broadcasts.models import Broadcast, BroadcastKind, BroadcastState, RouteRole
from broadcasts.models.broadcast import LIVE_STATES, QUOTA_STATES
from broadcasts.patience import wait_longer
from broadcasts.problems import Problem, bad_input, conflict
from messaging.channels.contract import ContentKind
from messaging.dispatch import waiting
from messaging.models import (
    ApiClient,
    Content,
    Message,
    MessageState,
    Organization,
    User,
)
from messaging.trail import Change

CANCEL_BATCHES = 4
"""Batches of waiting rows taken back within the request; the tick does the rest."""


def locked(broadcast: Broadcast) -> Broadcast:
    """Return the broadcast as it is now, with its row held until the commit."""
    return (
        Broadcast.objects.select_for_update(no_key=True, of=("self",))
        .select_related("organization", "flow")
        .get(pk=broadcast.pk)
    )


@transaction.atomic
def create(
    *,
    organization: Organization,
    person: User | None,
    fields: BroadcastFields,
    client: ApiClient | None = None,
) -> Broadcast:
    """Make a broadcast that is complete, and schedule it."""
    made = new_draft(organization, person, fields)
    _take_time(made, fields)
    made.save()
    _note_scheduled(made, person, client)
    return made


@transaction.atomic
def schedule(
    *,
    broadcast: Broadcast,
    person: User | None,
    run_at: datetime,
    time_zone: str,
    client: ApiClient | None = None,
) -> Broadcast:
    """Give a draft its time, or a scheduled broadcast another one.

    A naive ``run_at`` is the wall clock of ``time_zone``.
    """
    access.require_writer(person, broadcast.organization_id)
    held = locked(broadcast)
    _require_editable(held)
    was_draft, before = held.state == BroadcastState.DRAFT, record.when(held)
    _set_time(held, run_at, time_zone)
    require_complete(held)
    held.state = BroadcastState.SCHEDULED
    held.save()
    if was_draft:
        _note_scheduled(held, person, client)
    elif before != (after := record.when(held)):
        changes = [("runs", before, after)]
        sentence = f"Moved “{held.name}” to another time."
        record.note(held, sentence, person=person, client=client, changes=changes)
    return held


def edit(
    *,
    broadcast: Broadcast,
    person: User | None,
    fields: BroadcastFields,
    client: ApiClient | None = None,
    is_ready: bool = False,
) -> Broadcast:
    """Change a draft or a scheduled broadcast; a draft that ``is_ready`` gets its time.

    The kind of a scheduled one stays. Of a retry only the name, the time, the
    routes and the fallbacks change: its members and content are frozen.
    """
    access.require_writer(person, broadcast.organization_id)
    with transaction.atomic():
        held = locked(broadcast)
        _require_editable(held)
        before, runs_at = record.described(held), held.run_at
        if held.is_retry:
            held.name = checked_name(fields.name)
        else:
            _require_same_kind(held, fields)
            write_fields(held, fields)
        if held.state == BroadcastState.SCHEDULED:
            held.run_at = runs_at
            _set_time(held, checked_start(fields.run_at), fields.time_zone)
        if held.is_retry and _routes_differ(held, fields.routes, fields.fallbacks):
            held.routes_changed = True
        held.save()
        replace_routes(held, fields.routes, fields.fallbacks)
        is_scheduled_now = is_ready and held.state == BroadcastState.DRAFT
        if is_scheduled_now:
            _take_time(held, fields)
            held.save()
        elif held.state == BroadcastState.SCHEDULED:
            require_complete(held)
        changes = record.differences(before, record.described(held))
        if is_scheduled_now:
            _note_scheduled(held, person, client, changes)
        elif changes:
            sentence = f"Changed “{before['name']}”."
            record.note(held, sentence, person=person, client=client, changes=changes)
    return held


def _take_time(draft: Broadcast, fields: BroadcastFields) -> None:
    """Let a draft that is held, and has its routes, run at the time of the fields."""
    _set_time(draft, checked_start(fields.run_at), fields.time_zone)
    require_complete(draft)
    draft.state = BroadcastState.SCHEDULED


def _note_scheduled(
    broadcast: Broadcast,
    person: User | None,
    client: ApiClient | None,
    changes: Sequence[Change] = (),
) -> None:
    when = record.when(broadcast)
    sentence = f"Scheduled “{broadcast.name}” for {when}."
    others = [one for one in changes if one[0] != "runs"]
    record.note(broadcast, sentence, person=person, client=client, changes=others)


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether a button works, and why not."""

    enabled: bool
    reason: str = ""


def may_edit_routes(broadcast: Broadcast) -> Permission:
    """Whether routes and fallbacks may be changed (now), for page and service."""
    match broadcast.state:
        case BroadcastState.DRAFT | BroadcastState.SCHEDULED:
            return Permission(True)
        case BroadcastState.SENDING:
            return Permission(False, "It is sending, so nothing is changed any more.")
        case BroadcastState.FAILED:
            return Permission(False, "It could not run. Clone it and edit the copy.")
    if broadcast.retries.filter(started_at__isnull=False).exists():
        return Permission(
            False,
            "A retry of it has started, so its routes stay as they are."
            " Clone it and edit the copy.",
        )
    return Permission(True)


def edit_routes(
    *,
    broadcast: Broadcast,
    person: User | None,
    routes: Sequence[RouteSpec],
    fallbacks: Sequence[RouteSpec],
    client: ApiClient | None = None,
) -> Broadcast:
    """Change routes and fallbacks, also of a finished broadcast before its retry.

    A retry that is scheduled takes the change over. What was sent stands in its
    messages and does not change.
    """
    access.require_writer(person, broadcast.organization_id)
    with transaction.atomic():
        held = locked(broadcast)
        retries = list(
            held.retries.select_for_update(no_key=True)
            .filter(state__in=LIVE_STATES)
            .order_by("pk")
        )
        allowed = may_edit_routes(held)
        if not allowed.enabled:
            raise conflict(allowed.reason)
        before = record.described(held)
        for one in (held, *retries):
            changed = _routes_differ(one, routes, fallbacks)
            replace_routes(one, routes, fallbacks)
            if one.state != BroadcastState.DRAFT:
                require_complete(one)
            if changed:
                one.routes_changed = True
                one.save(update_fields=["routes_changed"])
        changes = record.differences(before, record.described(held))
        if changes:
            sentence = f"Changed the routes of “{held.name}”."
            record.note(held, sentence, person=person, client=client, changes=changes)
    return held


def cancel(
    *, broadcast: Broadcast, person: User | None, client: ApiClient | None = None
) -> Broadcast:
    """Stop a scheduled or sending broadcast; what has left stays.

    From the commit on nothing more is prepared. Waiting rows are taken back in
    batches: the first of them here, the rest, and whatever an open attempt puts
    back in the queue, by the tick.
    """
    access.require_writer(person, broadcast.organization_id)
    live = Broadcast.objects.filter(pk=broadcast.pk, state__in=LIVE_STATES)
    with transaction.atomic():
        changed = live.update(
            state=BroadcastState.CANCELLED,
            finished_at=Now(),
            is_settling=True,
            routes_changed=False,
        )
        broadcast.refresh_from_db()
        if not changed:
            raise _not_cancellable(broadcast)
        waiting.end(broadcast.organization_id, broadcast.pk)
        sentence = f"Cancelled “{broadcast.name}”."
        record.note(broadcast, sentence, person=person, client=client)
    settling.take_back(broadcast, batches=CANCEL_BATCHES)
    broadcast.refresh_from_db()
    return broadcast


def _not_cancellable(broadcast: Broadcast) -> Problem:
    if broadcast.state == BroadcastState.DRAFT:
        return conflict("This is a draft, so there is nothing to cancel. Delete it.")
    state = broadcast.get_state_display().lower()
    return conflict(f"It is too late to cancel: the broadcast is already {state}.")


def require_complete(broadcast: Broadcast) -> None:
    """Refuse to schedule what could not send anything."""
    routes = list(
        broadcast.routes.filter(role=RouteRole.ROUTE).select_related("integration")
    )
    check_any_route(routes)
    content = _flow_content(broadcast)
    if content is None:
        return
    for route in routes:
        refusals = route.integration.provider.refusals(content.kind, content.payload)
        if refusals:
            raise bad_input(f"{route.integration.name}: {refusals[0]}", "routes")


def _flow_content(broadcast: Broadcast) -> Content | None:
    if broadcast.kind != BroadcastKind.FLOW:
        return None
    content = broadcast.content
    if content is None and broadcast.flow is not None:
        content = broadcast.flow.published_content
    if content is not None and content.kind != ContentKind.FLOW:
        return None
    return content


def _require_editable(broadcast: Broadcast) -> None:
    if broadcast.state not in QUOTA_STATES:
        state = broadcast.get_state_display().lower()
        raise conflict(
            f"It cannot be changed any more: the broadcast is {state}."
            " Clone it and edit the copy."
        )


def _require_same_kind(broadcast: Broadcast, fields: BroadcastFields) -> None:
    if broadcast.state == BroadcastState.SCHEDULED and broadcast.kind != fields.kind:
        raise bad_input(
            "A scheduled broadcast keeps its kind. Clone it and change the copy.",
            "kind",
        )


def _set_time(broadcast: Broadcast, run_at: datetime, time_zone: str) -> None:
    moment = local_moment(run_at, time_zone)
    if broadcast.state == BroadcastState.DRAFT or moment != broadcast.run_at:
        check_lead(moment, time_zone)
    check_order(moment, broadcast.expires_at)
    broadcast.run_at = moment
    broadcast.time_zone = time_zone
    if broadcast.is_retry:
        wait_longer()
        Message.objects.filter(
            broadcast_id=broadcast.pk, state=MessageState.PLANNED
        ).update(due_at=moment, day=local_day(moment, broadcast.organization.time_zone))


def _routes_differ(
    broadcast: Broadcast, routes: Sequence[RouteSpec], fallbacks: Sequence[RouteSpec]
) -> bool:
    return specs_of(broadcast, RouteRole.ROUTE) != tuple(routes) or specs_of(
        broadcast, RouteRole.FALLBACK
    ) != tuple(fallbacks)
