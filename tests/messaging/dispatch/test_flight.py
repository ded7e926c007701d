"""Lanes: an attempt never waits for one that has already landed."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import replace
from typing import Any, cast

import pytest

from messaging.dispatch import flight as flights
from messaging.dispatch.claim import Claim, Claimed
from messaging.dispatch.flight import Flight
from messaging.dispatch.loop_thread import LoopThread
from messaging.dispatch.send import Progress
from messaging.dispatch.settle import Result


def claimed(number: int) -> Claimed:
    return Claimed(number, number, 1, "sms", "+1", "text", {}, {}, 1, 0, False)


def land_all(one: Flight, seconds: float = 10.0) -> list[Result]:
    """Return all answers, or those that came within this time."""
    landed: list[Result] = []
    ends_at = time.monotonic() + seconds
    while len(one) and time.monotonic() < ends_at:
        landed += one.land(0.05)
    return landed


@pytest.mark.parametrize("steps", range(8))
def test_wherever_the_loop_stops_the_next_attempt_finds_a_lane(
    monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    """More is launched at any step of the loop, also just when a lane has ended."""
    answered: dict[int, asyncio.Event] = {}

    async def send(_: Flight, progress: Progress) -> Result:
        await answered[progress.claimed.attempt_id].wait()
        return Result(progress.claimed.attempt_id, "sent")

    monkeypatch.setattr(flights, "send", send)

    async def answer_and_launch() -> None:
        answered[1].set()
        for _ in range(steps):
            await asyncio.sleep(0)
        one.launch(Claim([claimed(2)]))

    with LoopThread("flight") as loop:
        one = Flight(cast(Any, None), cast(Any, None), loop, concurrency=1)
        answered.update({1: asyncio.Event(), 2: asyncio.Event()})
        answered[2].set()
        one.launch(Claim([claimed(1)]))
        one.land(0.01)

        loop.run(answer_and_launch())

        assert [result.attempt_id for result in land_all(one)] == [1, 2]


def test_parts_are_waited_for_like_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[tuple[int, float]] = []

    async def send(_: Flight, progress: Progress) -> Result:
        now = asyncio.get_running_loop().time()
        left.append((progress.claimed.attempt_id, now - begun))
        return Result(progress.claimed.attempt_id, "sent")

    monkeypatch.setattr(flights, "send", send)
    whole = replace(claimed(1), parts=3)
    rest = replace(claimed(2), parts=3, parts_sent=0b11)
    with LoopThread("flight") as loop:
        one = Flight(cast(Any, None), cast(Any, None), loop, concurrency=9)
        begun = time.monotonic()
        one.launch(Claim([whole, rest, claimed(3)], every=0.1))
        while len(left) < 3:
            one.land(0.05)

    assert [number for number, _ in left] == [1, 2, 3]
    assert left[1][1] >= 0.29
    assert left[2][1] >= 0.39


def test_attempts_go_on_while_their_owner_is_busy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Such as with the database: one attempt after the other, not a chunk at a time."""
    all_sent = threading.Event()
    sent: list[int] = []

    async def send(_: Flight, progress: Progress) -> Result:
        await asyncio.sleep(0.001)
        sent.append(progress.claimed.attempt_id)
        if len(sent) == 50:
            all_sent.set()
        return Result(progress.claimed.attempt_id, "sent")

    monkeypatch.setattr(flights, "send", send)
    with LoopThread("flight") as loop:
        one = Flight(cast(Any, None), cast(Any, None), loop, concurrency=2)
        one.launch(Claim([claimed(number) for number in range(50)]))

        # Nobody lands anything: whoever flies needs no owner.
        assert all_sent.wait(10)
        assert len(one) == 50
        assert len(land_all(one)) == 50


def test_an_owner_is_told_as_soon_as_enough_have_landed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow = asyncio.Event()

    async def send(_: Flight, progress: Progress) -> Result:
        if progress.claimed.attempt_id > 3:
            await slow.wait()
        return Result(progress.claimed.attempt_id, "sent")

    monkeypatch.setattr(flights, "send", send)
    with LoopThread("flight") as loop:
        one = Flight(cast(Any, None), cast(Any, None), loop, concurrency=9)
        one.launch(Claim([claimed(number) for number in range(1, 6)]))

        begun = time.monotonic()
        first = one.land(60, enough=3)
        assert time.monotonic() - begun < 30
        assert sorted(result.attempt_id for result in first) == [1, 2, 3]
        assert not one.has_landed(1)
        assert one.land(0.05, enough=1) == []

        loop.call(slow.set)
        assert sorted(result.attempt_id for result in land_all(one)) == [4, 5]


@pytest.mark.parametrize("first_in", [0.0, 0.05])
def test_what_cannot_even_be_begun_keeps_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch, first_in: float
) -> None:
    """The pump stops, and the attempts are rescued as unknown, as after a kill."""

    def broken(*_: object) -> None:
        raise ValueError("no slot")

    monkeypatch.setattr(Flight, "_begin", broken)
    with LoopThread("flight") as loop:
        one = Flight(cast(Any, None), cast(Any, None), loop, concurrency=1)
        one.launch(Claim([claimed(1)], first_in=first_in))
        with pytest.raises(ValueError, match="no slot"):
            one.land(60)


def test_a_loop_that_cannot_be_opened_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_files() -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(asyncio.events, "new_event_loop", no_files)
    with pytest.raises(OSError, match="Too many open files"), LoopThread("flight"):
        pass


def test_a_loop_ends_with_its_owner_and_takes_along_what_it_still_does() -> None:
    ended: list[str] = []

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("forever")

    async def begin() -> None:
        tasks.append(asyncio.create_task(forever()))
        await asyncio.sleep(0)

    tasks: list[asyncio.Task[None]] = []
    before = threading.active_count()
    with LoopThread("flight") as loop:
        loop.run(begin())
    assert ended == ["forever"]
    assert threading.active_count() == before
