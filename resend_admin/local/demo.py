"""The demo organization, made through the same services that people use."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from broadcasts import drafts, flows, schedule
from broadcasts.audience import Audience
from broadcasts.fields import BroadcastFields, RouteSpec
from broadcasts.models import Broadcast, BroadcastKind, Flow
from messaging import api_clients, credits, members, receipts
from messaging.channels.contract import ContentKind, Event, EventKind
from messaging.models import (
    ApiAccess,
    ApiClient,
    Content,
    Integration,
    Organization,
    Role,
    User,
)
from messaging.trail import by_person
from resend_admin.local import demo_integrations, demo_members

ORGANIZATION_ID = 100737
PASSWORD = "demo"  # noqa: S105 - the demo's well-known password
API_KEY = "demo-key"
API_SECRET = "demo-secret"  # noqa: S105 - well-known as well
BEARER = "6f1c2a54-9b1e-4c0e-8d53-2f6a3f1f7b10"
ZONE = "Africa/Accra"
WINDOW_CLOSED_SHARE = 60
"""One member in so many has not written lately, so WhatsApp's window is closed."""
OPTED_OUT_SHARE = 110
"""One member in so many has sent STOP."""

ROADS = ("whatsapp_cloud", "telegram_bot", "smtp")
"""How the newsletter goes out, in this order."""

PEOPLE = (
    ("agent", "Ada", "Verbeek", Role.AGENT),
    ("editor", "Kofi", "Mensah", Role.EDITOR),
    ("admin", "Ines", "Richter", Role.ADMIN),
)


def seed() -> bool:
    """Make the demo organization, and return whether it was completed just now.

    Each of the two parts is there as a whole or not at all, so that a start that was
    killed is made up for by the next one. A demo that is complete is left as people
    left it; only the addresses of the sandbox are brought up to date.
    """
    organization = Organization.objects.filter(pk=ORGANIZATION_ID).first()
    if organization is None:
        organization = _begin()
    for integration in organization.integrations.all():
        demo_integrations.point_at_sandbox(integration)
    _api_client(organization)
    return _complete(organization)


@transaction.atomic
def _begin() -> Organization:
    """Make what it takes to log in and to send."""
    organization = _organization()
    _people(organization)
    demo_integrations.add(organization)
    return organization


@transaction.atomic
def _complete(organization: Organization) -> bool:
    """Add members and what is sent to them, unless that was done before.

    The broadcast that goes out at once comes last, and nobody can delete it.
    """
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    if Broadcast.objects.filter(organization=organization).exists():
        return False
    integrations = {one.kind: one for one in organization.integrations.all()}
    editor = organization.people.filter(username="editor").first()
    if editor is None or not integrations.keys() >= {*ROADS, "device_gateway"}:
        # Somebody has made something else of it.
        return False
    _members(organization, editor, integrations["whatsapp_cloud"])
    demo_integrations.hold_back(integrations["device_gateway"])
    templates = _templates(organization)
    flow = _flow(organization, editor)
    _broadcasts(organization, editor, integrations, templates, flow)
    return True


def _organization() -> Organization:
    organization = Organization.objects.create(
        pk=ORGANIZATION_ID, name="Harbour Members Club", time_zone=ZONE
    )
    credits.top_up(organization=organization, amount=50_000, note="Welcome")
    return organization


def _people(organization: Organization) -> None:
    """Add the three who may log in."""
    for username, first_name, last_name, role in PEOPLE:
        User.objects.create_user(
            username,
            f"{username}@example.org",
            PASSWORD,
            first_name=first_name,
            last_name=last_name,
            organization=organization,
            role=role,
            is_staff=role == Role.ADMIN,
        )


def _api_client(organization: Organization) -> None:
    """Add the client of the README, also to a demo from before there was one.

    The same goes for its bearer token, unless somebody has replaced or removed it.
    """
    client = ApiClient.objects.filter(key=API_KEY).first()
    if client is None:
        client, _ = api_clients.create(
            organization=organization,
            name="Demo shop",
            access=ApiAccess.WRITE,
            key=API_KEY,
            secret=API_SECRET,
        )
    if client.bearer_changed_at is None:
        api_clients.rotate_bearer(client, BEARER)


