"""One Celery task per message with httpx: what most projects begin with.

In its favour: one kept connection to PostgreSQL and one kept HTTP client per worker
process, and no ORM.
"""

from __future__ import annotations

import os
from functools import cache

import httpx
import psycopg
from celery import Celery

from benchmarks.contenders import wire

app = Celery("celery_tasks", broker=os.environ["BROKER_URL"])
app.conf.update(
    task_ignore_result=True,
    task_default_queue="idle",
    broker_connection_retry_on_startup=True,
)


@cache
def client() -> httpx.Client:
    return httpx.Client(headers=wire.HEADERS, timeout=10)


@cache
def database() -> psycopg.Connection[tuple[str, str]]:
    return psycopg.connect(os.environ["PEER_DATABASE_URL"], autocommit=True)


@app.task(name="send")
def send(message_id: int) -> None:
    row = (
        database()
        .execute(
            "UPDATE message SET state = 'sending' WHERE id = %s AND state = 'queued'"
            " RETURNING recipient, words",
            [message_id],
        )
        .fetchone()
    )
    if row is None:
        return
    response = client().post(
        wire.url(os.environ["PEER_PROVIDER_URL"]),
        json=wire.body(*row, reference=f"celery:{message_id}"),
    )
    database().execute(
        "UPDATE message SET state = %s, provider_id = %s, done_at = clock_timestamp()"
        " WHERE id = %s",
        [
            "sent" if response.status_code == 200 else "failed",
            response.json()["messages"][0]["id"],
            message_id,
        ],
    )
