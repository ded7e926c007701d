"""An organization with its people, integrations and contents, still without members."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from broadcasts.models import Broadcast
from messaging import credits
from messaging.models import Content, Integration, Organization, Role, User

ROUTES: Final[tuple[tuple[str, str, int, dict[str, Any], dict[str, str]], ...]] = (
    (
        "WhatsApp main",
        "whatsapp_cloud",
        2,
        {"phone_number_id": "1555"},
        {"access_token": "t", "app_secret": "s", "verify_token": "v"},
    ),
    (
        "WhatsApp branches",
        "whatsapp_cloud",
        2,
        {"phone_number_id": "1556"},
        {"access_token": "t", "app_secret": "s", "verify_token": "v"},
    ),
    ("Telegram", "telegram_bot", 0, {}, {"bot_token": "7:b", "secret_token": "s"}),
    (
        "SMS",
        "twilio",
        3,
        {"account_sid": "AC1", "from_number": "+15550001111"},
        {"auth_token": "t"},
    ),
    (
        "Mail",
        "smtp",
        0,
        {
            "host": "127.0.0.1",
            "port": 2525,
            "security": "none",
            "from_address": "team@example.org",
        },
        {"username": "", "password": ""},
    ),
    ("Mail, not used", "smtp", 0, {"host": "127.0.0.1", "port": 2525}, {}),
)
"""Name, kind, price in credits, settings and credentials. Nothing is sent with the
last one: filters by it find nothing, and that must not take long either."""


@dataclass
class Owner:
    """``messages`` is how many it gets, about; ``members`` a quarter of them."""

    organization: Organization
    messages: int
    integrations: list[Integration]
    contents: list[Content]
    editor: User
    members: int = field(init=False)
    first_member_id: int = field(init=False, default=0)
    largest_broadcast: Broadcast = field(init=False)

    def __post_init__(self) -> None:
        self.members = max(10, self.messages // 4)


def make_owner(name: str, messages: int, now: datetime) -> Owner:
    organization = Organization.objects.create(name=name)
    credits.top_up(organization=organization, amount=20 * messages + 1_000)
    made = [_integration(organization, *route) for route in ROUTES]
    editor = User.objects.create_user(
        f"editor of {name}", organization=organization, role=Role.EDITOR
    )
    return Owner(organization, messages, made, _contents(organization), editor)


def _integration(
    organization: Organization,
    name: str,
    kind: str,
    price: int,
    settings: dict[str, Any],
    credentials: dict[str, str],
) -> Integration:
    made = Integration(
        organization=organization,
        name=name,
        kind=kind,
        settings=settings,
        credit_price=price,
        rate_per_second=1_000,
    )
    made.credentials = credentials
    made.save()
    return made


def _contents(organization: Organization) -> list[Content]:
    """Make the templates that are sent."""
    texts = {
        "bill": "Your bill is ready, {{name}}.",
        "holiday": "We are closed on Monday, {{name}}.",
    }
    return [
        Content.objects.create(
            organization=organization,
            kind="template",
            name=name,
            payload={
                "name": name,
                "language": "en",
                "category": "utility",
                "body": text,
                "parameters": [],
            },
        )
        for name, text in texts.items()
    ]
