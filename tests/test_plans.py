"""Pages stay fast: what they ask of PostgreSQL does not grow with what was sent.

Every page is opened on tens of thousands of messages, and each statement is run again
under ``EXPLAIN ANALYZE``: no scan of a big table, and no more rows read than are
shown, within reason. An address that is new in ``test_doors`` is opened here too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from benchmarks.causes import causes_of
from benchmarks.owners import Owner
from benchmarks.population import populate
from messaging import api_clients, embed
from messaging.filters import SEEN_STATES
from messaging.models import (
    Actor,
    AuditEntry,
    AuditKind,
    BulkResend,
    Contact,
    InboundMessage,
    Message,
    MessageState,
)
from messaging.trail import by_person
from messaging.webhooks import emitting
from tests import test_doors as doors
from tests.factories import World
from tests.messaging.retransmission.steps import PERSON
from tests.messaging.webhooks.steps import endpoint_of
from tests.plans import Statement, plan_of, recorded

pytestmark = pytest.mark.django_db

MESSAGES = 40_000
OPENED = {200, 204, 302, 405, 409}
"""Some addresses only take what is posted, lead on, or say that it is too late."""
EXPORTS = {
    "messaging:audit-csv",
    "broadcasts:broadcast-failed-csv",
    "messaging:bulk-csv",
    "messaging:member-import-problems",
    "messaging:member-import-template",
}
"""Files: as long as what they hold."""
DECISIONS = {"messaging:bulk-create", "broadcasts:broadcast-retry"}
"""Dialogs that judge every row of a decision, of which there are many by intent."""


@dataclass
class Large:
    """An organization with most of the messages, and its addresses."""

    owner: Owner
    estate: doors.Estate
    client: Client

    def open(self, address: str) -> list[Statement]:
        with recorded() as statements:
            answer = self.client.get(address)
            doors.content_of(answer)
        assert answer.status_code in OPENED, address
        return statements

    def wrong(self, name: str, address: str) -> list[str]:
        """Say what is wrong with the statements behind an address."""
        plans = [plan_of(one) for one in self.open(address)]
        if name in EXPORTS | DECISIONS:
            return [one.complaint for one in plans if one.scans]
        return [one.complaint for one in plans if one.complaint]


@pytest.fixture(scope="module")
def large(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Large]:
    """Made once, and gone with its transaction."""
    with django_db_blocker.unblock(), transaction.atomic():
        owner = populate(MESSAGES).largest
        world = World(owner.organization)
        yield Large(owner, _estate(owner, world), doors.signed_in(world.admin))
        transaction.set_rollback(True)
    connection.close()


def _estate(owner: Owner, world: World) -> doors.Estate:
    """Name the rows with the most behind them."""
    failed = Message.objects.filter(
        broadcast_id=owner.largest_broadcast.pk, state=MessageState.FAILED
    ).order_by("pk")[5]
    member = Contact.objects.get(pk=failed.contact_id)
    bulk = BulkResend.objects.filter(organization=owner.organization).order_by("pk")[0]
    endpoint, _ = endpoint_of(world, name="Shop")
    delivery = emitting.send_test(endpoint, by=by_person(world.admin))
    numbers = {
        "session": 1,
        "endpoint": endpoint.pk,
        "delivery": delivery.pk,
        "integration": owner.integrations[0].pk,
        "broadcast": owner.largest_broadcast.pk,
        "message": failed.pk,
        "bulk resend": bulk.pk,
        "member": member.pk,
        "unreadable": _unreadable(world, member),
    }
    _trail(world)
    return doors.Estate(world, numbers, member.external_id)


def _trail(world: World) -> None:
    """Let people and a program have done thousands of things, mostly resends."""
    now = timezone.now()
    client, _ = api_clients.create(organization=world.organization, name="Audited")
    people = [world.agent, world.editor, world.editor, world.editor]
    AuditEntry.objects.bulk_create(
        AuditEntry(
            organization=world.organization,
            at=now - timedelta(minutes=number),
            kind=AuditKind.SETTINGS if number % 50 == 0 else AuditKind.RESEND,
            actor=Actor.API if number % 5 == 0 else Actor.PERSON,
            person_id=None if number % 5 == 0 else people[number % 4].pk,
            client_id=client.pk if number % 5 == 0 else None,
            sentence=f"Resent message {number}.",
            link=f"/messages/{number % 700}/",
        )
        for number in range(12_000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE messaging_auditentry")


def _unreadable(world: World, member: Contact) -> int:
    """Let thousands of messages come in, most of them readable; return one."""
    device = world.integration("device_gateway")
    states = ("received",) * 6 + ("waiting", "recovered", "expired")
    rows = []
    for number in range(6_000):
        state = states[number % len(states)]
        closed = timezone.now() if state in {"recovered", "expired"} else None
        rows.append(
            InboundMessage(
                organization=world.organization,
                integration=device,
                message_id=f"M{number}",
                chat_jid=PERSON,
                sender_jid=PERSON,
                phone=member.phone,
                occurred_at=timezone.now() - timedelta(minutes=number),
                state=state,
                closed_at=closed,
                reason="too_old" if state == "expired" else "",
            )
        )
    InboundMessage.objects.bulk_create(rows)
    return int(rows[6].pk)


def asked(large: Large) -> dict[str, list[str]]:
    """Return what else is asked for on a page: filters, one by one and together."""
    broadcast = large.owner.largest_broadcast.pk
    main, *_, unused = (one.pk for one in large.owner.integrations)
    day = (date.today() - timedelta(days=9)).isoformat()
    causes = _causes()
    states = [{"state": one} for one in SEEN_STATES]
    narrow: list[Mapping[str, object]] = [
        {"channel": "telegram"},
        {"integration": main},
        {"integration": unused},
        {"since": day},
        {"until": day},
        {"since": day, "until": day},
        {"broadcast": broadcast},
        {"error": causes[0]},
        {"error": causes[-1]},
        {"error": "nobody:knows"},
        *({"error_class": one} for one in ("retry", "wait", "fix_first", "never")),
        {"error_class": "unknown"},
    ]
    return {
        "messaging:message-list": _queries(
            *states,
            *narrow,
            *({**one, **other} for one in states for other in narrow),
            {"state": "failed", "channel": "email", "error": causes[0]},
            {"state": "failed", "broadcast": broadcast, "error": causes[-1]},
            {"state": "failed", "broadcast": broadcast, "integration": unused},
            {"state": "failed", "integration": unused, "error": causes[0]},
            {"state": "delivered", "channel": "email", "since": day, "until": day},
            {"channel": "sms", "error_class": "wait", "since": day},
            {"q": "Ama"},
            {"q": "nobody has this name"},
            {"q": "+2332"},
            {"q": "wamid.nobody-knows-this"},
            {"q": "1"},
            {"q": str(large.estate.numbers["message"])},
            {"q": large.estate.external_id},
            {"q": "Ama", "state": "failed", "channel": "email"},
        ),
        "messaging:member-list": _queries(
            {"q": "Ama"},
            {"q": "nobody has this name"},
            {"tag": "vip"},
            {"tag": "branch 7"},
            {"tag": "nothing"},
            {"country": "GH"},
            {"country": "ZZ"},
            {"language": "fr"},
            {"language": "xx"},
            {"country": "NL", "language": "xx"},
            {"channel": "telegram"},
            {"opted_out": "any"},
            {"opted_out": "sms"},
            {"opted_out": "email"},
            {"channel": "sms", "opted_out": "sms"},
        ),
        "broadcasts:broadcast-list": _queries(
            {"q": "Newsletter 7"},
            {"q": "nothing"},
            {"state": "failed"},
            {"channel": "telegram"},
            {"since": day},
        ),
        "broadcasts:broadcast-detail": _queries(
            {"cause": causes[0]}, {"cause": causes[-1]}, {"cause": "nobody:knows"}
        ),
        "messaging:unreadable-list": _queries(
            *(
                {"state": one}
                for one in ("waiting", "requested", "recovered", "expired")
            )
        ),
        "messaging:unreadable-ask": _queries({"all": 1}),
        "messaging:audit": _queries(
            {"kind": "settings"},
            {"kind": "webhook"},
            {"who": f"person-{large.estate.world.editor.pk}"},
            {"who": f"person-{large.estate.world.admin.pk}"},
            {"since": day},
            {"until": day},
            {"since": day, "until": day},
            {"kind": "resend", "since": day},
            {"about": "/messages/7/"},
            {"about": "/nowhere/"},
        ),
        "messaging:audit-csv": _queries({"kind": "settings"}, {"until": day}),
        "messaging:bulk-detail": _queries({"show": "queued"}, {"code": "too_old"}),
    }


def _causes() -> list[str]:
    """Return what WhatsApp messages failed for, from the commonest on."""
    return [one.code for one in causes_of("whatsapp")]


def _queries(*chosen: Mapping[str, object]) -> list[str]:
    return [f"?{urlencode(one)}" for one in chosen]


ROWS = "nodes { messageId outcome answer contact { name } }"
QUESTIONS = {
    "a list": "{ broadcasts(first: 100) { nodes { name counters { failed } } } }",
    "a filtered list": '{ broadcasts(filter: {name: "Newsletter 7", statuses: COMPLETED'
    ", channel: TELEGRAM, isRetry: false}) { nodes { name } } }",
    "a list with everything": "{ broadcasts(first: 10) { nodes { name"
    " counters { failed } failuresByCause { code } retries { name } routes { position }"
    f" chain {{ aimed runs {{ reachedFirst }} }} rows(first: 5) {{ {ROWS} }} }} }} }}",
    "rows": f"{{ broadcast(id: %d) {{ rows(first: 100) {{ {ROWS} }} }} }}",
    "failed rows": "{ broadcast(id: %d) { rows(first: 100, outcomes: FAILED)"
    f" {{ {ROWS} }} }} }}",
    "rows of a cause": "{ broadcast(id: %d) {"
    f' rows(first: 100, cause: "%s") {{ {ROWS} }} }} }}',
    "the button": "{ retryState(broadcastId: %d) { enabled contactCount } }",
    "what there is": "{ flows { name } templates { name } integrations { name }"
    " quota { used } }",
}
"""What programs ask ``/graphql``; ``%d`` is the largest broadcast, ``%s`` a cause."""


@pytest.mark.parametrize("name", QUESTIONS)
def test_an_answer_to_a_program_reads_what_it_tells(large: Large, name: str) -> None:
    query = QUESTIONS[name].replace("%d", str(large.owner.largest_broadcast.pk))
    query = query.replace("%s", _causes()[0])
    with recorded() as statements:
        answer = large.client.post(
            "/graphql", json.dumps({"query": query}), content_type="application/json"
        )

    assert "errors" not in answer.json(), answer.json()["errors"]
    complaints = [plan.complaint for plan in map(plan_of, statements) if plan.complaint]
    assert not complaints, "\n".join(complaints)


NAMES = sorted(doors.LISTED - doors.PUBLIC - doors.PROGRAMS)


@pytest.mark.parametrize("name", NAMES)
def test_a_page_reads_what_it_shows(large: Large, name: str) -> None:
    address = large.estate.address(name)
    if name in doors.FRAMES:
        key = embed.make_token(
            large.owner.organization,
            large.estate.external_id,
            access=embed.Access.WRITE,
        )
        address += f"?{urlencode({'token': key})}"
    addresses = [address, *(address + one for one in asked(large).get(name, ()))]
    complaints = [
        f"{one} {complaint}"
        for one in addresses
        for complaint in large.wrong(name, one)
    ]
    assert not complaints, "\n".join(complaints)


def test_causes_are_added_up_without_sorting_what_failed(large: Large) -> None:
    asked = large.open(large.estate.address("causes"))
    [kept] = [one for one in asked if "array_agg(broadcast_id)" in one.sql]

    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {kept.sql}", kept.parameters)
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "HashAggregate" in plan, plan
    assert "Sort" not in plan, plan