def _members(organization: Organization, editor: User, whatsapp: Integration) -> None:
    """Import the members, and let most of them have written to us today."""
    people = demo_members.members()
    result = members.import_csv(
        organization=organization,
        file=demo_members.as_csv(people),
        by=by_person(editor),
    )
    if result.problems:
        first = result.problems[0]
        message = f"Line {first.line} of the demo members: {first.reason}"
        raise ValueError(message)
    now = timezone.now()
    receipts.store(
        whatsapp,
        [
            Event(
                key=f"demo-inbound:{one.external_id}",
                kind=_what_they_did(number),
                raw={"text": "STOP" if number % OPTED_OUT_SHARE == 1 else "Hello!"},
                address=one.phone,
                occurred_at=now - timedelta(minutes=number % 600),
            )
            for number, one in enumerate(people)
            if one.phone and number % WINDOW_CLOSED_SHARE
        ],
    )
    # Nobody else sees them before the commit, so all of them are applied here.
    receipts.apply()


def _what_they_did(number: int) -> EventKind:
    return EventKind.OPT_OUT if number % OPTED_OUT_SHARE == 1 else EventKind.INBOUND


def _templates(organization: Organization) -> dict[str, Content]:
    bodies = {
        "membership_renewal": (
            "Hello {{first_name}}, your membership ends this month. Reply RENEW to"
            " keep it for another year."
        ),
        "newsletter_notice": (
            "Hello {{first_name}}, the autumn newsletter is out. Reply READ and we"
            " send it to you."
        ),
    }
    return {
        name: Content.objects.create(
            organization=organization,
            kind=ContentKind.TEMPLATE,
            name=name.replace("_", " ").capitalize(),
            payload={
                "name": name,
                "language": "en",
                "category": "utility",
                "body": body,
                "parameters": ["{{first_name}}"],
                "subject": name.replace("_", " ").capitalize(),
            },
        )
        for name, body in bodies.items()
    }


def _flow(organization: Organization, editor: User) -> Flow:
    flow = Flow.objects.create(organization=organization, name="Autumn newsletter")
    text = Content.objects.create(
        organization=organization,
        kind=ContentKind.TEXT,
        name="Autumn newsletter",
        payload={
            "subject": "The autumn newsletter",
            "text": (
                "Hello {{first_name}}!\n\nThe boathouse is open again, the autumn"
                " regatta is on 12 December, and the board election has begun."
                " Write back if you want to help."
            ),
        },
    )
    flows.save_steps(flow=flow, person=editor, contents=[text])
    flows.publish(flow=flow, person=editor)
    return flow


def _broadcasts(
    organization: Organization,
    editor: User,
    integrations: dict[str, Integration],
    templates: dict[str, Content],
    flow: Flow,
) -> None:
    roads = [RouteSpec(integrations[kind].pk) for kind in ROADS]
    newsletter = drafts.create_draft(
        organization=organization,
        person=editor,
        fields=BroadcastFields(
            name="Autumn newsletter",
            kind=BroadcastKind.FLOW,
            flow_id=flow.pk,
            routes=roads,
            time_zone=ZONE,
        ),
    )
    drafts.create_draft(
        organization=organization,
        person=editor,
        fields=BroadcastFields(
            name="Membership renewal",
            kind=BroadcastKind.TEMPLATE,
            routes=[
                RouteSpec(
                    integrations["whatsapp_cloud"].pk,
                    templates["membership_renewal"].pk,
                )
            ],
            audience=Audience(tags=("donor",)),
            time_zone=ZONE,
        ),
    )
    schedule.schedule(
        broadcast=newsletter,
        person=editor,
        run_at=timezone.now() + timedelta(minutes=3),
        time_zone=ZONE,
    )
    # People schedule two minutes ahead at least; a visitor need not wait for it.
    Broadcast.objects.filter(pk=newsletter.pk).update(run_at=timezone.now())
