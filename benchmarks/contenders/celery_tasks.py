"""One Celery task per message with httpx: what most projects begin with.

As the documentation shows it, a task calls ``httpx.post`` and opens a connection to
PostgreSQL, as Django does for each task unless ``CONN_MAX_AGE`` is set. Tuned, every
worker process keeps one of each. There is no ORM in either, which is in its favour.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import httpx
import psycopg
from celery import Celery

from benchmarks.contenders import wire

Database = psycopg.Connection[tuple[str, str]]
app = Celery("celery_tasks", broker=os.environ["BROKER_URL"])
app.conf.update(
    task_ignore_result=True,
    task_default_queue="idle",
    broker_connection_retry_on_startup=True,
)


KEEPS = os.environ.get("PEER_IS_TUNED") == "yes"


@cache
def kept_client() -> httpx.Client:
    return httpx.Client(timeout=10)


@cache
def kept_connection() -> Database:
    return psycopg.connect(os.environ["PEER_DATABASE_URL"], autocommit=True)


@contextmanager
def database() -> Iterator[Database]:
    if KEEPS:
        yield kept_connection()
        return
    url = os.environ["PEER_DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def post(body: dict[str, Any]) -> httpx.Response:
    send = kept_client().post if KEEPS else httpx.post
    url = wire.url(os.environ["PEER_PROVIDER_URL"])
    return send(url, json=body, headers=wire.HEADERS)


@app.task(name="send")
def send(message_id: int) -> None:
    with database() as connection:
        row = connection.execute(
            "UPDATE message SET state = 'sending' WHERE id = %s AND state = 'queued'"
            " RETURNING recipient, words",
            [message_id],
        ).fetchone()
        if row is None:
            return
        response = post(wire.body(*row, reference=f"celery:{message_id}"))
        connection.execute(
            "UPDATE message SET state = %s, provider_id = %s,"
            " done_at = clock_timestamp() WHERE id = %s",
            [
                "sent" if response.status_code == 200 else "failed",
                response.json()["messages"][0]["id"],
                message_id,
            ],
        )
