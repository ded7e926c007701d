"""How many there may be, and which one to free."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from broadcasts import drafts, schedule
from broadcasts.models import Broadcast
from broadcasts.problems import Problem, ProblemCode
from tests.broadcasts.factories import (
    draft,
    refusal,
    scheduled,
    template_fields,
)
from tests.factories import World


@pytest.mark.django_db
def test_the_quota_counts_drafts_and_scheduled_and_names_what_to_free(
    ours: World, theirs: World
) -> None:
    ours.organization.broadcast_quota = 2
    ours.organization.save()
    ours.broadcast("sending")
    draft(theirs)
    oldest = draft(ours, name="Oldest draft")
    soonest = scheduled(ours, name="Soonest")

    problem = refusal(lambda: draft(ours))

    assert problem.code == ProblemCode.QUOTA_EXCEEDED
    assert "All 2 slots" in problem.sentence
    assert "“Oldest draft”" in problem.sentence
    assert "cancel “Soonest”, the next to run on" in problem.sentence
    drafts.delete_draft(broadcast=oldest, person=ours.editor)
    assert draft(ours)
    schedule.cancel(broadcast=soonest, person=ours.editor)
    assert draft(ours)


@pytest.mark.django_db(transaction=True)
def test_ten_threads_cannot_take_more_slots_than_there_are(ours: World) -> None:
    ours.organization.broadcast_quota = 3
    ours.organization.save()
    fields = template_fields(ours)
    refused: list[ProblemCode] = []
    start = threading.Barrier(10)

    def create() -> None:
        try:
            start.wait()
            drafts.create_draft(
                organization=ours.organization, person=ours.editor, fields=fields
            )
        except Problem as problem:
            refused.append(problem.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=create) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert Broadcast.objects.count() == 3
    assert refused == [ProblemCode.QUOTA_EXCEEDED] * 7
