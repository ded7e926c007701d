"""When does sending again help, how often, and when next?

Pure functions over the error catalogue: no clock, no database, no dice. The
caller brings the facts and gets a value back. Times are seconds.

Two rules stand above all others: a message is resent at most
``max_resends`` times and never later than ``max_age_seconds`` after it was
created. Automatic tries keep to the ladder of delays; a person who presses the
button need not, because pressing it is the decision to try now. Both wait for
as long as the provider or the class of the error demands.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from messaging.channels.catalogue import CatalogueEntry, ErrorClass

HOUR: Final = 3600
IN_RUN_TRIES: Final = 3
"""Tries of one attempt within a run, the first one included."""
IN_RUN_SECONDS: Final = 15.0
"""Seconds that all pauses of one attempt within a run may take together."""
SHORTEST_PAUSE: Final = 0.25
"""Seconds to rest even when a provider asks for a pause of none."""
JITTER_SHARE: Final = 0.1
"""The largest part of a delay that jitter adds, so that tries spread out."""
AUTOMATIC_CLASSES: Final = frozenset({ErrorClass.RETRY, ErrorClass.WAIT})
"""The classes for which a try without a person makes sense."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The limits of an organization. Raises ``ValueError`` for senseless ones.

    ``ladder`` has the delay before resend 1, 2, …; its last step repeats.
    """

    max_resends: int = 5
    max_age_seconds: int = 48 * HOUR
    ladder: tuple[int, ...] = (60, 300, 900, 1800, 3600)

    def __post_init__(self) -> None:
        if self.max_resends < 0:
            raise ValueError("max_resends must not be negative")
        if self.max_age_seconds <= 0:
            raise ValueError("max_age_seconds must be positive")
        if not self.ladder or min(self.ladder) <= 0:
            raise ValueError("the ladder needs at least one step, all positive")


DEFAULT_POLICY: Final = RetryPolicy()


class Initiator(StrEnum):
    """Who asks for the next try."""

    PERSON = "person"
    AUTOMATIC = "automatic"


class Reason(StrEnum):
    """Why a message may or may not be sent again. Stable: it is on the wire."""

    NOW = "now"
    LATER = "later"
    IN_PROGRESS = "in_progress"
    ALREADY_WAITING = "already_waiting"
    ALREADY_SENT = "already_sent"
    ALREADY_DELIVERED = "already_delivered"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    NOT_FAILED = "not_failed"
    OPTED_OUT = "opted_out"
    LIMIT_REACHED = "limit_reached"
    TOO_OLD = "too_old"
    TOO_OLD_BY_THEN = "too_old_by_then"
    MAY_HAVE_ARRIVED = "may_have_arrived"
    FIX_FIRST = "fix_first"
    WILL_NOT_HELP = "will_not_help"
    NEEDS_PERSON = "needs_person"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about a message at the moment of asking.

    ``resends`` counts the attempts after the first. ``age`` runs from the
    creation of the message, ``since_failure`` from the end of its last attempt.
    ``provider_pause`` is how long from now its provider still wants rest.
    ``fixed`` tells that somebody has changed what the error asked for: a new
    media link, a template, credentials, credits, the address.
    ``risk_accepted`` tells that a person was warned of a duplicate and agreed.
    """

    state: str
    resends: int = 0
    age: float = 0.0
    error: CatalogueEntry | None = None
    since_failure: float = 0.0
    provider_pause: float = 0.0
    attempt_open: bool = False
    opted_out: bool = False
    fixed: bool = False
    risk_accepted: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """May it be sent again, and when; or why not.

    ``wait`` is the number of seconds from now; 0 unless ``reason`` is *later*.
    """

    allowed: bool
    reason: Reason
    sentence: str
    wait: float = 0.0


NEEDS_PERSON: Final = Decision(
    False, Reason.NEEDS_PERSON, "A person has to decide whether to send it again."
)
_STATES: Final[dict[str, tuple[Reason, str]]] = {
    "planned": (Reason.ALREADY_WAITING, "This message has not been sent yet."),
    "queued": (Reason.ALREADY_WAITING, "This message is already waiting to be sent."),
    "sending": (Reason.IN_PROGRESS, "This message is being sent right now."),
    "sent": (
        Reason.ALREADY_SENT,
        "The provider has this message and may still deliver it.",
    ),
    "delivered": (Reason.ALREADY_DELIVERED, "This message was delivered."),
    "read": (Reason.ALREADY_DELIVERED, "This message was delivered and read."),
    "skipped": (
        Reason.SKIPPED,
        "This message was left out on purpose; settle the reason first.",
    ),
    "cancelled": (Reason.CANCELLED, "This message was cancelled."),
}


def decide(
    facts: Facts,
    policy: RetryPolicy = DEFAULT_POLICY,
    initiator: Initiator = Initiator.PERSON,
    jitter: float = 0.0,
) -> Decision:
    """Decide whether a message may be sent again, and when.

    ``jitter`` is a random number from 0 up to 1 that spreads automatic tries;
    it only ever makes a delay longer.
    """
    refusal = (
        _refused_by_state(facts)
        or _refused_by_limit(facts, policy)
        or _refused_by_error(facts, initiator)
    )
    if refusal is not None:
        return refusal
    wait = _remaining(facts, policy, initiator, jitter)
    if facts.age + wait > policy.max_age_seconds:
        return _no(
            Reason.TOO_OLD_BY_THEN,
            f"It may be sent again in {_span(wait)} at the earliest, and by then it is "
            f"older than {_span(policy.max_age_seconds)}.",
        )
    if wait > 0:
        return Decision(
            True, Reason.LATER, f"It will be sent again in {_span(wait)}.", wait
        )
    return Decision(True, Reason.NOW, "It can be sent again now.")


