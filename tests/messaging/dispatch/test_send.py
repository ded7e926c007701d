"""The flight, over a connection that answers as it is told."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest

from messaging.channels.contract import (
    Accepted,
    Answer,
    InDoubt,
    Outbound,
    RateLimited,
    Rejected,
)
from messaging.channels.whatsapp_cloud import WhatsAppCloud
from messaging.dispatch import lifetime
from messaging.dispatch.claim import Claim, Claimed
from messaging.dispatch.flight import Flight
from messaging.dispatch.loop_thread import LoopThread
from messaging.dispatch.settle import Result


class Scripted:
    """A connection that gives its answers in order, and notes what it was given."""

    def __init__(self, *answers: Answer | float) -> None:
        self.answers = list(answers)
        self.sent: list[Outbound] = []

    async def send(self, outbound: Outbound) -> Answer:
        self.sent.append(outbound)
        answer = self.answers.pop(0)
        if isinstance(answer, float):
            await asyncio.sleep(answer)
            return Accepted("late")
        return answer


class Impatient(WhatsAppCloud):
    """Waits so shortly for an answer that a test can wait for longer."""

    timeout = 0.01


def claimed(attempt_id: int = 1, parts: int = 1, parts_sent: int = 0) -> Claimed:
    part = {"kind": "text", "payload": {"text": "Hello"}}
    return Claimed(
        attempt_id=attempt_id,
        message_id=attempt_id,
        content_id=1,
        channel="whatsapp",
        recipient="+233241234567",
        kind="flow" if parts > 1 else "text",
        payload={"parts": [part] * parts} if parts > 1 else {"text": "Hello"},
        parameters={},
        parts=parts,
        parts_sent=parts_sent,
        is_retry_of_chain=False,
    )


def fly(
    connection: Scripted,
    chunk: Sequence[Claimed],
    seconds: float = 60.0,
    ago: float = 0.0,
) -> tuple[list[Result], Flight]:
    with LoopThread("flight") as loop:
        flight = Flight(
            Impatient(),
            connection,
            loop,
            concurrency=1,
            seconds=seconds,
        )
        flight.launch(Claim(list(chunk), begun=lifetime.now() - ago))
        results: list[Result] = []
        while len(flight):
            results += flight.land(5)
    return sorted(results, key=lambda result: result.attempt_id), flight


def test_a_part_that_fails_ends_the_flow_and_keeps_what_left() -> None:
    connection = Scripted(Accepted("a"), Rejected("131026", "No such person"))

    [result], _ = fly(connection, [claimed(parts=3)])

    assert (result.state, result.error_code) == ("failed", "whatsapp:131026")
    assert result.error_class == "never"
    assert result.parts_sent == 1
    assert [outbound.part for outbound in connection.sent] == [0, 1]


def test_a_part_in_doubt_makes_the_whole_attempt_unknown() -> None:
    [result], _ = fly(Scripted(Accepted("a"), InDoubt("timeout")), [claimed(parts=2)])

    assert (result.state, result.error_code) == ("unknown", "whatsapp:timeout")
    assert result.parts_sent == 1


def test_the_last_part_names_the_attempt() -> None:
    [result], _ = fly(Scripted(Accepted("a"), Accepted("b")), [claimed(parts=2)])

    assert (result.state, result.provider_id, result.parts_sent) == ("sent", "b", 0b11)


def test_a_word_for_this_recipient_alone_silences_nobody_else() -> None:
    answers = (
        RateLimited("131056", 600, whole_account=False),
        Accepted("a"),
    )

    results, flight = fly(Scripted(*answers), [claimed(1), claimed(2)])

    assert {result.state for result in results} == {"failed", "sent"}
    assert flight.silence == 0


def test_what_waits_out_the_silence_too_long_has_certainly_not_left() -> None:
    connection = Scripted(RateLimited("130429", 600))

    results, flight = fly(connection, [claimed(1), claimed(2)], seconds=0.3)

    assert len(connection.sent) == 1
    refused = next(result for result in results if result.again_in is None)
    held_back = next(result for result in results if result.again_in is not None)
    assert refused.error_code == "whatsapp:130429"
    assert held_back.error_code == "resend_admin:not_sent"
    assert 590 < held_back.again_in <= 600  # type: ignore[operator]
    assert flight.silence > 590


@pytest.mark.parametrize("parts_sent", [0, 0b01])
def test_a_part_that_waits_out_a_pause_too_long_has_not_left(parts_sent: int) -> None:
    """What an earlier attempt got through did not leave with this one."""
    connection = Scripted(RateLimited("130429", 5))

    [result], _ = fly(
        connection, [claimed(parts=2, parts_sent=parts_sent)], seconds=0.3
    )

    assert len(connection.sent) == 1
    assert (result.state, result.error_code) == ("failed", "resend_admin:not_sent")
    assert result.again_in is not None


def test_what_waits_out_a_pause_between_its_parts_is_in_doubt() -> None:
    connection = Scripted(Accepted("a"), RateLimited("130429", 5))

    [result], _ = fly(connection, [claimed(parts=2)], seconds=0.3)

    assert (result.state, result.parts_sent) == ("unknown", 0b01)


def test_a_request_that_outlives_the_attempt_is_in_doubt() -> None:
    [result], _ = fly(Scripted(30.0), [claimed()], seconds=0.2)

    assert (result.state, result.error_code) == ("unknown", "whatsapp:timeout")


@pytest.mark.parametrize("delivered", [True, False])
def test_a_provider_that_knows_it_arrived_is_believed(delivered: bool) -> None:
    [result], _ = fly(Scripted(Accepted("a", delivered=delivered)), [claimed()])

    assert result.state == ("delivered" if delivered else "sent")


def test_nothing_begins_too_late_to_wait_for_its_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Impatient, "timeout", 1.8)
    connection = Scripted(0.3, Accepted("never"))

    results, _ = fly(connection, [claimed(1), claimed(2)], seconds=2.0)

    assert [result.state for result in results] == ["sent", "failed"]
    assert results[1].again_in is not None
    assert len(connection.sent) == 1


def test_a_hole_in_a_flow_is_filled_and_nothing_else() -> None:
    connection = Scripted(Accepted("b"))

    [result], _ = fly(connection, [claimed(parts=3, parts_sent=0b101)])

    assert [outbound.part for outbound in connection.sent] == [1]
    assert result.parts_sent == 0b111


def test_a_flow_without_parts_is_refused() -> None:
    empty = replace(claimed(), kind="flow", payload={"parts": []}, parts=0)

    [result], _ = fly(Scripted(), [empty])

    assert (result.state, result.error_code) == ("failed", "whatsapp:invalid_content")


def test_a_long_id_of_a_provider_costs_nobody_else_anything() -> None:
    [result], _ = fly(Scripted(Accepted("x" * 300)), [claimed()])

    assert len(result.provider_id) == 128


def test_nothing_leaves_when_the_time_of_its_claim_is_over() -> None:
    """A machine that slept: by the clock of PostgreSQL both are unknown by now."""
    connection = Scripted(Accepted("a"), Accepted("b"))

    results, _ = fly(connection, [claimed(1), claimed(2)], ago=61.0)

    assert [one.error_code for one in results] == ["resend_admin:not_sent"] * 2
    assert connection.sent == []


def test_a_slot_that_comes_too_late_is_given_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection = Scripted(Accepted("a"), Accepted("b"))
    with LoopThread("flight") as loop:
        one = Flight(Impatient(), connection, loop, concurrency=1, seconds=0.5)
        awake = threading.Event()
        loop.call(awake.wait, 60)
        one.launch(Claim([claimed(1), claimed(2)], every=0.05))
        asleep_until = lifetime.now() + 1.0
        monkeypatch.setattr(lifetime, "now", lambda: asleep_until)
        awake.set()
        results: list[Result] = []
        while len(one):
            results += one.land(1)

    assert [one.error_code for one in results] == ["resend_admin:not_sent"] * 2
    assert connection.sent == []
