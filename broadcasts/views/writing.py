"""From a filled-in form to a broadcast: one transaction, all of it or nothing."""

from __future__ import annotations

from django.db import transaction

from broadcasts import drafts, flows, schedule
from broadcasts.forms import BroadcastForm
from broadcasts.forms.broadcast import TEXT
from broadcasts.models import Broadcast, Flow
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
    if broadcast is not None:
        return schedule.edit(
            broadcast=broadcast, person=person, fields=fields, is_ready=is_ready
        )
    make = schedule.create if is_ready else drafts.create_draft
    return make(organization=organization, person=person, fields=fields)


def _flow_of_text(form: BroadcastForm, organization: Organization, person: User) -> int:
    """Publish the text as a flow of one step; return the flow's id."""
    text = Content.objects.create(
        organization=organization, kind=ContentKind.TEXT, payload=form.text_payload
    )
    flow = _new_flow(organization, form.cleaned_data["name"])
    flows.save_steps(flow=flow, person=person, contents=[text])
    flows.freeze(flow)
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
