from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.channels.catalogue import CatalogueEntry, ErrorClass, entries, lookup
from messaging.policy import (
    DEFAULT_POLICY,
    IN_RUN_SECONDS,
    IN_RUN_TRIES,
    Facts,
    Initiator,
    Reason,
    RetryPolicy,
    decide,
    in_run_pause,
    next_delay,
)

HOUR = 3600
DAY = 24 * HOUR
AUTOMATIC = Initiator.AUTOMATIC
PASSING = lookup("whatsapp:131016")
A_DAY_LATER = lookup("whatsapp:131049")
CLOSED_WINDOW = lookup("whatsapp:131047")
BLOCKED = lookup("telegram:403:blocked_by_user")
UNLISTED = lookup("whatsapp:999999")
FAILED = Facts(state="failed", error=PASSING)

STATES = [
    "planned",
    "queued",
    "sending",
    "sent",
    "delivered",
    "read",
    "failed",
    "unknown",
    "skipped",
    "cancelled",
    "something_else",
]

seconds = st.floats(min_value=0, max_value=10 * DAY)
fractions = st.floats(min_value=0, max_value=1)
policies = st.builds(
    RetryPolicy,
    max_resends=st.integers(0, 20),
    max_age_seconds=st.integers(1, 7 * DAY),
    ladder=st.lists(st.integers(1, DAY), min_size=1, max_size=8).map(tuple),
)
facts = st.builds(
    Facts,
    state=st.sampled_from(STATES),
    resends=st.integers(0, 30),
    age=seconds,
    error=st.none() | st.sampled_from(entries()),
    since_failure=seconds,
    provider_pause=seconds,
    attempt_open=st.booleans(),
    opted_out=st.booleans(),
    fixed=st.booleans(),
    risk_accepted=st.booleans(),
)
hopeful_facts = st.builds(
    Facts,
    state=st.sampled_from(["failed", "unknown"]),
    resends=st.integers(0, 6),
    age=st.floats(0, 50 * HOUR),
    error=st.sampled_from(entries()),
    since_failure=st.floats(0, 50 * HOUR),
    provider_pause=st.floats(0, 2 * HOUR),
    fixed=st.booleans(),
    risk_accepted=st.booleans(),
)
likely_facts = st.builds(
    Facts,
    state=st.just("failed"),
    resends=st.integers(0, DEFAULT_POLICY.max_resends - 1),
    age=st.floats(0, 40 * HOUR),
    error=st.sampled_from(
        [one for one in entries() if one.error_class in ("retry", "wait")]
    ),
    since_failure=st.floats(0, 50 * HOUR),
    provider_pause=st.floats(0, HOUR),
    fixed=st.booleans(),
)
"""Failures that a try by itself is mostly allowed for."""
initiators = st.sampled_from(Initiator)


@given(facts | hopeful_facts, policies | st.just(DEFAULT_POLICY), initiators, fractions)
def test_no_allowed_try_breaks_a_limit(
    facts: Facts, policy: RetryPolicy, initiator: Initiator, jitter: float
) -> None:
    decision = decide(facts, policy, initiator, jitter)
    assert decision.sentence.endswith(".")
    if not decision.allowed:
        assert decision.wait == 0
        return
    assert facts.state in ("failed", "unknown")
    assert not facts.attempt_open
    assert not facts.opted_out
    assert facts.resends < policy.max_resends
    assert facts.age + decision.wait <= policy.max_age_seconds
    assert decision.wait >= facts.provider_pause
    assert decision.reason is (Reason.LATER if decision.wait else Reason.NOW)


@given(likely_facts | hopeful_facts, fractions)
def test_no_automatic_try_leaves_before_the_ladder_or_the_class_allows(
    facts: Facts, jitter: float
) -> None:
    decision = decide(facts, DEFAULT_POLICY, AUTOMATIC, jitter)
    if not decision.allowed:
        return
    since_failure = facts.since_failure + decision.wait
    assert since_failure >= DEFAULT_POLICY.ladder[facts.resends] - 1e-6
    assert facts.error is not None
    if not facts.fixed:
        assert since_failure >= facts.error.wait_seconds - 1e-6
        assert facts.error.error_class in (ErrorClass.RETRY, ErrorClass.WAIT)
        assert not facts.error.needs_person


