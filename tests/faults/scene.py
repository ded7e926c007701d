"""Two organizations with every kind of sender, as the faults will find them."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone

from broadcasts.models import Flow
from messaging import api_clients
from messaging.models import (
    ApiAccess,
    ApiClient,
    AutomaticRetry,
    Contact,
    Content,
    Integration,
    Organization,
    Role,
    User,
)
from tests.broadcasts.factories import published_flow
from tests.factories import World, world
from tests.faults.outside import API_SECRET

RATE = 40.0
"""Messages per second of one sender: slow enough that kills find something open."""
TAGS = ("north", "south", "east", "west")
DIGITS = ("0001", "0002", "0004", "0006", "0007", "0003")
"""Magic numbers, one of which every tenth member has."""
PATHS = {
    "whatsapp_cloud": "/whatsapp/v23.0",
    "telegram_bot": "/telegram",
    "twilio": "/twilio",
}
PREFIXES = ("24", "54")
"""Of mobile numbers in Ghana, one for each side."""
NUMBERS = ("15550001", "15550002", "15550003")
ACCOUNT_SID = "AC" + "7" * 32


@dataclass(frozen=True)
class Side:
    """One organization, ready to send."""

    organization: Organization
    editor: User
    senders: tuple[Integration, ...]
    template: Content
    flow: Flow
    api_key: str


def find() -> list[Side]:
    """Return both organizations, as an earlier process has made them."""
    return [
        Side(
            organization=one,
            editor=User.objects.get(organization=one, role=Role.EDITOR),
            senders=tuple(Integration.objects.filter(organization=one).order_by("pk")),
            template=Content.objects.filter(organization=one, kind="template")[0],
            flow=Flow.objects.filter(organization=one)[0],
            api_key=ApiClient.objects.get(organization=one).key,
        )
        for one in Organization.objects.order_by("pk")
    ]


def build(members: int) -> None:
    """Make both, with so many members each, a thousand at most."""
    ours, theirs = world("Ours", 1_000_000), world("Theirs", 1_000_000)
    for number in NUMBERS[:2]:
        _whatsapp(ours, number)
    _sender(ours, "telegram_bot", credit_price=1)
    _whatsapp(theirs, NUMBERS[2])
    account = {"account_sid": ACCOUNT_SID}
    _sender(theirs, "twilio", settings=account, credit_price=3)
    server = {"host": "127.0.0.1", "port": settings.SANDBOX_SMTP_PORT}
    _sender(theirs, "smtp", settings=server, credit_price=1)
    AutomaticRetry.objects.create(
        organization=theirs.organization, channel="whatsapp", is_on=True
    )
    for side, one in enumerate((ours, theirs)):
        _complete(one)
        _members(one, members, side)


def _complete(ours: World) -> None:
    ours.organization.broadcast_quota = 1_000
    ours.organization.resend_ladder_minutes = [1]
    ours.organization.save()
    ours.template()
    published_flow(ours, ours.text("Hello {{first_name}}"), ours.text("And goodbye"))
    api_clients.create(
        organization=ours.organization,
        name="Desk",
        access=ApiAccess.WRITE,
        requests_per_minute=60_000,
        key=f"rak_{ours.organization.pk}torture",
        secret=API_SECRET,
    )


def _whatsapp(ours: World, number: str) -> None:
    sender = _sender(
        ours,
        "whatsapp_cloud",
        settings={"phone_number_id": number},
        credit_price=2,
    )
    register("whatsapp", number, sender.hook_url, sender.credentials["app_secret"])


def _sender(
    ours: World, kind: str, *, credit_price: int, **values: object
) -> Integration:
    wanted = values.get("settings")
    given = dict(wanted) if isinstance(wanted, dict) else {}
    if kind in PATHS:
        given["base_url"] = settings.SANDBOX_URL + PATHS[kind]
    return ours.integration(
        kind, settings=given, credit_price=credit_price, rate_per_second=RATE
    )


def _members(ours: World, members: int, side: int) -> None:
    now = timezone.now()
    rows = []
    for number in range(members):
        digits = f"{1000 + number % 9000}"
        if number % 10 == 0:
            digits = DIGITS[number // 10 % len(DIGITS)]
        rows.append(
            Contact(
                organization=ours.organization,
                external_id=f"M{number}",
                name=f"Member {number}",
                phone=f"+233{PREFIXES[side]}{number:03d}{digits}",
                telegram_chat_id=f"{side + 1}{number:05d}{digits}",
                email=f"m{number}.{digits}@side{side}.example.org",
                tags=[TAGS[number % len(TAGS)]],
                whatsapp_inbound_at=now,
            )
        )
    Contact.objects.bulk_create(rows)


def register(kind: str, account: str, url: str, secret: str) -> None:
    """Tell the sandbox where receipts go."""
    connection = http.client.HTTPConnection(
        urlsplit(settings.SANDBOX_URL).netloc, timeout=10
    )
    fields = {"kind": kind, "account": account, "url": url, "secret": secret}
    connection.request("POST", "/control/hooks", json.dumps(fields))
    assert connection.getresponse().status == 200
    connection.close()
