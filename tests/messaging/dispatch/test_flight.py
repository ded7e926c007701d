"""Lanes: an attempt never waits for one that has already landed."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from messaging.dispatch import flight as flights
from messaging.dispatch.claim import Claimed
from messaging.dispatch.flight import Flight
from messaging.dispatch.send import Progress
from messaging.dispatch.settle import Result


def claimed(number: int) -> Claimed:
    return Claimed(number, number, 1, "sms", "+1", "text", {}, {}, 1, 0, False)


@pytest.mark.parametrize("steps", range(8))
def test_wherever_the_loop_stops_the_next_attempt_finds_a_lane(
    monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    """The loop runs only while answers are awaited, and may stop at any step."""
    answered: dict[int, asyncio.Event] = {}

    async def send(_: Flight, progress: Progress) -> Result:
        await answered[progress.claimed.attempt_id].wait()
        return Result(progress.claimed.attempt_id, "sent")

    monkeypatch.setattr(flights, "send", send)

    async def answer(number: int) -> None:
        answered[number].set()
        for _ in range(steps):
            await asyncio.sleep(0)

    with asyncio.Runner() as runner:
        one = Flight(cast(Any, None), cast(Any, None), runner, concurrency=1)
        answered.update({1: asyncio.Event(), 2: asyncio.Event()})
        answered[2].set()
        one.launch([claimed(1)])
        one.land(0.01)

        runner.run(answer(1))
        one.launch([claimed(2)])

        landed: list[Result] = []
        for _ in range(20):
            landed += one.land(0.01)
        assert [result.attempt_id for result in landed] == [1, 2]