def next_delay(
    resend_number: int,
    error_class: ErrorClass | str,
    wait_seconds: float = 0.0,
    provider_pause: float = 0.0,
    jitter: float = 0.0,
    policy: RetryPolicy = DEFAULT_POLICY,
) -> float | None:
    """Return the seconds from a failure to resend ``resend_number`` (from 1).

    ``None`` when no automatic resend follows: the class speaks against it or
    the number is above the limit. The delay is never shorter than the step of
    the ladder, than ``wait_seconds`` of a *wait* error, or than the pause the
    provider asks for; ``jitter`` (0 up to 1) adds up to a tenth.
    """
    if ErrorClass(error_class) not in AUTOMATIC_CLASSES:
        return None
    if not 1 <= resend_number <= policy.max_resends:
        return None
    step = policy.ladder[min(resend_number, len(policy.ladder)) - 1]
    delay = max(float(step), _seconds(wait_seconds), _seconds(provider_pause))
    return delay * (1 + JITTER_SHARE * min(max(jitter, 0.0), 1.0))


def in_run_pause(
    tries_so_far: int, waited_so_far: float, retry_after: float
) -> float | None:
    """Return how long to pause before the same attempt is tried again.

    For answers that ask for a pause. ``tries_so_far`` counts the requests made,
    the first included; ``waited_so_far`` and ``retry_after`` are seconds.
    ``None`` means that the budget does not cover another try: the answer counts
    as a failure then.
    """
    if tries_so_far >= IN_RUN_TRIES or not math.isfinite(retry_after):
        return None
    pause = max(retry_after, SHORTEST_PAUSE)
    if waited_so_far + pause > IN_RUN_SECONDS:
        return None
    return pause


def _refused_by_state(facts: Facts) -> Decision | None:
    if facts.attempt_open:
        return _no(Reason.IN_PROGRESS, "This message is being sent right now.")
    if facts.state in ("failed", "unknown"):
        return None
    known = _STATES.get(facts.state)
    if known is not None:
        return _no(*known)
    return _no(Reason.NOT_FAILED, "Only messages that failed can be sent again.")


def _refused_by_limit(facts: Facts, policy: RetryPolicy) -> Decision | None:
    if facts.opted_out:
        return _no(Reason.OPTED_OUT, "The person has opted out of our messages.")
    if facts.resends >= policy.max_resends:
        times = "once" if policy.max_resends == 1 else f"{policy.max_resends} times"
        return _no(
            Reason.LIMIT_REACHED, f"A message can be sent again {times} at most."
        )
    if facts.age > policy.max_age_seconds:
        return _no(
            Reason.TOO_OLD,
            f"The message is older than {_span(policy.max_age_seconds)}.",
        )
    return None


def _refused_by_error(facts: Facts, initiator: Initiator) -> Decision | None:
    by_itself = initiator is Initiator.AUTOMATIC
    if facts.state == "unknown":
        if by_itself or not facts.risk_accepted:
            return _no(
                Reason.MAY_HAVE_ARRIVED,
                "The message may have arrived, so sending it again may reach the "
                "person twice.",
            )
        return None
    error = facts.error
    if facts.fixed or (error is None and not by_itself):
        return None
    if error is None or error.needs_person:
        return NEEDS_PERSON if by_itself else None
    match error.error_class:
        case ErrorClass.FIX_FIRST:
            return _no(Reason.FIX_FIRST, error.advice)
        case ErrorClass.NEVER:
            return _no(Reason.WILL_NOT_HELP, error.diagnosis)
        case ErrorClass.UNKNOWN if by_itself:
            return NEEDS_PERSON
        case _:
            return None


def _remaining(
    facts: Facts, policy: RetryPolicy, initiator: Initiator, jitter: float
) -> float:
    """Return the seconds from now until the message may leave."""
    error = facts.error
    waits = error is not None and error.error_class is ErrorClass.WAIT
    demanded = float(error.wait_seconds) if error and waits and not facts.fixed else 0.0
    if initiator is Initiator.AUTOMATIC:
        # What was fixed is tried like a passing fault: by the ladder alone.
        error_class = ErrorClass.WAIT if demanded else ErrorClass.RETRY
        delay = next_delay(
            facts.resends + 1, error_class, demanded, jitter=jitter, policy=policy
        )
        demanded = delay or 0.0
    rest = demanded - max(facts.since_failure, 0.0)
    return max(rest, _seconds(facts.provider_pause), 0.0)


def _no(reason: Reason, sentence: str) -> Decision:
    return Decision(False, reason, sentence)


def _seconds(value: float) -> float:
    """Return ``value``, and 0 for what is no number of seconds."""
    return 0.0 if math.isnan(value) else max(float(value), 0.0)


_UNITS: Final = ((1, "second", 90), (60, "minute", 90), (HOUR, "hour", math.inf))


def _span(seconds: float) -> str:
    """Return a span in words, rounded up: "90 seconds", "15 minutes"."""
    if not math.isfinite(seconds):
        return "an unknown time"
    size, name = next(
        (size, name)
        for size, name, largest in _UNITS
        if math.ceil(seconds / size) <= largest
    )
    amount = math.ceil(seconds / size)
    return f"{amount} {name}" if amount == 1 else f"{amount} {name}s"
