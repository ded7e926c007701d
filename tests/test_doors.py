"""Every address of the project, by who may come and what it is about; what each costs.

``test_walk`` sends everybody to each of them, and fails on one that is not here, so
nobody adds an address without deciding who may see it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from broadcasts.models import BroadcastState
from messaging.models import BulkResend, BulkResendItem, Message, Session, User
from messaging.trail import by_person
from messaging.webhooks import emitting
from tests.factories import World
from tests.messaging.retransmission.steps import unread_message
from tests.messaging.webhooks.steps import endpoint_of

pytestmark = pytest.mark.django_db

PUBLIC = {
    "login",
    "login-code",
    "admin-login",
    "logout",
    "healthz",
    "readyz",
    "ui:theme",
    "messaging:audio-file",
    "messaging:hook",
}
"""No log-in: probes, the log-in itself, and providers with their own proof."""
FRAMES = {"messaging:embedded-communications", "messaging:embedded-resend"}
"""No log-in and no cookie: a signed token opens one member in another product."""
PROGRAMS = {
    "api:embed_token",
    "api:openapi-json",
    "api:openapi-view",
    "api:oauth-token",
    "api:audio_job",
    "api:request_history",
    "api:request_retransmission",
    "api:resend_by_body",
    "api:resend_by_path",
    "api:resend_communication",
    "api:send",
    "api:send_audio",
    "api:status",
    "graphql",
    "metrics",
}
"""No log-in: what programs call with a key of their own, and how to call it."""
PAGES = {
    "overview",
    "causes",
    "broadcasts:broadcast-list",
    "broadcasts:overview-running",
    "broadcasts:overview-needs",
    "graphql-explorer",
    "graphql-plain",
    "messaging:message-list",
    "messaging:message-unknown",
    "messaging:bulk-list",
    "messaging:member-list",
    "messaging:unreadable-list",
    "reports",
    "report-csv",
}
"""Lists: everybody of an organization, each with what is theirs."""
OWN_PAGES = {
    "admin-password",
    "messaging:account",
    "messaging:account-password",
    "messaging:account-recovery-codes",
    "messaging:account-second-factor",
    "messaging:account-second-factor-begin",
    "messaging:account-second-factor-off",
    "messaging:account-sessions-end",
}
"""About nobody but the person who is signed in, whoever that is."""
OF_A_SESSION = {"messaging:account-session-end"}
WRITERS_PAGES = {
    "broadcasts:broadcast-create",
    "broadcasts:audience-preview",
    "messaging:bulk-create",
    "messaging:cause-resend",
    "messaging:unreadable-ask",
    "messaging:member-import",
    "messaging:member-import-problems",
    "messaging:member-import-template",
}
"""Editors and admins."""
OF_A_BROADCAST = {
    "broadcasts:broadcast-detail",
    "broadcasts:broadcast-progress",
    "broadcasts:broadcast-failed-csv",
    "broadcasts:broadcast-chain",
    "broadcasts:broadcast-chain-csv",
}
CHANGES_OF_A_BROADCAST = {
    "broadcasts:broadcast-retry",
    "broadcasts:broadcast-edit",
    "broadcasts:broadcast-routes",
    "broadcasts:broadcast-schedule",
    "broadcasts:broadcast-cancel",
    "broadcasts:broadcast-clone",
    "broadcasts:broadcast-delete",
}
OF_A_MESSAGE = {"messaging:message-detail", "messaging:message-standing"}
CHANGES_OF_A_MESSAGE = {
    "messaging:message-resend",
    "messaging:message-move",
    "messaging:message-take-back",
    "messaging:message-copy",
    "messaging:message-count",
    "messaging:message-follow-up-cancel",
}
OF_A_BULK_RESEND = {
    "messaging:bulk-detail",
    "messaging:bulk-progress",
    "messaging:bulk-csv",
}
CHANGES_OF_A_BULK_RESEND = {"messaging:bulk-cancel"}
OF_A_MEMBER = {"messaging:member-detail"}
CHANGES_OF_A_MEMBER = {"messaging:member-history"}
CHANGES_OF_AN_UNREADABLE = {"messaging:unreadable-ask-one"}
CHANGES_OF_AN_INTEGRATION = {
    "messaging:device-check",
    "messaging:integration-resume",
}

ADMINS_PAGES = {
    "messaging:audit",
    "messaging:audit-csv",
    "messaging:webhook-list",
    "messaging:webhook-create",
}
"""Admins only, for whoever is told has to be trusted."""
OF_AN_ENDPOINT = {"messaging:webhook-detail"}
CHANGES_OF_AN_ENDPOINT = {
    "messaging:webhook-edit",
    "messaging:webhook-rotate",
    "messaging:webhook-switch",
    "messaging:webhook-delete",
    "messaging:webhook-test",
    "messaging:webhook-recover",
}
OF_A_DELIVERY = {"messaging:webhook-delivery", "messaging:webhook-delivery-live"}
CHANGES_OF_A_DELIVERY = {"messaging:webhook-delivery-resend"}

BIG_TABLES = (
    "messaging_message|messaging_attempt|messaging_contact|messaging_receipt"
    "|messaging_bulkresenditem|messaging_webhookevent|messaging_webhookdelivery"
    "|messaging_inboundmessage|messaging_retransmissionrequest"
    "|messaging_auditentry"
)
COUNTS_ROWS = re.compile(
    rf'COUNT\((?:(?!\(SELECT).)*? FROM "?({BIG_TABLES})"?', re.IGNORECASE | re.DOTALL
)
"""A count over a table; one over a subquery with a LIMIT is bounded and fine."""


def names(resolver: URLResolver | None = None, namespace: str = "") -> Iterator[str]:
    """Yield the names of all addresses but those of Django admin."""
    for one in (resolver or get_resolver()).url_patterns:
        if isinstance(one, URLPattern):
            assert one.name, f"{one.pattern} has no name"
            yield f"{namespace}{one.name}"
        elif one.namespace != "admin":
            inner = f"{one.namespace}:" if one.namespace else namespace
            yield from names(one, inner)


@dataclass
class Estate:
    """One organization with a row of every kind that has an address."""

    world: World
    numbers: dict[str, int]
    external_id: str

    def address(self, name: str) -> str:
        for group, noun in (
            (OF_A_BROADCAST | CHANGES_OF_A_BROADCAST, "broadcast"),
            (OF_A_MESSAGE | CHANGES_OF_A_MESSAGE, "message"),
            (OF_A_BULK_RESEND | CHANGES_OF_A_BULK_RESEND, "bulk resend"),
            (OF_A_MEMBER | CHANGES_OF_A_MEMBER, "member"),
            (CHANGES_OF_AN_UNREADABLE, "unreadable"),
            (OF_AN_ENDPOINT | CHANGES_OF_AN_ENDPOINT, "endpoint"),
            (CHANGES_OF_AN_INTEGRATION, "integration"),
            (OF_A_SESSION, "session"),
        ):
            if name in group:
                return reverse(name, args=[self.numbers[noun]])
        if name in OF_A_DELIVERY | CHANGES_OF_A_DELIVERY:
            both = [self.numbers["endpoint"], self.numbers["delivery"]]
            return reverse(name, args=both)
        if name in FRAMES:
            numbers = [self.numbers["message"]] if name.endswith("resend") else []
            return reverse(name, args=[self.external_id, *numbers])
        return reverse(name, args=["rates"] if name == "report-csv" else [])

    @property
    def public_id(self) -> str:
        """The message's, as programs know it."""
        return Message.objects.get(pk=self.numbers["message"]).public_id


