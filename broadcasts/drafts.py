"""Drafts: made, copied, thrown away. Nothing here sends."""

from __future__ import annotations

from django.db import transaction

from broadcasts import access, record
from broadcasts.audience import Audience
from broadcasts.clock import check_order, local_moment, zone
from broadcasts.fields import (
    NAME_LENGTH,
    BroadcastFields,
    checked_kind,
    checked_name,
    fields_of,
    found_flow,
    replace_routes,
)
from broadcasts.models import Broadcast, BroadcastState
from broadcasts.problems import conflict
from broadcasts.quota import take_slot
from messaging.models import ApiClient, Organization, User


@transaction.atomic
def create_draft(
    *,
    organization: Organization,
    person: User | None,
    fields: BroadcastFields,
    client: ApiClient | None = None,
) -> Broadcast:
    """Make a draft. It takes one slot of the quota and may still be incomplete."""
    draft = new_draft(organization, person, fields)
    sentence = f"Wrote the draft “{draft.name}”."
    record.note(draft, sentence, person=person, client=client)
    return draft


def new_draft(
    organization: Organization, person: User | None, fields: BroadcastFields
) -> Broadcast:
    """Make a draft that nothing tells of yet. Belongs into a transaction."""
    access.require_writer(person, organization.pk)
    draft = Broadcast(organization=organization, created_by=person)
    write_fields(draft, fields)
    take_slot(organization.pk)
    draft.save()
    replace_routes(draft, fields.routes, fields.fallbacks)
    return draft


def write_fields(broadcast: Broadcast, fields: BroadcastFields) -> None:
    """Put checked values on an unsaved or locked broadcast; save nothing."""
    kind = checked_kind(fields.kind)
    zone(fields.time_zone)
    broadcast.name = checked_name(fields.name)
    broadcast.kind = kind
    broadcast.flow = found_flow(broadcast.organization, kind, fields.flow_id)
    broadcast.audience = fields.audience.to_json()
    broadcast.time_zone = fields.time_zone
    broadcast.run_at = (
        local_moment(fields.run_at, fields.time_zone) if fields.run_at else None
    )
    broadcast.expires_at = (
        local_moment(fields.expires_at, fields.time_zone, "expires_at")
        if fields.expires_at
        else None
    )
    check_order(broadcast.run_at, broadcast.expires_at)


@transaction.atomic
def clone(
    *, broadcast: Broadcast, person: User | None, client: ApiClient | None = None
) -> Broadcast:
    """Make a draft of the same flow or templates, routes and audience.

    The copy of a retry gets the filter of the broadcast that began its chain.
    """
    access.require_writer(person, broadcast.organization_id)
    first = broadcast.root or broadcast
    source = fields_of(broadcast)
    fields = BroadcastFields(
        name=f"Copy of {broadcast.name}"[:NAME_LENGTH],
        kind=source.kind,
        flow_id=source.flow_id,
        routes=source.routes,
        fallbacks=source.fallbacks,
        audience=Audience.from_json(first.audience),
        time_zone=source.time_zone,
    )
    copy = new_draft(broadcast.organization, person, fields)
    sentence = f"Copied “{broadcast.name}” into the draft “{copy.name}”."
    record.note(copy, sentence, person=person, client=client)
    return copy


def delete_draft(
    *, broadcast: Broadcast, person: User | None, client: ApiClient | None = None
) -> None:
    """Throw a draft away; refuse what was ever scheduled, for its history stays."""
    access.require_writer(person, broadcast.organization_id)
    with transaction.atomic():
        draft = (
            Broadcast.objects.select_for_update()
            .filter(pk=broadcast.pk, state=BroadcastState.DRAFT)
            .first()
        )
        if draft is None:
            raise conflict(
                "Only drafts are deleted, and this is not one any more. Cancel it"
                " instead if it should not run."
            )
        sentence = f"Deleted the draft “{draft.name}”."
        record.note(draft, sentence, person=person, client=client, is_gone=True)
        draft.delete()
