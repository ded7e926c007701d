"""A retry of 200,000 of 1,000,000 members, beside one raw INSERT … SELECT."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.report import Report, Target
from benchmarks.visits import prepare

if TYPE_CHECKING:
    from benchmarks.stage import Stage
    from broadcasts.models import Broadcast

MEMBERS = 1_000_000
FAILED_PERCENT = 20
ROUNDS = 3
"""Between two looks at the limit each; the one in the middle counts."""
RAW = Path(__file__).parent / "sql" / "raw_copy.sql"
TARGETS = {
    "making_and_starting_to_raw": Target(at_most=1.5),
    "answer_seconds": Target(at_most=1.0),
}


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds from the click until every row of a retry waits to leave."""

    answer: float
    preparing: float
    """What happens in the background before it starts."""
    starting: float

    @property
    def whole(self) -> float:
        return self.answer + self.preparing + self.starting


def run(stage: Stage) -> Report:
    """Confirm the dialog, let the rows be made, and start; the limit in between.

    As the dialog proposes it, in two minutes; and then once for tomorrow, which is
    another way: its rows are planned first. The steps of the tick are called here,
    without a worker, so that nothing else is in the figure.
    """
    from benchmarks.population import one_broadcast

    prepare()
    members = stage.size(MEMBERS, 5_000)
    stage.say(f"making a broadcast of {members:,} messages…")
    owner = one_broadcast(members, FAILED_PERCENT)
    source = owner.largest_broadcast
    raw = [_raw(source)]
    rounds = []
    for number in range(1, ROUNDS + 1):
        stage.say(f"retrying as the dialog proposes, {number} of {ROUNDS}…")
        retry, taken = _measured(owner.editor, source, timedelta())
        queued = _count(retry, "queued")
        _undo(retry)
        rounds.append(taken)
        raw.append(_raw(source))
    limit = median(raw)
    soon = sorted(rounds, key=lambda one: one.whole)[ROUNDS // 2]
    stage.say("retrying tomorrow…")
    _, tomorrow = _measured(owner.editor, source, timedelta(days=1))
    return Report(
        title=f"Retry of {queued:,} failed in a broadcast of {members:,}",
        columns=("step", "seconds", "of the limit"),
        rows=[
            ("one raw INSERT … SELECT (the limit)", limit, "1.00"),
            ("the page answers", soon.answer, f"{soon.answer / limit:.2f}"),
            ("until it starts", soon.preparing, f"{soon.preparing / limit:.2f}"),
            ("every row waits to leave", soon.starting, f"{soon.starting / limit:.2f}"),
            ("together", soon.whole, f"{soon.whole / limit:.2f}"),
            *_of_tomorrow(tomorrow, limit),
        ],
        ratios={
            "making_and_starting_to_raw": soon.whole / limit,
            "answer_seconds": soon.answer,
            "tomorrow_to_raw": tomorrow.whole / limit,
        },
        targets=TARGETS,
        raw={
            "rows": queued,
            "raw_seconds": raw,
            "soon": [asdict(one) for one in rounds],
            "tomorrow": asdict(tomorrow),
        },
    )


def _of_tomorrow(taken: Taken, limit: float) -> list[tuple[str, float, str]]:
    return [
        (f"for tomorrow: {step}", seconds, f"{seconds / limit:.2f}")
        for step, seconds in (
            ("the page answers", taken.answer),
            ("every row is planned", taken.preparing),
            ("every row waits to leave", taken.starting),
            ("together", taken.whole),
        )
    ]


def _measured(
    editor: Any, source: Broadcast, later: timedelta
) -> tuple[Broadcast, Taken]:
    """Retry it so much later than the dialog proposes; the time is then brought on."""
    from broadcasts import freezing, run
    from broadcasts.fill import fill_page

    answer, retry = _confirmed(editor, source, later)
    preparing = _seconds(lambda: _until_done(freezing.fill_page, retry.pk))
    _make_due(retry)
    starting = _seconds(run.start_due)
    starting += _seconds(lambda: _until_done(fill_page, retry.pk))
    return retry, Taken(answer, preparing, starting)


def _undo(retry: Broadcast) -> None:
    """Leave no trace of a retry, so that the next one finds what this one found."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(
            "DELETE FROM messaging_message WHERE broadcast_id = %s", [retry.pk]
        )
        retry.delete()
        cursor.execute("VACUUM ANALYZE messaging_message")
        cursor.execute("RESET statement_timeout")


def _seconds(step: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    step()
    return time.perf_counter() - begin


def _until_done(page: Callable[[int], bool], broadcast_id: int) -> None:
    while page(broadcast_id):
        """Another page."""


def _raw(source: Broadcast) -> float:
    """Copy the rows by one statement, foreign keys and all, and take it back."""
    from django.db import connection, transaction

    from broadcasts.models import Broadcast

    with transaction.atomic():
        copy = Broadcast.objects.create(
            organization=source.organization, name="Copy", kind=source.kind
        )
        values = {"source_id": source.pk, "broadcast_id": copy.pk}
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 0")
            begin = time.perf_counter()
            cursor.execute(RAW.read_text(), values)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            taken = time.perf_counter() - begin
        transaction.set_rollback(True)
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("VACUUM ANALYZE messaging_message")
        cursor.execute("RESET statement_timeout")
    return taken


def _confirmed(
    editor: Any, source: Broadcast, later: timedelta
) -> tuple[float, Broadcast]:
    """Open the dialog as a person does, and confirm it."""
    from django.test import Client
    from django.urls import reverse
    from django.utils import timezone

    client = Client(headers={"host": "localhost"})
    client.force_login(editor)
    address = reverse("broadcasts:broadcast-retry", args=[source.pk])
    shown = client.get(address).context
    run_at = timezone.localtime(shown["offer"].run_at) + later
    posted = {
        "run_at": f"{run_at:%Y-%m-%dT%H:%M}",
        **{name: shown[name] for name in ("shown_at", "shown_count")},
    }
    begin = time.perf_counter()
    answer = client.post(address, posted)
    taken = time.perf_counter() - begin
    if answer.status_code != 302:
        message = f"The dialog was refused: {answer.context['form'].errors.as_text()}"
        raise RuntimeError(message)
    return taken, source.retries.get()


def _make_due(retry: Broadcast) -> None:
    from django.db.models.functions import Now

    from broadcasts.models import Broadcast

    Broadcast.objects.filter(pk=retry.pk).update(run_at=Now())


def _count(retry: Broadcast, state: str) -> int:
    from messaging.models import Message

    return Message.objects.filter(broadcast_id=retry.pk, state=state).count()
