"""The limit: a client that posts, reads the answer, and remembers nothing.

``python -m benchmarks.contenders.bare_client <address> <messages> <concurrency>``
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator

import aiohttp

from benchmarks.contenders import wire
from benchmarks.contenders.gate import finish, wait_at_gate


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


if __name__ == "__main__":
    wait_at_gate()
    asyncio.run(send(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
    finish()
