"""What stands in the way of sending, apart from messages that failed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.models import QuerySet
from django.urls import reverse

from broadcasts import quota
from broadcasts.models import Broadcast
from broadcasts.views.outcomes import short_title
from messaging.channels.catalogue import lookup
from messaging.models import (
    Contact,
    Integration,
    IntegrationState,
    Organization,
    StoppedRetry,
    User,
)

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Step:
    """One of the three steps before the first broadcast.

    ``url`` is empty where it takes somebody with more rights.
    """

    title: str
    text: str
    verb: str
    url: str
    is_done: bool
    is_next: bool = False


def first_steps(person: User, organization: Organization) -> list[Step]:
    """Return the three steps; the first that is to be done comes next."""
    mine = {"organization": organization}
    steps = [
        Step(
            "Import members",
            "A CSV file with names and phone numbers is enough.",
            "Import members",
            reverse("messaging:member-import") if person.may_write else "",
            _is_there(Contact.objects.filter(**mine)),
        ),
        Step(
            "Connect an integration",
            "A WhatsApp number, a Telegram bot, an SMS sender or a mail server.",
            "Add an integration",
            admin_page(person, "integration_add"),
            _is_there(Integration.objects.filter(**mine)),
        ),
        Step(
            "Create a broadcast",
            "Write a text, choose who gets it and when, and watch it arrive.",
            "New broadcast",
            reverse("broadcasts:broadcast-create") if person.may_write else "",
            _is_there(Broadcast.objects.filter(**mine)),
        ),
    ]
    following = next((at for at, one in enumerate(steps) if not one.is_done), None)
    return [replace(one, is_next=at == following) for at, one in enumerate(steps)]


def _is_there(rows: QuerySet[Any]) -> bool:
    """Whether there is any, by the index of the newest: others may own millions."""
    return rows.order_by("-pk").values_list("pk").first() is not None


def admin_page(person: User, name: str, *args: int) -> str:
    """Return a page of Django admin, for people who may manage there."""
    may_enter = person.is_staff and person.may_manage
    return reverse(f"admin:messaging_{name}", args=args) if may_enter else ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """An integration that does not send as it should, and why."""

    integration: Integration
    url: str
    word: str
    tone: str
    icon: str
    why: str


def troubled_integrations(person: User, organization: Organization) -> list[Trouble]:
    """Return the integrations that are paused, off or incomplete."""
    own = Integration.objects.filter(organization=organization)[:100]
    found = ((one, _trouble(one)) for one in own)
    return [
        Trouble(one, admin_page(person, "integration_change", one.pk), *trouble)
        for one, trouble in found
        if trouble
    ]


def _trouble(integration: Integration) -> tuple[str, str, str, str] | None:
    """Return word, tone, icon and reason, or nothing when all is well."""
    reason = integration.state_reason
    if integration.state == IntegrationState.OFF:
        return "Off", "bad", "ban", reason or "Its messages are skipped."
    if integration.state == IntegrationState.PAUSED:
        return "Paused", "warn", "pause", reason
    try:
        problems = integration.provider.problems(integration.account)
    except ImproperlyConfigured as problem:
        problems = [str(problem)]
    return ("Incomplete", "bad", "wrench", problems[0]) if problems else None


@dataclass(frozen=True, slots=True)
class Stopped:
    """An error code that is not retried by itself any more, and what it brought."""

    title: str
    retry: StoppedRetry


@dataclass(frozen=True, slots=True)
class StoppedCodes:
    rows: list[Stopped]
    url: str
    """Where somebody who may can resume them."""


def stopped_retries(person: User, organization: Organization) -> StoppedCodes | None:
    """Return the codes whose automatic retries stopped by themselves."""
    found = StoppedRetry.objects.filter(
        organization=organization, resumed_at=None
    ).order_by("-pk")[:SHOWN]
    rows = [Stopped(short_title(lookup(one.error_code)), one) for one in found]
    if not rows:
        return None
    return StoppedCodes(rows, admin_page(person, "stoppedretry_changelist"))


@dataclass(frozen=True, slots=True)
class Slots:
    used: int
    quota: int

    @property
    def are_scarce(self) -> bool:
        return self.used * 5 >= self.quota * 4


def slots(organization: Organization) -> Slots:
    return Slots(quota.slots_used(organization.pk), organization.broadcast_quota)
