"""The vendors' own curl lines, and many callers at the same instant."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from django.db import connection
from pytest_django.live_server_helper import LiveServer

from messaging import api_clients
from messaging.audit import ledger_differences, tally_differences
from messaging.dispatch import pace
from messaging.models import Attempt, Integration, Message, Organization
from resend_admin.sandbox.switches import Fault
from resend_admin.sandbox.thread import Sandbox
from tests.factories import World
from tests.messaging.api import curl
from tests.messaging.api.callers import Caller, caller, settled
from tests.messaging.dispatch.test_concurrency import at_once

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE = 8
"""Callers at the same instant: the test server lets no more than ten queue up."""
SENDEXA = """\
curl -X POST 'https://api.sendexa.co/v1/whatsapp/resend' \\
-H 'Content-Type: application/json' \\
-H 'Authorization: Basic YOUR_DASHBOARD_BASE64_TOKEN' \\
-d '{"messageId": "exa_wa_123456789_abc123def"}'
"""
CAPILLARY = """\
curl --request POST \\
--url https://host/v2/communications/resend \\
--header 'accept: application/json' \\
--header 'content-type: application/json' \\
--data '
{
"messageId": 1746061653596
}
'
"""


@pytest.fixture
def club(db: None) -> World:
    """The organization of the vendor's example."""
    made = World(Organization.objects.create(pk=100737, name="Club"))
    made.top_up(1_000)
    return made


@pytest.fixture
def sender(club: World, sandbox: Sandbox) -> Integration:
    made = club.integration(settings={"base_url": sandbox.base_url("whatsapp_cloud")})
    pace.prepare(made.pk)
    return made


@pytest.fixture
def program(club: World) -> Caller:
    return caller(club)


def test_the_curl_line_of_sendexa(
    club: World, sender: Integration, program: Caller, live_server: LiveServer
) -> None:
    contact = club.contact(phone="+233244000000")
    message = club.message(
        integration=sender, pk=123456789, suffix="abc123def", contact=contact
    )
    settled(sender, message)
    line = SENDEXA.replace("https://api.sendexa.co", live_server.url).replace(
        "Basic YOUR_DASHBOARD_BASE64_TOKEN", program.basic
    )

    answer = curl.run(line)

    attempt = message.attempts.get(number=2)
    assert answer.status == 200
    assert answer.json == {
        "success": True,
        "message": "WhatsApp message resent successfully",
        "data": {
            "messageId": attempt.public_id,
            "originalMessageId": "ra_whatsapp_123456789_abc123def",
            "status": "sent",
            "to": "233244000000",
            "resendAttempt": 1,
            "cost": 1,
            "deliveredAt": None,
        },
    }


def with_key(line: str, url: str, program: Caller) -> str:
    return line.replace("https://host", url).replace(
        "--header 'accept",
        f"--header 'authorization: {program.basic}' \\\n--header 'accept",
    )


def test_the_curl_line_of_capillary_gets_the_vendors_very_words(
    club: World, sender: Integration, program: Caller, live_server: LiveServer
) -> None:
    message = club.message(integration=sender, pk=1746061653596)
    settled(sender, message)
    next_id("1748743190124")

    answer = curl.run(with_key(CAPILLARY, live_server.url, program))

    assert answer.status == 200
    assert json.dumps(answer.json) == (
        '{"orgId": 100737, "undeliveredMessageId": 1746061653596,'
        ' "resentMessageId": 1748743190124, "warnings": []}'
    )


def test_the_vendors_4223_and_400_word_by_word(
    sender: Integration, program: Caller, live_server: LiveServer
) -> None:
    line = with_key(CAPILLARY, live_server.url, program)

    unknown = curl.run(line.replace("1746061653596", "174606165"))
    wrong = curl.run(line.replace("1746061653596", '"1746061653596"'))

    assert unknown.status == 404
    assert json.dumps(unknown.json) == (
        '{"errors": [{"status": false, "message": "Failed to resend message :'
        ' Message not found for orgId: 100737 and messageId: 174606165",'
        ' "code": 4223}]}'
    )
    assert wrong.status == 400
    assert json.dumps(wrong.json) == (
        '{"warnings": [], "errors": [{"status": false, "code": 400, "message":'
        ' "Input is invalid, Please check request parameters or input xml/json"}]}'
    )


def next_id(number: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval('messaging_message_id_seq', %s, false)", [number])


@pytest.mark.parametrize(("vendor", "callers"), [("sendexa", 100), ("capillary", 10)])
def test_of_many_at_once_one_makes_its_attempt(
    club: World,
    sender: Integration,
    live_server: LiveServer,
    sandbox: Sandbox,
    vendor: str,
    callers: int,
) -> None:
    message = settled(sender, club.message(integration=sender))
    # So slow that everybody has come before the first one is done.
    sandbox.behave(Fault.SLOW, channel="whatsapp", seconds=0.1 * callers)
    program = caller(club, requests_per_minute=10_000)
    path, name = {
        "sendexa": ("/v1/whatsapp/resend", message.public_id),
        "capillary": ("/v2/communications/resend", message.pk),
    }[vendor]
    url = f"{live_server.url}{path}"
    body = json.dumps({"messageId": name}).encode()
    headers = {"Content-Type": "application/json", "Authorization": program.basic}

    tickets = iter(range(callers))

    def call(index: int) -> list[int]:
        """Take part until everybody has called; the first one waits meanwhile."""
        return [curl.request("POST", url, body, headers, 60).status for _ in tickets]

    answers = at_once(AT_ONCE, call)

    counted = Counter(status for some in answers for status in some)
    assert counted == {200: 1, 409: callers - 1}
    assert Attempt.objects.filter(message=message).count() == 2
    assert len(sandbox.accepted()) == 1
    assert ledger_differences() == []
    assert tally_differences() == []


def test_the_same_key_at_once_does_the_work_once(
    club: World,
    sender: Integration,
    program: Caller,
    live_server: LiveServer,
    sandbox: Sandbox,
) -> None:
    sandbox.behave(Fault.SLOW, channel="whatsapp", seconds=3)
    body = json.dumps(
        {"to": "233244000000", "type": "text", "text": {"body": "Hello"}}
    ).encode()
    headers = {
        "Content-Type": "application/json",
        "Authorization": program.basic,
        "Idempotency-Key": "order-4711",
    }
    url = f"{live_server.url}/v1/whatsapp/send"

    answers = at_once(AT_ONCE, lambda index: curl.request("POST", url, body, headers))

    assert Counter(answer.status for answer in answers) == {200: 1, 409: AT_ONCE - 1}
    assert Message.objects.count() == 1
    [done] = [answer for answer in answers if answer.status == 200]
    again = curl.request("POST", url, body, headers)
    assert (again.status, again.body) == (200, done.body)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(sandbox.accepted()) == 1


def test_two_clients_share_no_keys(
    club: World, sender: Integration, program: Caller, live_server: LiveServer
) -> None:
    other, secret = api_clients.create(
        organization=club.organization, name="Other", access="write"
    )
    body = json.dumps(
        {"to": "233244000000", "type": "text", "text": {"body": "Hello"}}
    ).encode()

    for one in (program, Caller(other, secret)):
        headers = {
            "Content-Type": "application/json",
            "Authorization": one.basic,
            "Idempotency-Key": "order-4711",
        }
        url = f"{live_server.url}/v1/whatsapp/send"
        assert curl.request("POST", url, body, headers).status == 200
        club.rest()
    assert Message.objects.count() == 2
