"""One procrastinate job per message, an asynchronous worker, and aiohttp.

``python -m benchmarks.contenders.procrastinate_worker work <concurrency>``; with
``fill <messages>`` it defers the jobs first.
"""

from __future__ import annotations

import asyncio
import os
import sys

import aiohttp
import procrastinate
from psycopg_pool import AsyncConnectionPool

from benchmarks.contenders import wire
from benchmarks.contenders.gate import finish, wait_at_gate

URL = os.environ["PEER_DATABASE_URL"]
app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=URL))


class Ways:
    """What all jobs of the worker share."""

    session: aiohttp.ClientSession
    pool: AsyncConnectionPool


@app.task(name="send")
async def send(message_id: int) -> None:
    async with Ways.pool.connection() as database:
        cursor = await database.execute(
            "UPDATE message SET state = 'sending' WHERE id = %s AND state = 'queued'"
            " RETURNING recipient, words",
            [message_id],
        )
        row = await cursor.fetchone()
    if row is None:
        return
    body = wire.body(row[0], row[1], reference=f"procrastinate:{message_id}")
    async with Ways.session.post(
        wire.url(os.environ["PEER_PROVIDER_URL"]), json=body
    ) as response:
        answer = await response.json()
        state = "sent" if response.status == 200 else "failed"
    async with Ways.pool.connection() as database:
        await database.execute(
            "UPDATE message SET state = %s, provider_id = %s,"
            " done_at = clock_timestamp() WHERE id = %s",
            [state, answer["messages"][0]["id"], message_id],
        )


async def fill(messages: int) -> None:
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        await send.batch_defer_async(
            *({"message_id": number} for number in range(1, messages + 1))
        )


async def work(concurrency: int) -> None:
    async with (
        app.open_async(),
        aiohttp.ClientSession(headers=wire.HEADERS) as Ways.session,
        AsyncConnectionPool(URL, max_size=8, kwargs={"autocommit": True}) as Ways.pool,
    ):
        await app.run_worker_async(
            wait=False, concurrency=concurrency, install_signal_handlers=False
        )


if __name__ == "__main__":
    number = int(sys.argv[2])
    if sys.argv[1] == "fill":
        asyncio.run(fill(number))
    else:
        wait_at_gate()
        asyncio.run(work(number))
        finish()
