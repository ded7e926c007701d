"""What somebody would pick instead, each in its own database on the same server."""

from __future__ import annotations

import os

import psycopg
from celery import Celery

from benchmarks.contenders import wire
from benchmarks.contenders.arena import Arena
from benchmarks.contenders.measured import Measured

CONCURRENCY = 100
"""Requests at a time, as with our default, where a contender lets one choose."""

FILL_SECONDS = 120
QUEUE = "messages"

TABLE = """
CREATE TABLE message (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    recipient text NOT NULL,
    words text NOT NULL,
    state text NOT NULL DEFAULT 'queued',
    provider_id text NOT NULL DEFAULT '',
    done_at timestamptz
)
"""


def bare(
    arena: Arena, name: str, messages: int, provider: str, *client: str
) -> Measured:
    """A client that posts and remembers nothing: the limit."""
    return arena.measure_at_gate(
        name,
        messages,
        *("-m", "benchmarks.contenders.bare_client"),
        *(provider, str(messages), str(CONCURRENCY), *client),
        uses_postgres=False,
    )


def celery(arena: Arena, messages: int, *, tuned: bool = False) -> Measured:
    """One task per message: tasks are waiting when the worker's queue is opened."""
    name = _name("Celery task per message, httpx", tuned)
    url = _table(arena, f"celery_peer_{tuned:d}", messages)
    environment = {
        "PEER_DATABASE_URL": url,
        "BROKER_URL": arena.stage.broker.url.removesuffix("/0") + f"/{1 + tuned}",
        "PEER_IS_TUNED": "yes" if tuned else "no",
        "PEER_PROVIDER_URL": arena.provider(),
    }
    app = Celery(broker=environment["BROKER_URL"], set_as_current=False)
    for message_id in range(1, messages + 1):
        app.send_task("send", args=[message_id], queue=QUEUE)
    worker = arena.stage.start(
        name,
        *("-m", "celery", "-A", "benchmarks.contenders.celery_tasks:app", "worker"),
        *("--loglevel=WARNING", f"--concurrency={os.cpu_count()}"),
        environment=environment,
    )
    arena.wait(name, worker, lambda: bool(app.control.ping(timeout=0.3)))
    with psycopg.connect(url, autocommit=True) as database:
        try:
            return arena.measure(
                name,
                messages,
                worker,
                lambda: app.control.add_consumer(QUEUE),
                lambda: not _waits(database),
            )
        finally:
            arena.stage.stop(worker)


def procrastinate(arena: Arena, messages: int) -> Measured:
    """One job per message, deferred in one batch before the clock starts."""
    url = _table(arena, "procrastinate_peer", messages)
    environment = {"PEER_DATABASE_URL": url, "PEER_PROVIDER_URL": arena.provider()}
    worker = ("-m", "benchmarks.contenders.procrastinate_worker")
    _run(arena, "procrastinate fill", *worker, "fill", str(messages), **environment)
    return arena.measure_at_gate(
        "procrastinate, aiohttp",
        messages,
        *(*worker, "work", str(CONCURRENCY)),
        environment=environment,
    )


def post_office(
    arena: Arena, messages: int, *, tuned: bool = False, turn: int = 1
) -> Measured:
    """Its own queue and command, with a backend that posts to the provider."""
    database = f"post_office_peer_{tuned:d}_{turn}"
    environment = {
        "PEER_DATABASE_URL": arena.stage.database(database),
        "PEER_IS_TUNED": "yes" if tuned else "no",
        "PEER_PROVIDER_URL": arena.provider(),
        "DJANGO_SETTINGS_MODULE": "benchmarks.contenders.post_office_settings",
    }
    sender = ("-m", "benchmarks.contenders.post_office_sender")
    _run(arena, "post office fill", *sender, "fill", str(messages), **environment)
    return arena.measure_at_gate(
        f"{_name('django-post_office, requests', tuned)} {turn}",
        messages,
        *sender,
        environment=environment,
    )


def _name(name: str, tuned: bool) -> str:
    return f"{name}, tuned" if tuned else name


def _run(arena: Arena, name: str, *arguments: str, **environment: str) -> None:
    """Run a program to its end."""
    child = arena.stage.start(name, *arguments, environment=environment)
    if child.wait(FILL_SECONDS):
        arena.stage.check(name, child)


def _table(arena: Arena, database: str, messages: int) -> str:
    url = arena.stage.database(database)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(TABLE)
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO message (recipient, words) VALUES (%s, %s)",
                [(wire.recipient(number), wire.text()) for number in range(messages)],
            )
        connection.execute("CREATE INDEX ON message (id) WHERE state <> 'sent'")
        connection.execute("VACUUM ANALYZE message")
    return url


def _waits(database: psycopg.Connection[tuple[bool]]) -> bool:
    row = database.execute(
        "SELECT EXISTS (SELECT FROM message WHERE state <> 'sent')"
    ).fetchone()
    assert row is not None
    return row[0]
