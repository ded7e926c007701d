"""The limit: a client that posts, reads the answer, and remembers nothing.

``python -m benchmarks.contenders.bare_client <address> <messages> <concurrency>``
With ``ours`` behind that it posts by the client of our channels, else by aiohttp.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator

import aiohttp

from benchmarks.contenders import wire
from benchmarks.contenders.gate import finish, wait_at_gate
from messaging.channels.client import Client


async def send(base: str, messages: int, concurrency: int) -> None:
    numbers = iter(range(messages))
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=concurrency), headers=wire.HEADERS
    ) as session:
        await asyncio.gather(
            *(_work(session, wire.url(base), numbers) for _ in range(concurrency))
        )


async def _work(
    session: aiohttp.ClientSession, url: str, numbers: Iterator[int]
) -> None:
    words = wire.text()
    for number in numbers:
        body = wire.body(wire.recipient(number), words, f"bare:{number}")
        async with session.post(url, json=body) as response:
            answer = await response.json()
            if response.status != 200 or not answer["messages"][0]["id"]:
                raise RuntimeError(answer)


async def send_by_ours(base: str, messages: int, concurrency: int) -> None:
    numbers = iter(range(messages))
    client = Client(seconds=10.0, user_agent="benchmark")
    await asyncio.gather(
        *(_work_by_ours(client, wire.url(base), numbers) for _ in range(concurrency))
    )
    await client.close()


async def _work_by_ours(client: Client, url: str, numbers: Iterator[int]) -> None:
    words = wire.text()
    headers = (("Content-Type", "application/json"), *wire.HEADERS.items())
    for number in numbers:
        reference = f"bare:{number}"
        body = json.dumps(wire.body(wire.recipient(number), words, reference)).encode()
        reply = await client.request("POST", url, headers, reference, body)
        if reply.status != 200 or not json.loads(reply.body)["messages"][0]["id"]:
            raise RuntimeError(reply)


if __name__ == "__main__":
    wait_at_gate()
    sending = send_by_ours if sys.argv[4:] == ["ours"] else send
    asyncio.run(sending(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
    finish()
