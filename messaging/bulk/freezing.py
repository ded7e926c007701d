"""Confirming: the chosen messages become the items of a bulk resend, for good."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from messaging import trail
from messaging.bulk import judging, running, statements
from messaging.bulk.judging import Remedy
from messaging.bulk.selection import Selection
from messaging.dispatch.statements import again_after_deadlock
from messaging.figures.forecast import Forecast
from messaging.models import AuditKind, BulkResend, Organization, User
from messaging.sending import Refused

SELECTION_CHANGED: Final = "selection_changed"
NOTHING_FAILED: Final = "nothing_failed"


@dataclass(frozen=True, slots=True)
class Order:
    """What a person confirms beside the selection.

    ``shown_at`` and ``shown_count`` are ``Verdict.shown_at`` and ``.candidates``.
    ``at`` starts it later; empty means at once. ``remedy`` is what was done about the
    one cause that the selection is about; a content that is new is saved with it.
    """

    person: User
    shown_at: datetime
    shown_count: int
    reason: str = ""
    accepts_duplicate: bool = False
    at: datetime | None = None
    remedy: Remedy | None = None
    told: Forecast | None = None
    """What it is likely to bring, as it stands when it is confirmed."""


class _Changed(Exception):  # noqa: N818 - It carries a number, and is no error.
    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def freeze(
    selection: Selection, organization: Organization, order: Order
) -> BulkResend | Refused:
    """Fix the selection as it was shown, and let it start.

    Everything that was chosen becomes an item, so that the result says of each
    message what became of it. When the messages that failed are not as many as
    were shown, nothing happens and the person looks again. The limits of each
    message are checked when its turn comes.
    """
    if not order.shown_count:
        return Refused(NOTHING_FAILED, "None of these messages has failed.")
    try:
        return _freeze(selection, organization, order)
    except _Changed as changed:
        return Refused(SELECTION_CHANGED, _changed_in_words(changed.number))


@again_after_deadlock
def _freeze(
    selection: Selection, organization: Organization, order: Order
) -> BulkResend:
    person, content = order.person, order.remedy.content if order.remedy else None
    with transaction.atomic():
        if content is not None and content._state.adding:
            content.save()
        bulk = BulkResend.objects.create(
            organization=organization,
            created_by=person,
            created_by_name=(person.get_full_name() or person.username)[:150],
            scheduled_for=order.at,
            accepts_duplicate=order.accepts_duplicate,
            chosen=selection.words[:500],
            reason=order.reason,
            forecast=order.told.as_json if order.told else {},
            cause=order.remedy.cause if order.remedy else "",
            content=content,
        )
        [made] = statements.rows(
            "freeze",
            {
                "bulk_id": bulk.pk,
                "shown_at": order.shown_at,
                **_reasons(),
            },
            selection.ids(order.shown_at),
        )
        waiting = made["total"] - made["refused_count"]
        if waiting != order.shown_count:
            raise _Changed(waiting)
        bulk.refresh_from_db()
        _record(bulk, waiting, organization, person)
        if order.at is None:
            running.ring_on_commit()
    return bulk


def _record(
    bulk: BulkResend, number: int, organization: Organization, person: User
) -> None:
    messages = "1 message" if number == 1 else f"{number:,} messages"
    changes = []
    if bulk.scheduled_for is not None:
        starts = trail.moment(bulk.scheduled_for, organization.zone)
        changes.append(("starts", "", starts))
    if bulk.accepts_duplicate:
        changes.append(("messages that may have arrived already", "", "included"))
    trail.record(
        AuditKind.BULK_RESEND,
        f"Resent {messages} together: {bulk.chosen}",
        organization_id=organization.pk,
        doer=trail.by_person(person),
        reason=bulk.reason,
        changes=changes,
        link=f"/messages/bulk/{bulk.pk}/",
    )


def _reasons() -> dict[str, list[str]]:
    """Return, as columns, why a chosen message is not even asked about later."""
    refusals = judging.refusals_by_state()
    refusals["changed"] = judging.refusal_for(judging.CHANGED)
    refusals["elsewhere"] = judging.refusal_for(judging.ELSEWHERE)
    return {
        "keys": list(refusals),
        "codes": [one.code for one in refusals.values()],
        "sentences": [one.sentence for one in refusals.values()],
    }


def _changed_in_words(number: int) -> str:
    if not number:
        return "The list changed: none of these messages has failed any more."
    messages = "1 message" if number == 1 else f"{number:,} messages"
    return (
        f"The list changed while you looked: now {messages} of it did not arrive."
        " Look again and confirm."
    )
