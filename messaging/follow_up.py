"""Send a template first, then resend: how a closed WhatsApp window is opened.

The template goes out at once. When the member answers it, WhatsApp takes free-form
messages again, and the message that failed follows by itself.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from messaging import policy, resend
from messaging.channels.catalogue import Fix
from messaging.channels.contract import ContentKind
from messaging.dispatch import again, doorbell
from messaging.models import (
    Actor,
    Content,
    FollowUp,
    FollowUpState,
    Integration,
    Message,
    MessageState,
)
from messaging.sending import (
    Asker,
    Outcome,
    Refused,
    Sent,
    queue_new,
    record_resend,
    send_or_wait,
)

NOT_NEEDED = Refused(
    "template_not_needed",
    "A template would not help here: the window is not what stopped this message.",
)
IS_WAITING = Refused(
    policy.Reason.ALREADY_WAITING,
    "A template was sent already; the message follows when the member answers.",
)
FAILED = Refused(
    "template_failed",
    "The template could not be sent either. Look at its attempt for the cause.",
)


def open_window(message: Message, template: Content, asker: Asker) -> Outcome:
    """Send a template to the member, and let the message follow their answer.

    Refuses what could not be sent again after the answer either, so that nobody
    is bothered in vain. Belongs outside of any transaction.
    """
    if resend.standing(message).fix is not Fix.TEMPLATE:
        return NOT_NEEDED
    if template.kind != ContentKind.TEMPLATE or message.integration is None:
        return NOT_NEEDED
    later = resend.standing(message, resend.Wish(fixed=True))
    if not later.allowed:
        return Refused(later.code, later.sentence)
    if _is_waiting(message):
        return IS_WAITING
    queued = _queue_opener(message, message.integration, template, asker)
    if isinstance(queued, Refused):
        return queued
    outcome = send_or_wait(queued.opener_id, now=True)
    if isinstance(outcome, Sent) and outcome.message.state == MessageState.FAILED:
        outcome = FAILED
    if isinstance(outcome, Refused):
        _give_up(queued)
    return outcome


def _is_waiting(message: Message) -> bool:
    waiting = FollowUp.objects.filter(message=message, state=FollowUpState.WAITING)
    return waiting.exists()


def _queue_opener(
    message: Message, integration: Integration, template: Content, asker: Asker
) -> FollowUp | Refused:
    """Queue the template, and note what it is for: both, or neither.

    Of two who ask at once the second one finds the note, and only one template goes.
    A member who answers it at once, and a process that goes on after a stop, find it
    as well.
    """
    try:
        with transaction.atomic():
            opener = queue_new(
                contact=message.contact,
                integration=integration,
                content=template,
                asker=asker,
                parameters=message.parameters,
                told_as=(
                    f"Sent a template that message {message.pk} follows when answered,"
                ),
            )
            if isinstance(opener, Refused):
                return opener
            return FollowUp.objects.create(
                organization=message.organization,
                contact=message.contact,
                message=message,
                opener=opener,
                asked_by_name=asker.name,
            )
    except IntegrityError:
        if not _is_waiting(message):
            raise
        return IS_WAITING


def _give_up(follow_up: FollowUp) -> None:
    """Let nothing wait for an answer to a template that could not be sent."""
    FollowUp.objects.filter(pk=follow_up.pk, state=FollowUpState.WAITING).update(
        state=FollowUpState.CANCELLED, closed_at=Now()
    )


def answered(contact_ids: Iterable[int]) -> int:
    """Send again what waited for these members to write; return how many follow.

    Belongs into the transaction that opened their windows.
    """
    waiting = list(
        FollowUp.objects.filter(
            contact_id__in=list(contact_ids), state=FollowUpState.WAITING
        )
        .select_for_update(skip_locked=True)
        .order_by("pk")
    )
    followed = sum(_follow(one) for one in waiting)
    if followed:
        doorbell.ring_on_commit()
    return followed


@transaction.atomic
def cancel(follow_up: FollowUp, asker: Asker) -> bool:
    """Let a message not follow any more; tell whether it was still waiting."""
    waiting = FollowUp.objects.filter(pk=follow_up.pk, state=FollowUpState.WAITING)
    if not waiting.update(state=FollowUpState.CANCELLED, closed_at=Now()):
        return False
    words = f"Let message {follow_up.message_id} not follow its template any more"
    record_resend(follow_up.message, asker, words)
    return True


def _follow(follow_up: FollowUp) -> bool:
    message = resend.fresh(follow_up.message_id)
    found = resend.standing(message)
    queued = found.allowed and again.queue_again(
        [
            again.Again(
                message_id=message.pk,
                attempt_count=message.attempt_count,
                due_in=found.wait,
                asked_by=Actor.AUTOMATIC,
                asked_by_name=follow_up.asked_by_name,
                asked_reason="The member answered the template.",
            )
        ]
    )
    FollowUp.objects.filter(pk=follow_up.pk, state=FollowUpState.WAITING).update(
        state=FollowUpState.DONE if queued else FollowUpState.REFUSED,
        sentence="" if queued else found.sentence,
        closed_at=Now(),
    )
    return bool(queued)
