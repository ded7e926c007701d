"""Ours: the worker and beat as ``make run`` starts them, every setting a default.

Everything is recorded: attempts with the provider's answers, tallies, credits.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from django.db import connection
from django.db.models import QuerySet, Sum
from django.utils import timezone

from benchmarks.contenders import wire
from benchmarks.contenders.arena import Arena
from benchmarks.contenders.measured import Measured
from broadcasts.models import Broadcast, BroadcastState, Flow
from messaging import audit, credits
from messaging.dispatch import doorbell
from messaging.models import (
    Attempt,
    Contact,
    Content,
    CreditEntry,
    Integration,
    IntegrationState,
    Message,
    MessageState,
    Organization,
    Tally,
)
from resend_admin.celery import app
from resend_admin.local.problem import StartError
from resend_admin.local.program import Program

NO_LIMIT = 1_000_000.0
"""Messages per second: the provider's rate is not what is measured."""
BATCH = 5_000
FILL = Path(__file__).parents[1] / "sql" / "due_messages.sql"


@dataclass
class Ours:
    """An organization with members, and the running worker and beat."""

    arena: Arena
    members: int
    first: Ours | None = None
    """Whose worker and beat are running already."""
    organization: Organization = field(init=False)
    worker: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.organization = Organization.objects.create(name="Benchmark")
        credits.top_up(organization=self.organization, amount=100_000_000)
        Contact.objects.bulk_create(
            [
                Contact(
                    organization=self.organization,
                    external_id=f"M{number}",
                    name=f"Member {number}",
                    phone=wire.recipient(number),
                )
                for number in range(self.members)
            ],
            batch_size=BATCH,
        )
        if self.first is not None:
            self.worker = self.first.worker
            return
        roster = self.arena.stage.roster
        self.worker = self._start(roster.worker())
        self._start(roster.beat())
        # Starting up is nobody's figure: not ours, and not of whoever goes first.
        self.arena.wait(
            "worker", self.worker, lambda: bool(app.control.ping(timeout=0.3))
        )

    def beside(self, members: int) -> Ours:
        """Return another organization, served by the same processes."""
        return Ours(self.arena, members, first=self)

    def second_worker(self) -> None:
        """Start one more worker; both share everything through PostgreSQL."""
        program = self.arena.stage.roster.worker()
        program.command = [*program.command, "--hostname=second@%h"]
        self._start(program)

    def _start(self, program: Program) -> subprocess.Popen[bytes]:
        program.start()
        self.arena.stage.cleanup.callback(program.stop)
        assert program.child is not None
        return program.child

    def measure(self, name: str, messages: int, provider: str) -> Measured:
        """Send one broadcast to so many members."""
        integration, broadcast = self.queue(name, messages, provider)
        measured = self.arena.measure(
            name,
            messages,
            self.worker,
            lambda: open_up(integration),
            lambda: not waits(integration.pk),
        )
        check_records(broadcast, messages)
        return measured

    def queue(
        self, name: str, messages: int, provider: str, rate: float = NO_LIMIT
    ) -> tuple[Integration, Broadcast]:
        """Queue one broadcast on an integration of its own, still closed."""
        integration = self._integration(name, provider, rate)
        broadcast = self._broadcast(name)
        self._fill(broadcast, integration, messages)
        return integration, broadcast

    def _integration(self, name: str, provider: str, rate: float) -> Integration:
        integration = Integration(
            organization=self.organization,
            name=name,
            kind="whatsapp_cloud",
            settings={"phone_number_id": wire.NUMBER, "base_url": provider},
            rate_per_second=rate,
            # Opened at the start, so that beat does not begin before the clock.
            state=IntegrationState.PAUSED,
        )
        integration.credentials = {
            "access_token": wire.TOKEN,
            "app_secret": "benchmark",
            "verify_token": "benchmark",
        }
        integration.save()
        return integration

    def _broadcast(self, name: str) -> Broadcast:
        content = Content.objects.create(
            organization=self.organization,
            kind="flow",
            payload={"parts": [{"kind": "text", "payload": {"text": wire.TEXT}}]},
        )
        now = timezone.now()
        return Broadcast.objects.create(
            organization=self.organization,
            name=name,
            kind="flow",
            flow=Flow.objects.create(
                organization=self.organization,
                name=name,
                published_content=content,
                is_published=True,
            ),
            content=content,
            state=BroadcastState.SENDING,
            run_at=now,
            started_at=now,
            is_filled=True,
        )

    def _fill(
        self, broadcast: Broadcast, integration: Integration, messages: int
    ) -> None:
        due = timezone.now() - timedelta(seconds=1)
        values = {
            "organization_id": self.organization.pk,
            "broadcast_id": broadcast.pk,
            "integration_id": integration.pk,
            "content_id": broadcast.content_id,
            "channel": integration.channel,
            "due_at": due,
            "day": due.date(),
            "parameters": json.dumps(
                {"first_name": wire.FIRST_NAME, "date": wire.DATE}
            ),
            "messages": messages,
        }
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
            cursor.execute(FILL.read_text(), values)
            # No VACUUM ANALYZE: a worker sends what was queued a moment ago, and
            # statistics know nothing of it yet.
            cursor.execute("RESET statement_timeout")


def check_records(broadcast: Broadcast, messages: int) -> None:
    """Raise :class:`StartError` unless every record is there and agrees."""
    attempts = Attempt.objects.filter(broadcast_id=broadcast.pk, state="sent")
    tallied = Tally.objects.filter(broadcast_id=broadcast.pk, outcome="sent")
    found = {
        "messages": Message.objects.filter(
            broadcast_id=broadcast.pk, state=MessageState.SENT
        ).count(),
        "attempts": attempts.exclude(provider_id="").exclude(answer="").count(),
        "tallies of messages": _total(tallied.filter(unit="message")),
        "tallies of attempts": _total(tallied.filter(unit="attempt")),
        "credits held": CreditEntry.objects.filter(
            step="hold", attempt_id__in=attempts.values("pk")
        ).count(),
    }
    wrong = [f"{count} {name}" for name, count in found.items() if count != messages]
    wrong += [f"tally {one}" for one in audit.tally_differences()[:3]]
    wrong += [f"ledger {one}" for one in audit.ledger_differences()[:3]]
    if wrong:
        raise StartError(f"Of {messages} messages: {'; '.join(wrong)}.")


def open_up(integration: Integration) -> None:
    """Let an integration send what it has."""
    Integration.objects.filter(pk=integration.pk).update(state=IntegrationState.ACTIVE)
    doorbell.ring()


def waits(integration_id: int) -> bool:
    """Tell whether a message of the integration is due or on its way.

    By the tallies, which change with the messages: who looks twenty times a second
    must not search the queue for what has left it. That would be the clock's time.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(count - pruned), 0) > 0 FROM messaging_tally"
            " WHERE unit = 'message' AND outcome IN ('planned', 'queued', 'sending')"
            " AND integration_id = %s",
            [integration_id],
        )
        return bool(cursor.fetchone()[0])


def _total(tallies: QuerySet[Tally]) -> int:
    return tallies.aggregate(total=Sum("count"))["total"] or 0
