"""Retention of a million old messages while a broadcast is sending."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from django.db import connection
from django.db.models import Max, Min
from django.utils import timezone

from benchmarks.bulk_load import bulk_load, without_indexes
from benchmarks.contenders.arena import Arena, arena
from benchmarks.contenders.measured import Measured, rate
from benchmarks.contenders.ours import Ours, check_records, open_up, waits
from benchmarks.owners import Owner, make_owner
from benchmarks.population import TABLES, analyze, owner_values
from benchmarks.report import Report, Target
from benchmarks.stage import Stage
from broadcasts.models import Broadcast, BroadcastKind, BroadcastState
from messaging.dispatch import doorbell
from messaging.models import Message, Organization
from resend_admin.local.problem import StartError

ROUNDS = 3
OLD = 1_000_000
MESSAGES = 15_000
"""So many leave before retention is through."""
MEMBERS = 10_000
KEPT_FOR_NOW = 3_650
"""Days that old rows are kept until their turn."""
PRUNE = "broadcasts.tasks.prune"
FOLDER = Path(__file__).parent / "sql"
TARGETS = {"dispatch_beside_retention": Target(at_least=0.8)}
NOTES = (
    "Retention is the task that beat rings for, in the same worker that sends. The"
    " rounds take turns, and between them tables are vacuumed, as autovacuum does. The"
    " ratio is the median of the rounds'.",
    "Every old message has one attempt, which goes with it.",
)


@dataclass
class Round:
    """A broadcast alone, and one beside retention."""

    alone: Measured
    beside: Measured
    seconds: float
    pruned_meanwhile: int
    outlasted: bool
    """Whether rows were left to prune when the last message had left."""

    @property
    def share(self) -> float:
        """Messages per second beside retention, of those alone just before."""
        return self.beside.rate / self.alone.rate

    def document(self) -> dict[str, Any]:
        return {
            "share": round(self.share, 3),
            "alone": self.alone.document(),
            "beside": self.beside.document(),
            "retention_seconds": round(self.seconds, 1),
            "pruned_meanwhile": self.pruned_meanwhile,
            "retention_outlasted_dispatch": self.outlasted,
        }


@dataclass
class Archive:
    """An organization of which all is old."""

    owner: Owner
    messages: int
    organization: Organization = field(init=False)

    def __post_init__(self) -> None:
        self.organization = self.owner.organization

    def left(self) -> int:
        return Message.objects.filter(organization=self.organization).count()

    def is_there(self) -> bool:
        return Message.objects.filter(organization=self.organization).exists()

    def prune(self) -> None:
        """Let retention begin, in the worker."""
        Organization.objects.filter(pk=self.organization.pk).update(retention_days=30)
        doorbell.call(PRUNE)


def run(stage: Stage) -> Report:
    """Send alone and beside retention in turns, until everything old is gone."""
    old = stage.size(OLD // ROUNDS, least=1_000)
    messages = stage.size(MESSAGES, least=100)
    stage.say(f"making {old * ROUNDS:,} old messages…")
    archives = _archives(old)
    at = arena(stage)
    ours = Ours(at, messages)
    ours.measure("Warming up", max(100, messages // 10), at.provider())
    rounds = [
        _round(at, ours, number, messages, archive)
        for number, archive in enumerate(archives, start=1)
    ]
    return report(rounds, old * ROUNDS)


def report(rounds: list[Round], old: int) -> Report:
    alone = [one.alone for one in rounds]
    beside = [one.beside for one in rounds]
    pruned = old / sum(one.seconds for one in rounds)
    return Report(
        title=f"Dispatch beside the retention of {old:,} old messages",
        columns=("Round", "alone, messages/s", "beside retention", "pruned meanwhile"),
        rows=[
            (
                str(number),
                round(one.alone.rate),
                round(one.beside.rate),
                one.pruned_meanwhile,
            )
            for number, one in enumerate(rounds, start=1)
        ],
        ratios={
            "dispatch_beside_retention": median(one.share for one in rounds),
            "pruned_per_second": pruned,
        },
        targets=TARGETS,
        raw={
            "old_messages": old,
            "rounds": [one.document() for one in rounds],
            "messages_per_second_alone": round(rate(alone), 1),
            "messages_per_second_beside": round(rate(beside), 1),
        },
        notes=(
            *NOTES,
            *(
                f"In round {number} retention was through before the last message left."
                for number, one in enumerate(rounds, start=1)
                if not one.outlasted
            ),
        ),
    )


def _round(
    at: Arena, ours: Ours, number: int, messages: int, archive: Archive
) -> Round:
    analyze()
    alone = ours.measure(f"Alone {number}", messages, at.provider())
    name = f"Beside retention {number}"
    integration, broadcast = ours.queue(name, messages, at.provider())
    analyze()
    before = archive.left()
    if before != archive.messages:
        raise StartError(f"{before} of {archive.messages} old messages are there.")
    begun = time.perf_counter()
    archive.prune()
    at.wait(name, ours.worker, lambda: archive.left() < before)
    first = archive.left()
    beside = at.measure(
        name,
        messages,
        ours.worker,
        lambda: open_up(integration),
        lambda: not waits(integration.pk),
    )
    left = archive.left()
    at.wait(name, ours.worker, lambda: not archive.is_there())
    seconds = time.perf_counter() - begun
    at.stage.say(f"retention: {archive.messages:,} messages in {seconds:,.0f} s")
    check_records(broadcast, messages)
    return Round(alone, beside, seconds, first - left, left > 0)


def _archives(messages: int) -> list[Archive]:
    now = timezone.now()
    made = []
    with bulk_load(TABLES):
        with without_indexes(TABLES):
            for number in range(1, ROUNDS + 1):
                # An owner has a quarter as many members as it is told of messages.
                members = min(MEMBERS, messages)
                owner = make_owner(f"Archive {number}", 4 * members, now)
                _fill(owner, messages, now)
                made.append(Archive(owner, messages))
        analyze()
    return made


def _fill(owner: Owner, messages: int, now: datetime) -> None:
    """Make so many old messages, each to one of the members, and their attempts."""
    organization = owner.organization
    organization.retention_days = KEPT_FOR_NOW
    organization.save(update_fields=["retention_days"])
    started_at = now - timedelta(days=90)
    Broadcast.objects.bulk_create(
        Broadcast(
            organization=organization,
            name=f"Newsletter {number}",
            kind=BroadcastKind.TEMPLATE,
            state=BroadcastState.COMPLETED,
            run_at=started_at + timedelta(days=number % 50),
            started_at=started_at + timedelta(days=number % 50),
            finished_at=started_at + timedelta(days=number % 50, hours=1),
            is_filled=True,
        )
        for number in range(-(-messages // MEMBERS))
    )
    integration = owner.integrations[0]
    # Credits that were charged stay in the ledger; they are not what is pruned.
    integration.credit_price = 0
    integration.save(update_fields=["credit_price"])
    values = {
        **owner_values(owner),
        "integration_id": integration.pk,
        "content_id": owner.contents[0].pk,
        "messages": messages,
        "number": 1,
        "now": now,
    }
    _run("members", values)
    _run("old_messages", values)
    ids = Message.objects.filter(organization=organization).aggregate(
        first=Min("pk"), last=Max("pk")
    )
    _run("attempts_open", {**values, **ids})
    _run("attempts_close", {**values, **ids})


def _run(name: str, values: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute((FOLDER / f"{name}.sql").read_text(), values)
