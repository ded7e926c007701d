"""The servers of the test run stand before Django reads its settings."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import django
import pytest
from django.db import connection, transaction
from django.test import TransactionTestCase

from resend_admin import garbage
from resend_admin.local.servers import for_tests
from resend_admin.sandbox.thread import Sandbox
from tests.find_browser import find_browser

if TYPE_CHECKING:
    from tests.factories import World

os.environ.update(for_tests())
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resend_admin.settings")
# Playwright's synchronous interface keeps a loop running on the main thread, and
# Django takes that for asynchronous code.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
# A conftest below may need models before pytest-django would set them up.
django.setup()


TOLD_BY_MIGRATIONS = {
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "django_content_type",
}
"""Tables that say the same in every test."""


SMALL = 2**20
"""Bytes of a table that is emptied row by row."""


def empty_the_tables(self: TransactionTestCase) -> None:
    """Leave nothing of a test that committed, but what is made after migrations.

    Django would empty that as well, and make it again after each of these tests. To
    make all tables anew takes as long as many a test does, so that is done only when
    one of them has grown. Else the few rows there are go, and no trigger counts them.
    """
    names = {*connection.introspection.django_table_names()} - TOLD_BY_MIGRATIONS
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('%%I', relname), pg_relation_size(oid) FROM pg_class"
            " WHERE relnamespace = current_schema()::regnamespace"
            " AND relkind = 'r' AND relname = ANY (%s)",
            [[*names]],
        )
        sizes = dict(cursor.fetchall())
        if max(sizes.values()) > SMALL:
            cursor.execute(f"TRUNCATE {', '.join(sorted(sizes))}")
            return
        cursor.execute("SET LOCAL session_replication_role = replica")
        for name, size in sizes.items():
            if size:
                cursor.execute(f"DELETE FROM {name}")  # noqa: S608


setattr(TransactionTestCase, "_fixture_teardown", empty_the_tables)  # noqa: B010


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests with a browser last.

    Playwright keeps a loop running on the main thread from its first use on, and
    nothing else could run one of its own there.
    """
    items.sort(key=lambda item: "browser" in getattr(item, "fixturenames", ()))


def pytest_collection_finish() -> None:
    """Treat a run of tests as the process that lives long which it is."""
    garbage.expect_little()


@pytest.fixture(scope="session", autouse=True)
def static_files_as_they_are() -> Iterator[None]:
    """Serve files without collecting them under hashed names first.

    Of session scope, because the live server is.
    """
    from django.conf import settings
    from django.test import override_settings

    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    storages = {**settings.STORAGES, "staticfiles": plain}
    with override_settings(STORAGES=storages, WHITENOISE_AUTOREFRESH=True):
        yield


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, Any],
) -> dict[str, Any]:
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {
        **browser_type_launch_args,
        "executable_path": find_browser(),
        "args": arguments,
    }


@pytest.fixture
def ours(db: None) -> World:
    """The organization that a test acts for."""
    from tests.factories import world

    return world("Ours")


@pytest.fixture
def theirs(db: None) -> World:
    """The other organization, which a test must never meet."""
    from tests.factories import world

    return world("Theirs")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running
