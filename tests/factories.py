"""Two organizations that look alike, and rows in any state.

Every test has both: what the second one owns must never show up.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from broadcasts.models import Broadcast, BroadcastKind, BroadcastState
from messaging import credits
from messaging.models import (
    Contact,
    Content,
    CreditAccount,
    Integration,
    Message,
    MessageState,
    Organization,
    Priority,
    Role,
    User,
)

_number = itertools.count(1)

CREDENTIALS: dict[str, dict[str, str]] = {
    "whatsapp_cloud": {
        "access_token": "token",
        "app_secret": "app-secret",
        "verify_token": "verify-me",
    },
    "device_gateway": {
        "api_token": "9b1c7e2a-44d3-4a55-8f10-2b3c4d5e6f70",
        "webhook_secret": "webhook-secret",
    },
    "telegram_bot": {"bot_token": "7:bot", "secret_token": "secret-token"},
    "twilio": {"auth_token": "auth-token"},
    "smtp": {"username": "", "password": ""},
}
SETTINGS: dict[str, dict[str, Any]] = {
    "whatsapp_cloud": {"phone_number_id": "1555"},
    "device_gateway": {"device_id": "device"},
    "telegram_bot": {},
    "twilio": {"account_sid": "AC1", "from_number": "+15550001111"},
    "smtp": {
        "host": "127.0.0.1",
        "port": 2525,
        "security": "none",
        "from_address": "team@example.org",
    },
}


@dataclass
class World:
    """One organization with the people and things a test needs."""

    organization: Organization
    agent: User = field(init=False)
    editor: User = field(init=False)
    admin: User = field(init=False)

    def __post_init__(self) -> None:
        self.agent = self.person("agent", Role.AGENT)
        self.editor = self.person("editor", Role.EDITOR)
        self.admin = self.person("admin", Role.ADMIN, is_staff=True)

    def person(self, name: str, role: Role, **values: Any) -> User:
        # Without a password: hashing one takes longer than a test. Log in by force.
        return User.objects.create_user(
            f"{name}{self.organization.pk}",
            organization=self.organization,
            role=role,
            **values,
        )

    def integration(self, kind: str = "whatsapp_cloud", **values: Any) -> Integration:
        settings = {**SETTINGS[kind], **values.pop("settings", {})}
        credentials = {**CREDENTIALS[kind], **values.pop("credentials", {})}
        integration = Integration(
            organization=self.organization,
            name=values.pop("name", f"{kind} {next(_number)}"),
            kind=kind,
            settings=settings,
            rate_per_second=values.pop("rate_per_second", 5_000),
            **values,
        )
        integration.credentials = credentials
        integration.save()
        return integration

    def contact(self, last_digits: str = "", **values: Any) -> Contact:
        number = next(_number)
        phone = f"+23324{number:05d}{last_digits or f'{1000 + number % 9000}'}"
        values.setdefault("phone", phone)
        values.setdefault("name", f"Member {number}")
        values.setdefault("external_id", f"M{number}")
        return Contact.objects.create(organization=self.organization, **values)

    def text(self, text: str = "Hello {{first_name}}") -> Content:
        return Content.objects.create(
            organization=self.organization, kind="text", payload={"text": text}
        )

    def template(self, name: str = "renewal", body: str = "Hello {{name}}") -> Content:
        return Content.objects.create(
            organization=self.organization,
            kind="template",
            name=name,
            payload={
                "name": name,
                "language": "en",
                "category": "utility",
                "body": body,
                "parameters": [],
            },
        )

    def rest(self) -> None:
        """Let the pause pass that providers want between messages to one person."""
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM messaging_pairpace")

    def message(
        self,
        state: str = MessageState.QUEUED,
        *,
        contact: Contact | None = None,
        **values: Any,
    ) -> Message:
        """Make a message that has no attempt yet: planned, queued or skipped."""
        contact = contact or self.contact()
        integration = values.pop("integration", None) or self.integration()
        channel = integration.channel
        values.setdefault("recipient", contact.address(channel))
        if state == MessageState.QUEUED:
            values.setdefault("due_at", timezone.now() - timedelta(minutes=1))
        message = Message.objects.create(
            organization=self.organization,
            contact=contact,
            integration=integration,
            content=values.pop("content", None) or self.text(),
            channel=channel,
            state=state,
            day=values.pop("day", timezone.now().date()),
            parameters=values.pop(
                "parameters", {"name": contact.name, "first_name": "Ama"}
            ),
            priority=values.pop("priority", Priority.BULK),
            **values,
        )
        message.refresh_from_db()
        return message

    def broadcast(
        self, state: str = BroadcastState.COMPLETED, **values: Any
    ) -> Broadcast:
        now: datetime = timezone.now()
        if state != BroadcastState.DRAFT:
            values.setdefault("run_at", now)
        if state in {"completed", "cancelled", "failed"}:
            values.setdefault("finished_at", now)
        return Broadcast.objects.create(
            organization=self.organization,
            name=values.pop("name", f"Broadcast {next(_number)}"),
            kind=values.pop("kind", BroadcastKind.TEMPLATE),
            state=state,
            **values,
        )

    def top_up(self, amount: int) -> None:
        credits.top_up(organization=self.organization, amount=amount)

    @property
    def account(self) -> CreditAccount:
        return CreditAccount.objects.get(organization=self.organization)


def world(name: str, credits: int = 1_000_000) -> World:
    made = World(Organization.objects.create(name=name))
    if credits:
        made.top_up(credits)
    return made
