"""From a row of facts to a judgement, the same for one message and for many alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from messaging import policy
from messaging.models import MessageState
from messaging.resend import WINDOW
from messaging.standing import Circumstances, Standing, standing_of

ELSEWHERE: Final = "in_another_bulk_resend"
CHANGED: Final = "changed_meanwhile"
GONE: Final = "no_longer_kept"
TAKEN_BACK: Final = "taken_back"

SENTENCES: Final = {
    ELSEWHERE: "Another bulk resend is about to send this message again.",
    CHANGED: "This message changed while the selection was confirmed. Look at it.",
    GONE: "This message is no longer kept.",
    TAKEN_BACK: "The bulk resend was cancelled before the turn of this message.",
}
"""What only a bulk resend refuses; all other reasons are those of one message."""

_FACTS: Final = tuple(one.name for one in fields(Circumstances))
_CAUSED: Final = frozenset({policy.Reason.FIX_FIRST, policy.Reason.WILL_NOT_HELP})


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a message is not queued. ``cause`` is the error, where that is why."""

    code: str
    sentence: str
    cause: str = ""


def judge(
    row: Mapping[str, Any], limits: policy.RetryPolicy, *, accepts_duplicate: bool
) -> Standing:
    """Judge by the columns of ``facts.sql``."""
    found = Circumstances(**{name: row[name] for name in _FACTS})
    return standing_of(found, limits, accepts_duplicate=accepts_duplicate)


def refusal_of(standing: Standing) -> Refusal:
    caused = standing.code in _CAUSED and standing.error is not None
    cause = standing.error.code if caused and standing.error else ""
    return Refusal(standing.code, standing.sentence, cause)


def refusal_for(code: str) -> Refusal:
    return Refusal(code, SENTENCES[code])


def refusals_by_state() -> dict[str, Refusal]:
    """Return why messages of each state that did not fail are not queued."""
    decisions = {
        state: policy.decide(policy.Facts(state=state)) for state in MessageState.values
    }
    return {
        state: Refusal(one.reason.value, one.sentence)
        for state, one in decisions.items()
        if not one.allowed and one.reason is not policy.Reason.MAY_HAVE_ARRIVED
    }


def moment(later: float = 0.0) -> dict[str, float]:
    """Return the parameters of ``facts.sql``: so many seconds from now."""
    return {"later": later, "window": WINDOW.total_seconds()}
