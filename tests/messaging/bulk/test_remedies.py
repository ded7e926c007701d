"""What somebody did about a cause lets its messages go, and no others."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from messaging.bulk import verdict as verdicts
from messaging.bulk.judging import Remedy
from messaging.models import Contact, Content, Integration, Message
from tests.factories import World
from tests.messaging.bulk.steps import (
    Fail,
    answers,
    chosen,
    counts_match_items,
    frozen,
    worked_off,
)
from tests.messaging.dispatch.flows import got_through, of_two_attempts

pytestmark = pytest.mark.django_db

CLOSED = "whatsapp:131047"
EXPIRED = "whatsapp:190"


def test_without_a_remedy_what_has_to_be_fixed_first_stays(
    ours: World, fail: Fail
) -> None:
    broken = fail(EXPIRED)

    bulk = worked_off(frozen(ours))

    assert answers(bulk) == {broken.pk: ("refused", "fix_first")}


def test_a_remedy_lets_go_what_failed_of_its_cause_alone(
    ours: World, fail: Fail
) -> None:
    healed, other = fail(EXPIRED), fail("whatsapp:131042")
    passing = fail()

    bulk = frozen(ours, remedy=Remedy(EXPIRED))
    worked_off(bulk)

    assert bulk.cause == EXPIRED
    assert answers(bulk) == {
        healed.pk: ("queued", ""),
        other.pk: ("refused", "fix_first"),
        passing.pk: ("queued", ""),
    }
    counts_match_items(bulk)


def test_other_words_go_out_where_several_tries_got_the_first_ones_through(
    ours: World, whatsapp: Integration
) -> None:
    message = of_two_attempts(ours, whatsapp)
    got_through(message)
    Message.objects.filter(pk=message.pk).update(
        error_code=CLOSED, error_class="fix_first"
    )
    instead = ours.template()

    bulk = worked_off(frozen(ours, remedy=Remedy(CLOSED, instead)))

    assert answers(bulk) == {message.pk: ("queued", "")}
    message.refresh_from_db()
    assert (message.amended_content, message.parts_sent) == (instead, 0)


def test_a_cause_is_known_by_every_spelling(ours: World, fail: Fail) -> None:
    spelled = fail(f"{CLOSED}:re_engagement_message_required")

    bulk = worked_off(frozen(ours, remedy=Remedy(CLOSED, ours.template())))

    assert answers(bulk) == {spelled.pk: ("queued", "")}


def test_limits_hold_whatever_was_fixed(ours: World, fail: Fail) -> None:
    long_ago = timezone.now() - timedelta(hours=49)
    old = fail(EXPIRED, created_at=long_ago)
    worn = fail(EXPIRED, attempt_count=6)
    gone = fail(EXPIRED, contact=ours.contact(opted_out_channels=["whatsapp"]))

    bulk = worked_off(frozen(ours, remedy=Remedy(EXPIRED)))

    assert answers(bulk) == {
        old.pk: ("refused", "too_old"),
        worn.pk: ("refused", "limit_reached"),
        gone.pk: ("refused", "opted_out"),
    }


def test_another_content_goes_out_and_the_original_stays(
    ours: World, fail: Fail
) -> None:
    closed = fail(CLOSED)
    original = closed.content
    template = ours.template()

    worked_off(frozen(ours, remedy=Remedy(CLOSED, template)))

    closed.refresh_from_db()
    assert closed.state == "queued"
    assert closed.amended_content == template
    assert closed.content == original


def test_whoever_wrote_since_gets_what_they_were_meant_to_get(
    ours: World, fail: Fail
) -> None:
    closed = fail(CLOSED)
    Contact.objects.filter(pk=closed.contact_id).update(
        whatsapp_inbound_at=timezone.now()
    )

    bulk = worked_off(frozen(ours, remedy=Remedy(CLOSED, ours.template())))

    assert answers(bulk) == {closed.pk: ("queued", "")}
    assert Message.objects.get(pk=closed.pk).amended_content is None


def test_what_the_integration_cannot_send_is_refused(ours: World, fail: Fail) -> None:
    elsewhere = fail("sms:20003", integration=ours.integration("twilio"))
    buttons = Content.objects.create(
        organization=ours.organization,
        kind="interactive",
        payload={"body": "Yes?", "buttons": [{"id": "1", "title": "Yes"}]},
    )
    remedy = Remedy("sms:20003", buttons)

    seen = verdicts.verdict(chosen(ours), ours.organization, remedy=remedy)
    bulk = worked_off(frozen(ours, remedy=remedy))

    assert [(one.code, one.count) for one in seen.lines] == [
        ("content_does_not_fit", 1)
    ]
    assert answers(bulk) == {elsewhere.pk: ("refused", "content_does_not_fit")}
    assert "cannot send" in bulk.items.get().sentence


def test_the_verdict_knows_the_remedy(ours: World, fail: Fail) -> None:
    fail(EXPIRED)
    fail(EXPIRED)
    fail("whatsapp:131042")

    plain = verdicts.verdict(chosen(ours), ours.organization)
    healed = verdicts.verdict(chosen(ours), ours.organization, remedy=Remedy(EXPIRED))

    assert (plain.queued, healed.queued) == (0, 2)
    assert [(one.code, one.count) for one in healed.lines] == [
        ("queued", 2),
        ("fix_first", 1),
    ]