def estate(world: World) -> Estate:
    broadcast = world.broadcast(BroadcastState.COMPLETED)
    contact = world.contact(name=f"Somebody of {world.organization.name}")
    message = world.message("planned", contact=contact, broadcast_id=broadcast.pk)
    bulk = BulkResend.objects.create(
        organization=world.organization,
        chosen=f"All messages of {world.organization.name}",
        total=1,
    )
    BulkResendItem.objects.create(bulk=bulk, message=message)
    endpoint, _ = endpoint_of(world, name=f"Shop of {world.organization.name}")
    delivery = emitting.send_test(endpoint, by=by_person(world.admin))
    return Estate(
        world,
        {
            "endpoint": endpoint.pk,
            "delivery": delivery.pk,
            "broadcast": broadcast.pk,
            "message": message.pk,
            "bulk resend": bulk.pk,
            "member": message.contact_id,
            "unreadable": unread_message(world.integration("device_gateway"), "A").pk,
            "integration": world.integration().pk,
            "session": Session.objects.create(
                session_key=f"of {world.organization.pk}",
                person=world.editor,
                expire_date=timezone.now() + timedelta(days=1),
            ).pk,
        },
        contact.external_id,
    )


@pytest.fixture
def own(ours: World) -> Estate:
    return estate(ours)


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


CHANGES = (
    CHANGES_OF_A_BROADCAST
    | CHANGES_OF_A_MESSAGE
    | CHANGES_OF_A_BULK_RESEND
    | CHANGES_OF_AN_INTEGRATION
    | CHANGES_OF_A_MEMBER
    | CHANGES_OF_AN_UNREADABLE
)
READ = OF_A_BROADCAST | OF_A_MESSAGE | OF_A_BULK_RESEND | OF_A_MEMBER
ADMINS_READ = OF_AN_ENDPOINT | OF_A_DELIVERY
ADMINS_CHANGES = CHANGES_OF_AN_ENDPOINT | CHANGES_OF_A_DELIVERY
ADMINS = ADMINS_PAGES | ADMINS_READ | ADMINS_CHANGES
SHOWN = PAGES | READ | ADMINS_PAGES | ADMINS_READ
"""What shows something to whoever may come."""
ROWS = READ | CHANGES | ADMINS_READ | ADMINS_CHANGES | OF_A_SESSION
LISTED = (
    PUBLIC | OWN_PAGES | PROGRAMS | FRAMES | PAGES | WRITERS_PAGES | ADMINS_PAGES | ROWS
)


@pytest.mark.parametrize(
    ("statement", "counts"),
    [
        ('SELECT COUNT(*) AS "__count" FROM "messaging_message" WHERE 1', True),
        ('SELECT "state", COUNT("id") FROM "messaging_message" GROUP BY 1', True),
        ('SELECT COUNT(*) FROM (SELECT 1 FROM "messaging_contact" LIMIT 9) s', False),
        ('SELECT SUM("count") FROM "messaging_tally"', False),
    ],
)
def test_a_count_is_recognised(statement: str, counts: bool) -> None:
    assert bool(COUNTS_ROWS.search(statement)) is counts


@pytest.mark.parametrize("name", sorted(LISTED - PUBLIC - PROGRAMS - FRAMES))
def test_no_page_counts_rows(own: Estate, name: str) -> None:
    person = own.world.admin if name in ADMINS else own.world.editor
    client = signed_in(person)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        content_of(client.get(own.address(name)))

    counting = [one["sql"] for one in queries if COUNTS_ROWS.search(one["sql"])]
    assert counting == []


def content_of(answer: Any) -> str:
    if getattr(answer, "streaming", False):
        return b"".join(answer.streaming_content).decode()
    return str(answer.content.decode())
