"""Claim: take due messages of one integration and open their attempts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.db import transaction

from messaging.dispatch import ledger, lifetime, pace, statements
from messaging.models import (
    Integration,
    IntegrationState,
    MessageState,
    SkipReason,
)

CONTENTS_KEPT = 1_000
"""Contents that a pump, and its flight, remember at most; then they begin anew."""

Contents = dict[int, tuple[str, dict[str, Any]]]
"""Kind and payload by number. A content never changes."""

MANY = {"of_those_that_nobody_holds": "SKIP LOCKED"}
"""Whoever claims many passes by what another one holds at the moment."""
ONE_ONLY = {"and_this_one_only": "AND id = %(message_id)s"}
"""Whoever wants this very message waits for it."""
UNPRICED = 2_000_000_000
"""More than any chunk: what an integration without a price can afford."""


@dataclass(slots=True)
class Claimed:
    """One open attempt, with all that is needed to send it.

    Those with the same content share its ``payload``.
    """

    attempt_id: int
    message_id: int
    content_id: int
    channel: str
    recipient: str
    kind: str
    payload: dict[str, Any]
    parameters: dict[str, str]
    parts: int
    parts_sent: int
    """A bit for each part that is accepted; see ``Message.parts_sent``."""
    is_retry_of_chain: bool

    @property
    def requests(self) -> int:
        """Messages to the provider, each of which takes a slot: the parts left over."""
        return max(1, self.parts - self.parts_sent.bit_count())


@dataclass(frozen=True, slots=True)
class Claim:
    """What one claim brought.

    ``taken`` counts the due messages it dealt with, sent or not; with
    ``wait_seconds`` above 0 the rate or a pause allows nothing before that. The
    attempts leave in slots: the first one in ``first_in`` seconds, then a request
    ``every`` so many.
    """

    attempts: list[Claimed] = field(default_factory=list)
    taken: int = 0
    wait_seconds: float = 0.0
    first_in: float = 0.0
    every: float = 0.0
    begun: float = field(default_factory=lifetime.now, compare=False)
    """When it began, by the clock of ``lifetime``: no attempt is older than that."""
    is_stale: bool = False
    """Whether the integration's row has changed since it was read."""


@statements.again_after_deadlock
def claim(
    integration: Integration,
    *,
    limit: int,
    message_id: int | None = None,
    version: str = "",
    contents: Contents | None = None,
) -> Claim:
    """Open attempts for up to ``limit`` due messages, or for one, and commit.

    With a ``version`` of the integration's row, nothing is claimed once the row has
    changed: other credentials may have to be used by now. What is in ``contents`` is
    not read again, and what is read is put there.

    After this returns, each attempt is on record: if the process dies now, its
    outcome is *unknown*, and nobody sends it again by accident.
    """
    begun = lifetime.now()
    with transaction.atomic():
        allowed = pace.lock(integration.pk)
        if allowed is None or allowed.state == IntegrationState.PAUSED:
            return Claim()
        if version and allowed.version != version:
            return Claim(is_stale=True)
        statements.find_in_order()
        if reason := _refusal(allowed, integration):
            refused = statements.rows(
                "refuse_due",
                {
                    "integration_id": integration.pk,
                    "limit": limit,
                    "state": MessageState.SKIPPED,
                    "reason": reason,
                    "held_back_by": reason,
                    "error_code": "",
                    "error_class": "",
                },
            )
            return Claim(taken=len(refused))
        if allowed.allowance == 0:
            return Claim(wait_seconds=allowed.wait_seconds)
        affordable = _affordable(allowed)
        rows = statements.rows(
            "claim",
            {
                "integration_id": integration.pk,
                "limit": min(limit, allowed.allowance),
                "price": allowed.credit_price,
                "affordable": affordable,
                "message_id": message_id,
                "pair_seconds": integration.provider.pair_seconds,
                "horizon_seconds": pace.HORIZON_SECONDS,
            },
            **(ONE_ONLY if message_id else MANY),
        )
        attempts = _claimed(
            [row for row in rows if row["attempt_id"] is not None],
            {} if contents is None else contents,
        )
        if not attempts:
            return Claim(taken=rows[-1]["taken"])
        pace.pay(integration.pk, sum(one.requests for one in attempts))
        return Claim(
            attempts=attempts,
            taken=rows[-1]["taken"],
            first_in=allowed.first_in,
            every=allowed.every,
            begun=begun,
        )


def _refusal(allowed: pace.Pace, integration: Integration) -> str:
    if allowed.state == IntegrationState.OFF:
        return SkipReason.INTEGRATION_OFF
    if integration.provider.problems(integration.account):
        return SkipReason.CREDENTIALS
    return ""


def _affordable(allowed: pace.Pace) -> int:
    if allowed.credit_price == 0:
        return UNPRICED
    return ledger.lock(allowed.organization_id) // allowed.credit_price


def _claimed(rows: Sequence[dict[str, Any]], contents: Contents) -> list[Claimed]:
    if missing := {row["content_id"] for row in rows} - contents.keys():
        if len(contents) + len(missing) > CONTENTS_KEPT:
            contents.clear()
            missing = {row["content_id"] for row in rows}
        for row in statements.rows("contents", {"content_ids": list(missing)}):
            contents[row["id"]] = (row["kind"], json.loads(row["payload"]))
    return [
        Claimed(
            row["attempt_id"],
            row["message_id"],
            row["content_id"],
            row["channel"],
            row["recipient"],
            *contents[row["content_id"]],
            # Django registers jsonb as text on its connections.
            orjson.loads(row["parameters"]),
            row["parts"],
            row["parts_sent"],
            row["root_id"] is not None,
        )
        for row in rows
    ]