@given(facts | hopeful_facts)
def test_what_may_have_arrived_is_never_resent_by_itself(facts: Facts) -> None:
    unknown = replace(facts, state="unknown")
    assert not decide(unknown, initiator=AUTOMATIC).allowed
    assert not decide(replace(unknown, risk_accepted=False)).allowed


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("planned", Reason.ALREADY_WAITING),
        ("queued", Reason.ALREADY_WAITING),
        ("sending", Reason.IN_PROGRESS),
        ("sent", Reason.ALREADY_SENT),
        ("delivered", Reason.ALREADY_DELIVERED),
        ("read", Reason.ALREADY_DELIVERED),
        ("skipped", Reason.SKIPPED),
        ("cancelled", Reason.CANCELLED),
        ("unheard_of", Reason.NOT_FAILED),
    ],
)
def test_only_what_failed_can_be_resent(state: str, reason: Reason) -> None:
    decision = decide(Facts(state=state))
    assert (decision.allowed, decision.reason) == (False, reason)


def test_a_person_may_resend_a_failed_message_at_once() -> None:
    decision = decide(FAILED)
    assert (decision.allowed, decision.reason) == (True, Reason.NOW)
    assert decision.wait == 0


def test_an_open_attempt_comes_before_everything_else() -> None:
    busy = replace(FAILED, attempt_open=True, opted_out=True, resends=9)
    assert decide(busy).reason is Reason.IN_PROGRESS


def test_the_fifth_resend_is_the_last() -> None:
    assert decide(replace(FAILED, resends=4)).allowed
    refused = decide(replace(FAILED, resends=5))
    assert refused.reason is Reason.LIMIT_REACHED
    assert refused.sentence == "A message can be sent again 5 times at most."


def test_48_hours_are_the_end() -> None:
    assert decide(replace(FAILED, age=48 * HOUR)).allowed
    refused = decide(replace(FAILED, age=48 * HOUR + 1))
    assert refused.reason is Reason.TOO_OLD
    assert refused.sentence == "The message is older than 48 hours."


def test_a_wait_that_ends_too_late_is_refused_at_once() -> None:
    late = Facts(state="failed", error=A_DAY_LATER, age=25 * HOUR)
    assert decide(late).reason is Reason.TOO_OLD_BY_THEN
    assert decide(replace(late, age=24 * HOUR)).reason is Reason.LATER


def test_who_opted_out_gets_nothing_even_when_all_is_fixed() -> None:
    decision = decide(replace(FAILED, opted_out=True, fixed=True, risk_accepted=True))
    assert decision.reason is Reason.OPTED_OUT


def test_a_day_of_rest_counts_from_the_failure() -> None:
    fresh = Facts(state="failed", error=A_DAY_LATER)
    assert decide(fresh).wait == DAY
    assert decide(replace(fresh, since_failure=DAY - 60)).wait == 60
    assert decide(replace(fresh, since_failure=DAY)).reason is Reason.NOW
    assert decide(fresh).sentence == "It will be sent again in 24 hours."


def test_the_pause_of_a_provider_counts_from_now() -> None:
    decision = decide(replace(FAILED, provider_pause=90, since_failure=5000))
    assert (decision.reason, decision.wait) == (Reason.LATER, 90)


@pytest.mark.parametrize("initiator", Initiator)
def test_fix_first_waits_for_the_fix(initiator: Initiator) -> None:
    closed = Facts(state="failed", error=CLOSED_WINDOW)
    refused = decide(closed, initiator=initiator)
    assert refused.reason is Reason.FIX_FIRST
    assert refused.sentence == CLOSED_WINDOW.advice
    assert decide(replace(closed, fixed=True), initiator=initiator).allowed


@pytest.mark.parametrize("initiator", Initiator)
def test_what_will_not_help_is_refused_with_the_cause(initiator: Initiator) -> None:
    refused = decide(Facts(state="failed", error=BLOCKED), initiator=initiator)
    assert refused.reason is Reason.WILL_NOT_HELP
    assert refused.sentence == BLOCKED.diagnosis


@pytest.mark.parametrize("error", [None, UNLISTED, lookup("resend_admin:missed_time")])
def test_a_person_decides_where_the_catalogue_cannot(
    error: CatalogueEntry | None,
) -> None:
    unclear = replace(FAILED, error=error)
    assert decide(unclear).allowed
    assert decide(unclear, initiator=AUTOMATIC).reason is Reason.NEEDS_PERSON


