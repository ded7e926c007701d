"""A closed window: the template goes first, the message follows the answer."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from messaging import follow_up, receipts, resend
from messaging.channels.contract import Event, EventKind
from messaging.dispatch import pace, pump, single
from messaging.models import Actor, FollowUp, Integration, Message
from messaging.sending import Asker, Refused, Sent
from resend_admin.sandbox.thread import Sandbox
from tests.factories import World
from tests.messaging.dispatch.test_concurrency import at_once
from tests.messaging.test_resend import failed

pytestmark = pytest.mark.django_db

PERSON = Asker(Actor.PERSON, "Kofi Mensah")


@pytest.fixture
def whatsapp(ours: World, sandbox: Sandbox) -> Integration:
    made = ours.integration(settings={"base_url": sandbox.base_url("whatsapp_cloud")})
    pace.prepare(made.pk)
    return made


@pytest.fixture
def closed(ours: World, whatsapp: Integration) -> Message:
    """A message that failed because the window is closed."""
    return failed(ours, whatsapp, code="whatsapp:131047", error_class="fix_first")


def answer(integration: Integration, message: Message) -> None:
    event = Event(
        key=f"in:{message.pk}",
        kind=EventKind.INBOUND,
        raw={},
        address=message.recipient,
        occurred_at=timezone.now(),
    )
    receipts.store(integration, [event])
    receipts.apply()


def test_the_message_follows_the_members_answer(
    ours: World, theirs: World, whatsapp: Integration, closed: Message
) -> None:
    theirs.contact(phone=closed.recipient)

    outcome = follow_up.open_window(closed, ours.template(), PERSON)

    assert isinstance(outcome, Sent)
    assert outcome.message.pk != closed.pk
    assert outcome.message.content is not None
    assert outcome.message.content.kind == "template"
    assert resend.fresh(closed.pk).state == "failed"

    answer(whatsapp, closed)

    followed = resend.fresh(closed.pk)
    assert followed.state == "queued"
    assert followed.asked_by_name == "Kofi Mensah"
    assert FollowUp.objects.get().state == "done"
    ours.rest()
    pump.run(whatsapp.pk)
    assert resend.fresh(closed.pk).state == "sent"


def test_an_answer_is_followed_once(
    ours: World, whatsapp: Integration, closed: Message
) -> None:
    follow_up.open_window(closed, ours.template(), PERSON)
    answer(whatsapp, closed)

    assert follow_up.answered([closed.contact_id]) == 0


def test_a_second_template_is_not_sent_while_the_first_waits(
    ours: World, closed: Message, sandbox: Sandbox
) -> None:
    follow_up.open_window(closed, ours.template(), PERSON)

    assert follow_up.open_window(closed, ours.template(), PERSON) == (
        follow_up.IS_WAITING
    )
    assert len(sandbox.accepted()) == 1


def test_a_template_is_refused_where_it_would_not_help(
    ours: World, whatsapp: Integration, sandbox: Sandbox
) -> None:
    other = failed(ours, whatsapp)

    assert follow_up.open_window(other, ours.template(), PERSON) == (
        follow_up.NOT_NEEDED
    )
    assert sandbox.accepted() == []


def test_nobody_is_bothered_for_a_message_that_could_not_follow(
    ours: World, closed: Message, sandbox: Sandbox
) -> None:
    closed.created_at = timezone.now() - timedelta(hours=50)

    outcome = follow_up.open_window(closed, ours.template(), PERSON)

    assert isinstance(outcome, Refused)
    assert outcome.code == "too_old"
    assert sandbox.accepted() == []


def test_what_cannot_follow_any_more_says_why(
    ours: World, whatsapp: Integration, closed: Message
) -> None:
    follow_up.open_window(closed, ours.template(), PERSON)
    Message.objects.filter(pk=closed.pk).update(
        created_at=timezone.now() - timedelta(hours=50)
    )

    answer(whatsapp, closed)

    kept = FollowUp.objects.get()
    assert kept.state == "refused"
    assert "48 hours" in kept.sentence
    assert resend.fresh(closed.pk).state == "failed"


def test_a_cancelled_follow_up_stays_where_it_is(
    ours: World, whatsapp: Integration, closed: Message
) -> None:
    follow_up.open_window(closed, ours.template(), PERSON)

    assert follow_up.cancel(FollowUp.objects.get(), PERSON)
    answer(whatsapp, closed)

    assert resend.fresh(closed.pk).state == "failed"


@pytest.mark.django_db(transaction=True)
def test_of_two_who_send_a_template_at_once_one_does(
    ours: World,
    closed: Message,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    template = ours.template()
    judged = threading.Barrier(2)
    standing = resend.standing

    def judge(message: Message, wish: resend.Wish = resend.NOW) -> resend.Standing:
        found = standing(message, wish)
        if wish.fixed:
            judged.wait(timeout=30)
        return found

    monkeypatch.setattr(resend, "standing", judge)

    outcomes = at_once(
        2,
        lambda _: follow_up.open_window(resend.fresh(closed.pk), template, PERSON),
    )

    assert outcomes.count(follow_up.IS_WAITING) == 1
    assert len(sandbox.accepted()) == 1
    opener = Message.objects.exclude(pk=closed.pk).get()
    assert FollowUp.objects.get().opener == opener


def test_a_template_that_a_stop_left_in_the_queue_is_followed_too(
    ours: World,
    whatsapp: Integration,
    closed: Message,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(single, "send_now", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            follow_up.open_window(closed, ours.template(), PERSON)

    assert follow_up.open_window(closed, ours.template(), PERSON) == (
        follow_up.IS_WAITING
    )
    pump.run(whatsapp.pk)
    answer(whatsapp, closed)

    assert resend.fresh(closed.pk).state == "queued"


def test_nothing_waits_behind_a_template_that_failed(
    ours: World, closed: Message, sandbox: Sandbox
) -> None:
    sandbox.behave("server_error", accepting=False)

    outcome = follow_up.open_window(closed, ours.template(), PERSON)

    assert outcome == follow_up.FAILED
    assert FollowUp.objects.get().state == "cancelled"
    sandbox.reset()
    ours.rest()
    assert isinstance(follow_up.open_window(closed, ours.template(), PERSON), Sent)
