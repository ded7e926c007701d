"""The short way to all tables: the same models, and no step is done twice."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

FIRST = "messaging.0001_squashed_0006_search_by_beginning"
SECOND = "messaging.0007_squashed_0022_rights"
BROADCASTS = "broadcasts.0001_squashed_0006_frozen_members"
LAST_REPLACED = {"messaging": 22, "broadcasts": 6}


def test_both_ways_end_with_the_same_models() -> None:
    long = MigrationLoader(None, replace_migrations=False)
    short = MigrationLoader(None)

    # The short cuts are steps of their own here, and not of the long way.
    ends = [one for one in long.graph.leaf_nodes() if "_squashed_" not in one[1]]
    expected, found = long.project_state(ends), short.project_state()

    assert MigrationAutodetector(expected, found).changes(graph=short.graph) == {}
    # Nor does one have its columns in another order.
    assert {key: list(model.fields) for key, model in found.models.items()} == {
        key: list(model.fields) for key, model in expected.models.items()
    }


def plan_from(stands_at: dict[str, int]) -> list[str]:
    """Return what is left of the replaced steps, or takes their place."""
    applied = MigrationRecorder(connection).migration_qs
    for app, last in stands_at.items():
        for row in applied.filter(app=app):
            if "_squashed_" in row.name or int(row.name[:4]) > last:
                row.delete()
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [
        f"{migration.app_label}.{migration.name}"
        for migration, _ in plan
        if int(migration.name[:4]) <= LAST_REPLACED.get(migration.app_label, -1)
    ]


@pytest.mark.django_db
def test_an_empty_database_goes_the_short_way() -> None:
    assert plan_from({"messaging": 0, "broadcasts": 0}) == [FIRST, SECOND, BROADCASTS]


@pytest.mark.django_db
def test_one_that_is_done_with_them_does_nothing_again() -> None:
    assert plan_from(LAST_REPLACED) == []


@pytest.mark.django_db
def test_one_that_stopped_between_the_two_steps_does_the_second() -> None:
    assert plan_from({"messaging": 6, "broadcasts": 0}) == [SECOND, BROADCASTS]


@pytest.mark.django_db
@pytest.mark.parametrize(("messaging", "broadcasts"), [(7, 0), (10, 3), (22, 4)])
def test_one_that_stands_half_way_goes_on_step_by_step(
    messaging: int, broadcasts: int
) -> None:
    left = plan_from({"messaging": messaging, "broadcasts": broadcasts})

    assert [int(name.split(".")[1][:4]) for name in left if name[0] == "m"] == list(
        range(messaging + 1, 23)
    )
    if broadcasts:
        assert [int(name.split(".")[1][:4]) for name in left if name[0] == "b"] == list(
            range(broadcasts + 1, 7)
        )
    else:
        assert BROADCASTS in left
