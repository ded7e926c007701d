"""Bulk resend of 100,000 messages: the dialog, the freezing, and until all are sent."""

from __future__ import annotations

import time
from pathlib import Path

from django.db import connection

from benchmarks.contenders.arena import Arena, arena
from benchmarks.contenders.ours import Ours, check_records, open_up, waits
from benchmarks.report import Report
from benchmarks.stage import Stage
from broadcasts.models import Broadcast
from messaging.bulk.freezing import Order, freeze
from messaging.bulk.selection import Selection
from messaging.bulk.verdict import verdict
from messaging.models import BulkResend, Message, MessageState, Role, User
from resend_admin.local.problem import StartError

MESSAGES = 100_000
FAIL = Path(__file__).parent / "sql" / "failing.sql"
NOTES = (
    "All messages failed two hours ago of causes that pass. They are frozen as the"
    " dialog freezes them; worker and beat are as `make run` starts them, so that"
    " sending begins while the rest is still being queued.",
)


def run(stage: Stage) -> Report:
    """Judge, freeze, and wait until the worker has queued and sent everything."""
    messages = stage.size(MESSAGES, least=100)
    at = arena(stage)
    ours = Ours(at, messages)
    integration, broadcast = ours.queue("Bulk", messages, at.provider())
    _fail(broadcast)
    open_up(integration)
    seconds, bulk = _resend(at, ours, integration.pk, messages)
    check_records(broadcast, messages)
    if bulk.queued_count != messages:
        raise StartError(f"{bulk.queued_count} of {messages} rows were queued.")
    return Report(
        title=f"Bulk resend of {messages:,} frozen rows",
        columns=("step", "seconds", "rows per second"),
        rows=[(name, each, round(messages / each)) for name, each in seconds.items()],
        ratios={
            f"{name.replace(' ', '_')}_seconds": each for name, each in seconds.items()
        },
        raw={
            "rows": messages,
            "seconds": seconds,
            "rows_per_second": {
                name: round(messages / each) for name, each in seconds.items()
            },
        },
        notes=NOTES,
    )


def _fail(broadcast: Broadcast) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(FAIL.read_text(), {"broadcast_id": broadcast.pk})
        # What autovacuum does within a minute.
        cursor.execute("VACUUM ANALYZE messaging_message")
        cursor.execute("RESET statement_timeout")


def _resend(
    at: Arena, ours: Ours, integration_id: int, messages: int
) -> tuple[dict[str, float], BulkResend]:
    """Return the seconds of each step; the last two count from the confirmation."""
    person = User.objects.create_user(
        "editor", organization=ours.organization, role=Role.EDITOR
    )
    failed = Message.objects.filter(
        organization=ours.organization, state=MessageState.FAILED
    )
    selection = Selection(failed, "Every message that failed", is_filter=True)
    begun = time.perf_counter()
    shown = verdict(selection, ours.organization)
    seconds = {"verdict": time.perf_counter() - begun}
    made: list[BulkResend] = []
    confirmed_at = time.perf_counter()

    def confirm() -> None:
        nonlocal confirmed_at
        confirmed_at = time.perf_counter()
        order = Order(person, shown.shown_at, shown.candidates)
        answer = freeze(selection, ours.organization, order)
        if not isinstance(answer, BulkResend):
            raise StartError(f"The bulk resend was refused: {answer.sentence}")
        made.append(answer)
        seconds["freezing"] = time.perf_counter() - confirmed_at

    def is_done() -> bool:
        if "all queued" not in seconds:
            if not BulkResend.objects.filter(state="completed").exists():
                return False
            seconds["all queued"] = time.perf_counter() - confirmed_at
        return not waits(integration_id)

    measured = at.measure("Bulk resend", messages, ours.worker, confirm, is_done)
    seconds["all sent"] = measured.seconds
    made[0].refresh_from_db()
    return seconds, made[0]
