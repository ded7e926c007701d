"""What needs a person, worst first, each with the one next step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone

from broadcasts import quota, summary
from broadcasts.models import Broadcast, BroadcastState
from broadcasts.summary import Cause, Counters
from broadcasts.views.links import messages_of, page_of
from broadcasts.views.outcomes import short_title
from messaging.channels.catalogue import lookup
from messaging.models import (
    Contact,
    Integration,
    IntegrationState,
    Organization,
    Pulse,
    StoppedRetry,
    User,
)
from resend_admin.ui.time_zones import moment_in_words

LOOKED_AT = 50
"""Of the newest finished broadcasts, so many are looked at."""
SHOWN = 5
LATE = timedelta(minutes=1)
"""A message due for longer, with nothing leaving, is worth a warning."""


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
            Contact.objects.filter(**mine).exists(),
        ),
        Step(
            "Connect an integration",
            "A WhatsApp number, a Telegram bot, an SMS sender or a mail server.",
            "Add an integration",
            _admin_page(person, "integration_add"),
            Integration.objects.filter(**mine).exists(),
        ),
        Step(
            "Create a broadcast",
            "Write a text, choose who gets it and when, and watch it arrive.",
            "New broadcast",
            reverse("broadcasts:broadcast-create") if person.may_write else "",
            Broadcast.objects.filter(**mine).exists(),
        ),
    ]
    following = next((at for at, one in enumerate(steps) if not one.is_done), None)
    return [replace(one, is_next=at == following) for at, one in enumerate(steps)]


def _admin_page(person: User, name: str, *args: int) -> str:
    """Return a page of Django admin, for people who may manage there."""
    may_enter = person.is_staff and person.may_manage
    return reverse(f"admin:messaging_{name}", args=args) if may_enter else ""


@dataclass(frozen=True, slots=True)
class Missed:
    """A finished broadcast with members whom it did not reach."""

    broadcast: Broadcast
    counters: Counters

    @property
    def url(self) -> str:
        return page_of(self.broadcast)

    @property
    def worst(self) -> Cause | None:
        return next(iter(self.counters.causes), None)

    @property
    def worst_title(self) -> str:
        return short_title(self.worst.entry) if self.worst else ""

    @property
    def unknown_url(self) -> str:
        return messages_of(self.broadcast.pk, state="unknown")


def missed(organization: Organization) -> list[Missed]:
    """Return broadcasts with failed or unknown ones that nobody has retried yet."""
    retried = Broadcast.objects.filter(retry_of=OuterRef("pk")).exclude(
        state=BroadcastState.CANCELLED
    )
    newest = list(
        Broadcast.objects.filter(
            ~Exists(retried),
            organization=organization,
            state__in=[BroadcastState.COMPLETED, BroadcastState.CANCELLED],
        ).order_by("-pk")[:LOOKED_AT]
    )
    counters = summary.counters(one.pk for one in newest)
    found = [Missed(one, counters[one.pk]) for one in newest]
    wanting = [
        one for one in found if one.counters.kept_failed or one.counters.kept_unknown
    ]
    wanting.sort(key=lambda one: -(one.counters.failed + one.counters.unknown))
    return wanting[:SHOWN]


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
        Trouble(one, _admin_page(person, "integration_change", one.pk), *trouble)
        for one, trouble in found
        if trouble
    ]


def _trouble(integration: Integration) -> tuple[str, str, str, str] | None:
    """Return word, tone, icon and reason, or nothing when all is well."""
    reason = integration.state_reason
    if integration.state == IntegrationState.OFF:
        return "Off", "bad", "ban", reason or "Its messages are skipped."
    if integration.state == IntegrationState.PAUSED:
        waits = "Its messages wait until it is resumed."
        return "Paused", "warn", "pause", reason or waits
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
    return StoppedCodes(rows, _admin_page(person, "stoppedretry_changelist"))


@dataclass(frozen=True, slots=True)
class Slots:
    used: int
    quota: int

    @property
    def are_scarce(self) -> bool:
        return self.used * 5 >= self.quota * 4


def slots(organization: Organization) -> Slots:
    return Slots(quota.slots_used(organization.pk), organization.broadcast_quota)


@dataclass(frozen=True, slots=True)
class Stuck:
    """Messages are due and nothing leaves."""

    since: datetime
    why: str


OLDEST_DUE = """
    SELECT integration.name, integration.state, due.due_at,
           pace.paid_until, pace.paused_until
    FROM messaging_integration AS integration
    CROSS JOIN (VALUES (0), (5)) AS kind (priority)
    CROSS JOIN LATERAL (
        SELECT message.due_at
        FROM messaging_message AS message
        WHERE message.integration_id = integration.id
          AND message.priority = kind.priority
          AND message.state = 'queued'
        ORDER BY message.due_at
        LIMIT 1
    ) AS due
    LEFT JOIN messaging_integrationpace AS pace
        ON pace.integration_id = integration.id
    WHERE integration.organization_id = %s
    ORDER BY due.due_at
"""
"""The oldest due message of each integration: one look into its index each."""


def stuck(organization: Organization) -> Stuck | None:
    """Tell since when nothing leaves although something is due, and why.

    A long queue that moves is none of it: its integration has used its rate
    within the last minute.
    """
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(OLDEST_DUE, [organization.pk])
        rows = cursor.fetchall()
    for name, state, due_at, paid_until, paused_until in rows:
        if due_at > now - LATE:
            continue
        if paid_until is not None and paid_until > now - LATE:
            continue
        return Stuck(due_at, _why(name, state, paused_until, now))
    return None


def _why(name: str, state: str, paused_until: datetime | None, now: datetime) -> str:
    if state == IntegrationState.PAUSED:
        return f"“{name}” is paused. Resume it and its queue goes out."
    if paused_until is not None and paused_until > now:
        until = moment_in_words(paused_until)
        return f"The provider of “{name}” asked for a pause until {until}."
    pulse = Pulse.objects.first()
    if pulse is None:
        return "The engine has never run. Start a worker and beat."
    if pulse.beaten_at < now - LATE:
        when = moment_in_words(pulse.beaten_at)
        return f"The engine was last heard on {when}. Start a worker and beat."
    return (
        f"The engine runs, but takes nothing from “{name}”. Look at the worker's log."
    )
