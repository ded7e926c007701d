"""Resending one message: who may, when, and what of many askers at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from messaging import receipts, resend
from messaging.audit import ledger_differences, tally_differences
from messaging.channels.contract import Event, EventKind
from messaging.dispatch import again, circuit, pace, pump, waiting
from messaging.dispatch.claim import claim
from messaging.dispatch.settle import Result, settle
from messaging.models import (
    Actor,
    Attempt,
    AutomaticRetry,
    Contact,
    Content,
    Integration,
    Message,
    StoppedRetry,
)
from messaging.resend import Asker, Refused, Scheduled, Sent, Wish
from resend_admin.sandbox.thread import Sandbox
from tests.factories import World
from tests.messaging.dispatch.flows import failed_at_last_part
from tests.messaging.dispatch.test_concurrency import at_once

pytestmark = pytest.mark.django_db

PERSON = Asker(Actor.PERSON, "Kofi Mensah", "the member called")


@pytest.fixture
def whatsapp(ours: World, sandbox: Sandbox) -> Integration:
    made = ours.integration(settings={"base_url": sandbox.base_url("whatsapp_cloud")})
    pace.prepare(made.pk)
    return made


def failed(
    world: World,
    integration: Integration,
    code: str = "whatsapp:131000",
    error_class: str = "retry",
    state: str = "failed",
    **values: Any,
) -> Message:
    message = world.message(integration=integration, **values)
    [claimed] = claim(integration, limit=1, message_id=message.pk).attempts
    settle(
        integration,
        [Result(claimed.attempt_id, state, error_code=code, error_class=error_class)],
    )
    world.rest()
    return resend.fresh(message.pk)


def test_now_waits_for_the_answer_and_records_who_and_why(
    ours: World, whatsapp: Integration
) -> None:
    message = failed(ours, whatsapp)

    outcome = resend.resend(message, PERSON)

    assert isinstance(outcome, Sent)
    assert outcome.attempt.state == "sent"
    assert outcome.attempt.resend_number == 1
    assert outcome.attempt.actor == "person"
    assert outcome.attempt.actor_name == "Kofi Mensah"
    assert outcome.attempt.reason == "the member called"
    assert outcome.attempt.cause_code == "whatsapp:131000"
    first = message.attempts.get(number=1)
    assert first.state == "failed"
    assert outcome.attempt.content_id == first.content_id
    assert tally_differences() == []


def test_a_message_and_an_attempt_never_share_a_number(
    ours: World, whatsapp: Integration
) -> None:
    for _ in range(3):
        failed(ours, whatsapp)

    attempts = set(Attempt.objects.values_list("pk", flat=True))
    assert attempts.isdisjoint(Message.objects.values_list("pk", flat=True))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"attempt_count": 6}, "limit_reached"),
        ({"created_at": timedelta(hours=49)}, "too_old"),
        ({"state": "sending"}, "in_progress"),
        ({"state": "queued"}, "already_waiting"),
        ({"state": "sent"}, "already_sent"),
        ({"state": "delivered"}, "already_delivered"),
        ({"state": "skipped"}, "skipped"),
        ({"state": "cancelled"}, "cancelled"),
        ({"state": "unknown"}, "may_have_arrived"),
        ({"error_code": "whatsapp:131026"}, "will_not_help"),
        ({"error_code": "whatsapp:131047"}, "fix_first"),
    ],
)
def test_refusals_have_a_stable_code_and_a_sentence(
    ours: World, whatsapp: Integration, change: dict[str, Any], code: str
) -> None:
    message = failed(ours, whatsapp)
    for name, value in change.items():
        if name == "created_at":
            value = timezone.now() - value
        setattr(message, name, value)

    outcome = resend.resend(message, PERSON)

    assert isinstance(outcome, Refused)
    assert outcome.code == code
    assert outcome.sentence.endswith(".")
    assert Attempt.objects.count() == 1


def test_opted_out_people_are_left_alone(ours: World, whatsapp: Integration) -> None:
    message = failed(ours, whatsapp)
    message.contact.opted_out_channels = ["whatsapp"]

    assert resend.standing(message).code == "opted_out"


def test_without_credits_it_is_refused_and_works_after_a_top_up(
    ours: World, whatsapp: Integration
) -> None:
    message = failed(ours, whatsapp)
    Integration.objects.update(credit_price=32_000)
    others = [ours.message(integration=whatsapp) for _ in range(31)]
    claim(whatsapp, limit=len(others))
    message = resend.fresh(message.pk)

    refused = resend.resend(message, PERSON)
    assert isinstance(refused, Refused)
    assert refused.code == "insufficient_credits"
    assert "32" in refused.sentence

    ours.top_up(50_000)
    assert isinstance(resend.resend(resend.fresh(message.pk), PERSON), Sent)


def test_a_failure_for_want_of_credits_is_fixed_by_credits(
    ours: World, whatsapp: Integration
) -> None:
    message = failed(
        ours,
        whatsapp,
        code="resend_admin:insufficient_credits",
        error_class="fix_first",
    )

    assert resend.standing(message).allowed


def test_a_closed_window_is_fixed_when_the_member_writes(
    ours: World, whatsapp: Integration
) -> None:
    message = failed(ours, whatsapp, code="whatsapp:131047", error_class="fix_first")
    assert resend.standing(message).fix == "template"

    # What they wrote before is known to the provider, which refused all the same.
    Contact.objects.update(whatsapp_inbound_at=timezone.now() - timedelta(hours=3))
    assert not resend.standing(resend.fresh(message.pk)).allowed

    Contact.objects.update(whatsapp_inbound_at=timezone.now())

    assert resend.standing(resend.fresh(message.pk)).allowed


def test_a_template_that_is_at_fault_is_not_fixed_by_an_answer(
    ours: World, whatsapp: Integration
) -> None:
    message = failed(ours, whatsapp, code="whatsapp:132001", error_class="fix_first")
    Contact.objects.update(whatsapp_inbound_at=timezone.now())

    assert not resend.standing(resend.fresh(message.pk)).allowed


def test_unknown_needs_the_warning_accepted(ours: World, whatsapp: Integration) -> None:
    message = failed(
        ours, whatsapp, state="unknown", code="whatsapp:timeout", error_class="unknown"
    )

    assert isinstance(resend.resend(message, PERSON), Refused)
    outcome = resend.resend(message, PERSON, Wish(accepts_duplicate=True))
    assert isinstance(outcome, Sent)


def test_later_can_be_moved_and_taken_back(ours: World, whatsapp: Integration) -> None:
    message = failed(ours, whatsapp)
    at = timezone.now() + timedelta(hours=2)

    outcome = resend.resend(message, PERSON, Wish(at=at))

    assert isinstance(outcome, Scheduled)
    assert abs(outcome.due_at - at) < timedelta(seconds=5)
    assert resend.standing(outcome.message).code == "already_waiting"
    moved = resend.move(outcome.message, at + timedelta(hours=1), PERSON)
    assert isinstance(moved, Message)
    assert moved.due_at is not None
    assert moved.due_at > at
    back = resend.cancel(moved, PERSON)
    assert isinstance(back, Message)
    assert (back.state, back.error_code) == ("failed", "whatsapp:131000")
    assert resend.standing(back).allowed
    assert isinstance(resend.cancel(back, PERSON), Refused)


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (timedelta(minutes=-1), "time_past"),
        (timedelta(hours=49), "too_old_by_then"),
    ],
)
def test_times_that_make_no_sense_are_refused(
    ours: World, whatsapp: Integration, at: timedelta, code: str
) -> None:
    message = failed(ours, whatsapp)

    outcome = resend.resend(message, PERSON, Wish(at=timezone.now() + at))

    assert isinstance(outcome, Refused)
    assert outcome.code == code


def test_a_wait_error_waits_what_the_provider_needs(
    ours: World, whatsapp: Integration
) -> None:
    message = failed(ours, whatsapp, code="whatsapp:131049", error_class="wait")

    outcome = resend.resend(message, PERSON)

    assert isinstance(outcome, Scheduled)
    wait = outcome.due_at - timezone.now()
    assert timedelta(hours=23) < wait <= timedelta(hours=24)


def test_other_content_goes_out_on_the_new_attempt_and_the_original_stays(
    ours: World, whatsapp: Integration
) -> None:
    message = failed(ours, whatsapp, code="whatsapp:131053", error_class="fix_first")
    original = message.content_id
    mended = ours.text("with a working link")

    outcome = resend.resend(message, PERSON, Wish(content=mended))

    assert isinstance(outcome, Sent)
    assert outcome.attempt.content_id == mended.pk
    assert outcome.message.content_id == original
    assert message.attempts.get(number=1).content_id == original


def test_a_delivered_message_is_sent_again_as_a_new_one(
    ours: World, whatsapp: Integration
) -> None:
    message = failed(ours, whatsapp, state="delivered", code="", error_class="")

    outcome = resend.send_copy(message, PERSON)

    assert isinstance(outcome, Sent)
    assert outcome.message.pk != message.pk
    assert outcome.message.root_id == message.pk
    assert resend.fresh(message.pk).state == "delivered"


def test_copies_have_the_same_limit(ours: World, whatsapp: Integration) -> None:
    message = failed(ours, whatsapp, state="delivered", code="", error_class="")
    for _ in range(5):
        assert isinstance(resend.send_copy(message, PERSON), Sent)
        ours.rest()

    refused = resend.send_copy(message, PERSON)
    assert isinstance(refused, Refused)
    assert refused.code == "limit_reached"


@pytest.mark.django_db(transaction=True)
def test_a_hundred_at_once_make_one_attempt(
    ours: World, whatsapp: Integration, sandbox: Sandbox
) -> None:
    message = failed(ours, whatsapp)

    outcomes = at_once(
        25, lambda index: [resend.resend(message, PERSON) for _ in range(4)]
    )

    counted = Counter(
        "sent" if isinstance(one, Sent) else one.is_in_progress
        for four in outcomes
        for one in four
    )
    assert counted == {"sent": 1, True: 99}
    assert Attempt.objects.filter(message=message).count() == 2
    assert len(sandbox.accepted()) == 1
    assert ledger_differences() == []


def just_before(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Let something happen between judging and queueing."""
    queue_again = again.queue_again

    def comes_late(*wanted: Any, **options: Any) -> set[int]:
        happens()
        return queue_again(*wanted, **options)

    monkeypatch.setattr(again, "queue_again", comes_late)


