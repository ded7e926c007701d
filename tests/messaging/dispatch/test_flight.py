"""Lanes: an attempt never waits for one that has already landed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, cast

import pytest

from messaging.dispatch import flight as flights
from messaging.dispatch.claim import Claim, Claimed
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
        one.launch(Claim([claimed(1)]))
        one.land(0.01)

        runner.run(answer(1))
        one.launch(Claim([claimed(2)]))

        landed: list[Result] = []
        for _ in range(20):
            landed += one.land(0.01)
        assert [result.attempt_id for result in landed] == [1, 2]


def test_parts_are_waited_for_like_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[tuple[int, float]] = []

    async def send(_: Flight, progress: Progress) -> Result:
        now = asyncio.get_running_loop().time()
        left.append((progress.claimed.attempt_id, now - begun))
        return Result(progress.claimed.attempt_id, "sent")

    monkeypatch.setattr(flights, "send", send)
    whole = replace(claimed(1), parts=3)
    rest = replace(claimed(2), parts=3, parts_sent=0b11)
    with asyncio.Runner() as runner:
        one = Flight(cast(Any, None), cast(Any, None), runner, concurrency=9)
        begun = runner.get_loop().time()
        one.launch(Claim([whole, rest, claimed(3)], every=0.1))
        while len(left) < 3:
            one.land(0.05)

    assert [number for number, _ in left] == [1, 2, 3]
    assert left[1][1] >= 0.29
    assert left[2][1] >= 0.39