def test_a_duplicate_takes_a_person_who_accepts_the_risk() -> None:
    doubt = Facts(state="unknown", error=lookup("email:timeout"))
    assert decide(doubt).reason is Reason.MAY_HAVE_ARRIVED
    assert decide(replace(doubt, risk_accepted=True)).allowed


def test_automatic_tries_climb_the_ladder() -> None:
    waits = [
        decide(replace(FAILED, resends=number), initiator=AUTOMATIC).wait
        for number in range(5)
    ]
    assert waits == [60, 300, 900, 1800, 3600]


def test_the_ladder_counts_from_the_failure() -> None:
    later = replace(FAILED, resends=1, since_failure=200)
    assert decide(later, initiator=AUTOMATIC).wait == 100


def test_the_last_step_of_a_short_ladder_repeats() -> None:
    policy = RetryPolicy(ladder=(10, 20))
    delays = [
        next_delay(number, ErrorClass.RETRY, policy=policy) for number in (1, 2, 3, 5)
    ]
    assert delays == [10, 20, 20, 20]


@pytest.mark.parametrize(
    "error_class", [ErrorClass.FIX_FIRST, ErrorClass.NEVER, ErrorClass.UNKNOWN]
)
def test_there_is_no_next_delay_for_what_a_retry_does_not_help(
    error_class: ErrorClass,
) -> None:
    assert next_delay(1, error_class) is None


@pytest.mark.parametrize("number", [-1, 0, 6, 100])
def test_there_is_no_next_delay_beyond_the_limit(number: int) -> None:
    assert next_delay(number, ErrorClass.RETRY) is None


@given(
    number=st.integers(1, 5),
    error_class=st.sampled_from([ErrorClass.RETRY, ErrorClass.WAIT]),
    wait=seconds,
    pause=seconds,
    jitter=fractions,
)
def test_a_delay_is_never_shorter_than_anybody_asks(
    number: int, error_class: ErrorClass, wait: float, pause: float, jitter: float
) -> None:
    delay = next_delay(number, error_class, wait, pause, jitter)
    assert delay is not None
    longest = max(DEFAULT_POLICY.ladder[number - 1], wait, pause)
    assert longest <= delay <= longest * 1.1 + 1e-6


def test_jitter_spreads_and_never_shortens() -> None:
    assert next_delay(1, ErrorClass.RETRY, jitter=0) == 60
    assert next_delay(1, ErrorClass.RETRY, jitter=1) == pytest.approx(66)
    assert next_delay(1, ErrorClass.RETRY, jitter=-5) == 60


@given(st.lists(st.floats(min_value=-10, max_value=60), min_size=10, max_size=10))
def test_a_run_never_spends_more_than_its_budget(pauses: list[float]) -> None:
    tries, waited = 1, 0.0
    for retry_after in pauses:
        pause = in_run_pause(tries, waited, retry_after)
        if pause is None:
            continue
        assert pause >= retry_after
        assert pause > 0
        tries += 1
        waited += pause
    assert tries <= IN_RUN_TRIES == 3
    assert waited <= IN_RUN_SECONDS == 15


def test_a_run_rests_exactly_as_long_as_it_is_asked_to() -> None:
    assert in_run_pause(1, 0, 5) == 5
    assert in_run_pause(2, 5, 10) == 10


def test_a_run_gives_up_when_its_budget_does_not_cover_the_pause() -> None:
    assert in_run_pause(1, 0, 15.1) is None
    assert in_run_pause(2, 5, 10.1) is None
    assert in_run_pause(3, 0, 1) is None


@pytest.mark.parametrize("nonsense", [math.nan, math.inf, -math.inf])
def test_a_pause_that_is_no_time_ends_the_run(nonsense: float) -> None:
    assert in_run_pause(1, 0, nonsense) is None


@pytest.mark.parametrize(
    "limits",
    [
        {"max_resends": -1},
        {"max_age_seconds": 0},
        {"ladder": ()},
        {"ladder": (60, 0)},
    ],
)
def test_senseless_limits_are_refused(limits: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"max|ladder"):
        RetryPolicy(**limits)  # type: ignore[arg-type]
