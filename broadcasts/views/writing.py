"""From a filled-in form to a broadcast: one transaction, all of it or nothing."""

from __future__ import annotations

from django.db import transaction

from broadcasts import drafts, flows, schedule
from broadcasts.forms import BroadcastForm
from broadcasts.forms.broadcast import TEXT
from broadcasts.models import Broadcast, BroadcastState, Flow
from broadcasts.problems import bad_input
from messaging.channels.contract import ContentKind
from messaging.models import Content, Organization, User

FLOW_NAME_LENGTH = 100


@transaction.atomic
def write(
    form: BroadcastForm,
    *,
    broadcast: Broadcast | None,
    organization: Organization,
    person: User,
    is_ready: bool,
) -> Broadcast:
    """Save a valid form as a draft or, when it ``is_ready``, scheduled.

    Raise ``Problem`` when a service refuses; nothing is kept then, the flow of a
    new text included.
    """
    flow_id = _flow_of_text(form, organization, person) if form.source == TEXT else None
    fields = form.fields_with(flow_id)
    if broadcast is None:
        saved = drafts.create_draft(
            organization=organization, person=person, fields=fields
        )
    else:
        saved = schedule.edit(broadcast=broadcast, person=person, fields=fields)
    if not is_ready or saved.state != BroadcastState.DRAFT:
        return saved
    if fields.run_at is None:
        raise bad_input("Choose when it runs.", "run_at")
    return schedule.schedule(
        broadcast=saved,
        person=person,
        run_at=fields.run_at,
        time_zone=fields.time_zone,
    )


def _flow_of_text(form: BroadcastForm, organization: Organization, person: User) -> int:
    """Publish the text as a flow of one step; return the flow's id."""
    text = Content.objects.create(
        organization=organization, kind=ContentKind.TEXT, payload=form.text_payload
    )
    flow = _new_flow(organization, form.cleaned_data["name"])
    flows.save_steps(flow=flow, person=person, contents=[text])
    flows.publish(flow=flow, person=person)
    return flow.pk


def _new_flow(organization: Organization, name: str) -> Flow:
    """Make a flow of this name, with a number behind it when the name is taken."""
    number = 1
    while True:
        suffix = f" ({number})" if number > 1 else ""
        free = f"{name[: FLOW_NAME_LENGTH - len(suffix)]}{suffix}"
        flow, is_new = Flow.objects.get_or_create(organization=organization, name=free)
        if is_new:
            return flow
        number += 1
