"""From a row of facts to a judgement, the same for one message and for many alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

from messaging import policy
from messaging.channels import PROVIDERS
from messaging.channels.catalogue import lookup
from messaging.circumstances import WINDOW
from messaging.models import Content, MessageState
from messaging.standing import Circumstances, Standing, standing_of

ELSEWHERE: Final = "in_another_bulk_resend"
CHANGED: Final = "changed_meanwhile"
GONE: Final = "no_longer_kept"
TAKEN_BACK: Final = "taken_back"
UNFIT: Final = "content_does_not_fit"

SENTENCES: Final = {
    ELSEWHERE: "Another bulk resend is about to send this message again.",
    CHANGED: "This message changed while the selection was confirmed. Look at it.",
    GONE: "This message is no longer kept.",
    TAKEN_BACK: "The bulk resend was cancelled before the turn of this message.",
    UNFIT: "The integration of this message cannot send what was chosen instead.",
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


@dataclass(frozen=True, slots=True)
class Remedy:
    """What somebody did about one cause: all of a bulk resend failed of it.

    ``content`` goes out instead of what failed, which stays as it is; messages that
    may be sent again without it keep their own.
    """

    cause: str
    content: Content | None = None
    _unfit: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        unfit: frozenset[str] = frozenset()
        if self.content is not None:
            kind, payload = self.content.kind, self.content.payload
            unfit = frozenset(
                name for name, one in PROVIDERS.items() if one.refusals(kind, payload)
            )
        object.__setattr__(self, "_unfit", unfit)

    def heals(self, row: Mapping[str, Any]) -> bool:
        return lookup(row["error_code"]).code == self.cause

    def fits(self, row: Mapping[str, Any]) -> bool:
        return row["integration_kind"] not in self._unfit


@dataclass(frozen=True, slots=True)
class Judgement:
    """The standing of a message, and what goes out instead of its content, if so."""

    standing: Standing
    content: Content | None = None


def judge(
    row: Mapping[str, Any],
    limits: policy.RetryPolicy,
    *,
    accepts_duplicate: bool,
    remedy: Remedy | None = None,
) -> Judgement:
    """Judge by the columns of ``facts.sql``.

    A remedy counts only where the cause is what stands in the way.
    """
    found = Circumstances(**{name: row[name] for name in _FACTS})
    standing = standing_of(found, limits, accepts_duplicate=accepts_duplicate)
    if remedy is None or standing.code != policy.Reason.FIX_FIRST:
        return Judgement(standing)
    if not remedy.heals(row):
        return Judgement(standing)
    if not remedy.fits(row):
        refused = refusal_for(UNFIT)
        unfit = replace(standing, code=refused.code, sentence=refused.sentence)
        return Judgement(unfit)
    healed = standing_of(
        found,
        limits,
        accepts_duplicate=accepts_duplicate,
        fixed=True,
        other_content=remedy.content is not None,
    )
    return Judgement(healed, remedy.content)


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