def test_what_another_run_reaches_at_that_moment_is_said_to_be_taken_over(
    ours: World, whatsapp: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, retry = ours.broadcast(), ours.broadcast()
    message = failed(ours, whatsapp, broadcast_id=first.pk)

    def reached_by_another() -> None:
        failed(
            ours,
            whatsapp,
            code="",
            error_class="",
            state="sent",
            contact=message.contact,
            broadcast_id=retry.pk,
            root=message,
        )

    just_before(monkeypatch, reached_by_another)

    outcome = resend.resend(message, PERSON)

    assert isinstance(outcome, Refused)
    assert outcome.code == "taken_over"
    assert not outcome.is_in_progress


def test_what_arrives_whole_at_that_moment_is_said_to_be_there(
    ours: World, whatsapp: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = resend.fresh(failed_at_last_part(ours, whatsapp).pk)
    just_before(monkeypatch, lambda: Message.objects.update(parts_sent=0b11))

    outcome = resend.resend(message, PERSON)

    assert isinstance(outcome, Refused)
    assert outcome.code == "every_part_sent"


def test_whom_somebody_else_queues_at_that_moment_is_in_progress(
    ours: World, whatsapp: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = failed(ours, whatsapp)
    waits = {"state": "queued", "due_at": timezone.now() + timedelta(hours=1)}
    just_before(monkeypatch, lambda: Message.objects.update(**waits))

    outcome = resend.resend(message, PERSON)

    assert outcome == resend.IN_PROGRESS


def automatic(world: World, **values: Any) -> None:
    AutomaticRetry.objects.create(
        organization=world.organization, channel="whatsapp", is_on=True, **values
    )


def test_automatic_retries_are_off_until_they_are_switched_on(
    ours: World, theirs: World, whatsapp: Integration
) -> None:
    automatic(theirs)

    assert failed(ours, whatsapp).state == "failed"


def test_an_automatic_retry_follows_the_ladder(
    ours: World, whatsapp: Integration
) -> None:
    automatic(ours)

    message = failed(ours, whatsapp)

    assert message.state == "queued"
    assert message.is_waiting_to_retry
    assert message.asked_by == "automatic"
    assert message.due_at is not None
    delay = message.due_at - timezone.now()
    assert timedelta(seconds=55) < delay <= timedelta(seconds=67)


@pytest.mark.parametrize(
    ("code", "error_class"),
    [
        ("whatsapp:131026", "never"),
        ("whatsapp:131047", "fix_first"),
        ("resend_admin:missed_time", "retry"),
    ],
)
def test_what_needs_a_person_waits_for_one(
    ours: World, whatsapp: Integration, code: str, error_class: str
) -> None:
    automatic(ours)

    assert failed(ours, whatsapp, code=code, error_class=error_class).state == "failed"


def test_unknown_is_never_retried_by_itself(ours: World, whatsapp: Integration) -> None:
    automatic(ours)

    message = failed(
        ours, whatsapp, state="unknown", code="whatsapp:timeout", error_class="unknown"
    )

    assert message.state == "unknown"


def retried_in_vain(
    world: World, integration: Integration, content: Content, code: str
) -> None:
    """A message that failed, was retried by itself, and failed again or came back."""
    message = failed(world, integration, content=content)
    assert message.state == "queued"
    Message.objects.filter(pk=message.pk).update(
        due_at=timezone.now() - timedelta(minutes=1)
    )
    [claimed] = claim(integration, limit=1, message_id=message.pk).attempts
    again_in = 0.0 if circuit.is_about(code) else None
    result = Result(
        claimed.attempt_id,
        "failed",
        error_code=code,
        error_class="never",
        again_in=again_in,
    )
    settle(integration, [result])


def test_retries_that_the_credentials_stopped_say_nothing_of_the_error(
    ours: World, whatsapp: Integration
) -> None:
    automatic(ours)
    content = ours.text()
    for _ in range(50):
        retried_in_vain(ours, whatsapp, content, "whatsapp:auth_failed")
        circuit.close_circuit(whatsapp.pk)

    assert failed(ours, whatsapp, content=content).state == "queued"
    assert not StoppedRetry.objects.exists()


def test_retries_that_bring_nothing_stop_by_themselves_until_resumed(
    ours: World, whatsapp: Integration
) -> None:
    automatic(ours)
    content = ours.text()
    for _ in range(50):
        retried_in_vain(ours, whatsapp, content, "whatsapp:131026")

    assert failed(ours, whatsapp, content=content).state == "failed"
    stopped = StoppedRetry.objects.get()
    assert (stopped.error_code, stopped.tried, stopped.delivered) == (
        "whatsapp:131000",
        50,
        0,
    )
    StoppedRetry.objects.update(resumed_at=timezone.now())
    assert failed(ours, whatsapp, content=content).state == "queued"


def test_a_waiting_automatic_retry_goes_out_by_the_pump(
    ours: World, whatsapp: Integration, sandbox: Sandbox
) -> None:
    automatic(ours)
    message = failed(ours, whatsapp)
    Message.objects.update(due_at=timezone.now() - timedelta(seconds=30))

    pump.run(whatsapp.pk)

    message.refresh_from_db()
    assert message.state == "sent"
    assert message.attempts.get(number=2).actor == "automatic"


def test_a_person_whom_another_run_took_over_is_not_retried_beside_it(
    ours: World, whatsapp: Integration
) -> None:
    automatic(ours)
    first, second = ours.broadcast(), ours.broadcast()
    source = failed(
        ours,
        whatsapp,
        state="unknown",
        code="whatsapp:timeout",
        error_class="unknown",
        broadcast_id=first.pk,
    )
    ours.message(
        "planned",
        integration=whatsapp,
        contact=source.contact,
        broadcast_id=second.pk,
        root=source,
    )
    attempt = source.attempts.get()

    tell_failed(whatsapp, attempt)

    assert resend.fresh(source.pk).state == "failed"


def test_what_a_person_ended_does_not_begin_again_by_itself(
    ours: World, whatsapp: Integration
) -> None:
    automatic(ours)
    broadcast = ours.broadcast("cancelled")
    waiting.end(ours.organization.pk, broadcast.pk)

    message = failed(ours, whatsapp, broadcast_id=broadcast.pk)

    assert message.state == "failed"


def test_a_resend_of_what_was_sent_after_all_is_taken_back_by_itself(
    ours: World, whatsapp: Integration
) -> None:
    message = failed(
        ours, whatsapp, state="unknown", code="whatsapp:timeout", error_class="unknown"
    )
    at = timezone.now() + timedelta(hours=1)
    resend.resend(message, PERSON, Wish(at=at, accepts_duplicate=True))

    tell_state(whatsapp, message.attempts.get(), "sent")

    back = resend.fresh(message.pk)
    assert (back.state, back.error_code, back.due_at) == ("sent", "", None)
    refused = resend.cancel(back, PERSON)
    assert isinstance(refused, Refused)


def test_a_copy_that_waits_is_not_taken_back_by_the_originals_receipt(
    ours: World, whatsapp: Integration
) -> None:
    message = failed(ours, whatsapp, state="delivered", code="", error_class="")
    pace.pause(whatsapp.pk, 60)
    copy = resend.send_copy(message, PERSON)
    assert isinstance(copy, Scheduled)

    tell_state(whatsapp, message.attempts.get(), "read")

    assert resend.fresh(copy.message.pk).state == "queued"


def tell_failed(integration: Integration, attempt: Attempt) -> None:
    tell_state(integration, attempt, "failed", error_code="131000")


def tell_state(
    integration: Integration, attempt: Attempt, state: str, error_code: str = ""
) -> None:
    event = Event(
        key=f"{attempt.pk}:{state}",
        kind=EventKind.STATUS,
        raw={},
        reference=f"{attempt.pk}:0",
        state=state,
        error_code=error_code,
    )
    receipts.store(integration, [event])
    receipts.apply()


def test_what_was_given_back_is_no_resend(ours: World, whatsapp: Integration) -> None:
    message = failed(ours, whatsapp)
    Message.objects.update(attempt_count=6, given_back=5)

    assert resend.standing(resend.fresh(message.pk)).resends == 0
    assert isinstance(resend.resend(resend.fresh(message.pk), PERSON), Sent)
