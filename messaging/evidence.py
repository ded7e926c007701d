"""What is known about an *unknown* message, and what that makes likely.

Facts for a person who has to decide: when the request left, what came back, what
was heard since, and whether anything would be heard at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from messaging.models import (
    Attempt,
    AttemptState,
    Integration,
    Message,
    Receipt,
    ReceiptResult,
)

TOO_EARLY: Final = timedelta(minutes=10)
"""Receipts of most messages are there by then."""
NEARBY: Final = timedelta(hours=24)
"""A receipt without an owner may speak of an attempt that is not older."""
LATEST_RECEIPTS: Final = 1_000
"""Of the organization's receipts, so many are looked at for a sign of life."""
MOST_RECEIPTS: Final = 20
WORKER_LOST: Final = "resend_admin:worker_lost"


class Likelihood(StrEnum):
    """Did the person get it? A guess, named as one."""

    TOO_EARLY = "too_early"
    PROBABLY_NOT = "probably_not"
    MAYBE = "maybe"
    NO_SIGN = "no_sign"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about the latest attempt of a message that is in doubt.

    ``is_cut_off`` tells that the worker was lost, so that not even the time at which
    the request left is known. ``earlier`` are attempts that are in doubt as well, so
    that more than one copy may have arrived. ``strays`` are receipts for the same
    address since then that name no attempt of ours. ``hears_nothing`` tells that the
    integration ought to get receipts and has got none at all lately.
    """

    attempt: Attempt
    earlier: tuple[Attempt, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    strays: tuple[Receipt, ...] = ()
    hears_nothing: bool = False

    @property
    def integration(self) -> Integration:
        return self.attempt.integration

    @property
    def left_at(self) -> datetime:
        """When the request left, as nearly as it is known."""
        attempt = self.attempt
        if attempt.closed_at is None or attempt.duration_ms is None:
            return attempt.opened_at
        began = attempt.closed_at - timedelta(milliseconds=attempt.duration_ms)
        return max(attempt.opened_at, began)

    @property
    def is_cut_off(self) -> bool:
        return is_cut_off(self.attempt)

    @property
    def sends_receipts(self) -> bool:
        return self.integration.provider.confirms_delivery

    @property
    def was_taken_back(self) -> bool:
        """Whether a part failed later, while another one may be under way."""
        return any(is_held_back(self.attempt, one) for one in self.receipts)

    @property
    def silence(self) -> timedelta:
        """How long nothing has been heard since it left."""
        return timezone.now() - self.left_at

    @property
    def likelihood(self) -> Likelihood:
        if any(one.state in {"delivered", "read"} for one in self.strays):
            return Likelihood.MAYBE
        if not self.sends_receipts or self.hears_nothing or self.receipts:
            return Likelihood.NO_SIGN
        if self.silence < TOO_EARLY:
            return Likelihood.TOO_EARLY
        return Likelihood.PROBABLY_NOT


def is_held_back(attempt: Attempt, receipt: Receipt) -> bool:
    """Tell that a part was taken back, and that it fails the attempt only later.

    That is when it is known of every other part whether it has left: sent again before,
    it would arrive twice.
    """
    return (
        attempt.state == AttemptState.UNKNOWN
        and attempt.parts > 1
        and receipt.state == "failed"
        and receipt.result == ReceiptResult.IGNORED
    )


def is_cut_off(attempt: Attempt) -> bool:
    """Tell that it is not even on record whether the request left."""
    return attempt.error_code == WORKER_LOST


def evidence_of(messages: Sequence[Message]) -> dict[int, Evidence]:
    """Return the evidence by message, of those with an attempt in doubt.

    The messages are of one organization. Four statements, however many there are.
    """
    found = _attempts(messages)
    if not found:
        return {}
    attempts = [every[-1] for every in found.values()]
    organization_id = messages[0].organization_id
    receipts = _receipts(organization_id, [one.pk for one in attempts])
    recipients = {one.pk: one.recipient for one in messages}
    strays = _strays(attempts, recipients)
    heard = _last_heard(organization_id)
    return {
        one.message_id: Evidence(
            one,
            earlier=tuple(found[one.message_id][:-1]),
            receipts=tuple(receipts[one.pk][:MOST_RECEIPTS]),
            strays=tuple(strays[one.pk][:MOST_RECEIPTS]),
            hears_nothing=_hears_nothing(one, heard),
        )
        for one in attempts
    }


def _attempts(messages: Sequence[Message]) -> dict[int, list[Attempt]]:
    """Return those in doubt of each, oldest first; later ones may have failed."""
    rows = (
        Attempt.objects.filter(
            message__in=[one.pk for one in messages], state=AttemptState.UNKNOWN
        )
        .select_related("integration", "content")
        .order_by("number")
    )
    found: dict[int, list[Attempt]] = defaultdict(list)
    for one in rows:
        found[one.message_id].append(one)
    return found


def _receipts(
    organization_id: int, attempt_ids: Collection[int]
) -> dict[int, list[Receipt]]:
    found: dict[int, list[Receipt]] = defaultdict(list)
    rows = Receipt.objects.filter(
        organization=organization_id, attempt_id__in=attempt_ids
    ).order_by("received_at", "pk")
    for receipt in rows:
        found[receipt.attempt_id or 0].append(receipt)
    return found


def _strays(
    attempts: Iterable[Attempt], recipients: dict[int, str]
) -> dict[int, list[Receipt]]:
    """Return receipts for the same address that name no attempt, by attempt."""
    wanted = Q()
    for attempt in attempts:
        wanted |= Q(
            integration=attempt.integration_id,
            address__in=_spellings(recipients[attempt.message_id]),
            received_at__range=(attempt.opened_at, attempt.opened_at + NEARBY),
        )
    rows = list(
        Receipt.objects.filter(wanted, result="unmatched", kind="status").order_by(
            "received_at", "pk"
        )[: MOST_RECEIPTS * 25]
    )
    found: dict[int, list[Receipt]] = defaultdict(list)
    for attempt in attempts:
        spellings = _spellings(recipients[attempt.message_id])
        found[attempt.pk] = [
            one
            for one in rows
            if one.integration_id == attempt.integration_id
            and one.address in spellings
            and one.received_at >= attempt.opened_at
        ]
    return found


def _spellings(address: str) -> list[str]:
    """Return an address with and without its plus, as providers write it."""
    plain = address.lstrip("+")
    return [plain, f"+{plain}"]


def _last_heard(organization_id: int) -> dict[int, datetime]:
    """Return when each integration last got a receipt, among the latest ones.

    Under 0 stands when the oldest of those that were looked at came.

    The organization stands as a range and in the order, so that only the index of an
    organization's newest receipts will do: along the primary key one would pass all
    that others have got since.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH latest AS (SELECT integration_id, received_at"
            "   FROM messaging_receipt WHERE organization_id BETWEEN %s AND %s"
            "   ORDER BY organization_id, id DESC LIMIT %s)"
            " SELECT integration_id, max(received_at) FROM latest GROUP BY 1"
            " UNION ALL"
            " SELECT 0, min(received_at) FROM latest"
            " HAVING count(*) = %s",
            [organization_id, organization_id, LATEST_RECEIPTS, LATEST_RECEIPTS],
        )
        return dict(cursor.fetchall())


def _hears_nothing(attempt: Attempt, heard: dict[int, datetime]) -> bool:
    """Tell that no receipt at all came through its integration since it left."""
    looked_back_to = heard.get(0)
    if looked_back_to is not None and looked_back_to > attempt.opened_at:
        # The latest receipts do not reach back to it: nothing can be said.
        return False
    last = heard.get(attempt.integration_id)
    return last is None or last < attempt.opened_at - NEARBY
