from __future__ import annotations

from collections import Counter

import pytest

from resend_admin.sandbox.behaviour import Outcome, decide, magic_digits


@pytest.mark.parametrize(
    ("recipient", "digits"),
    [
        ("+4915155500004", "0004"),
        ("+49 151 555-00 04", "0004"),
        ("900000007", "0007"),
        ("ann.0002@example.org", "0002"),
        ("ann@example0002.org", ""),
        ("012", ""),
    ],
)
def test_magic_digits_are_the_last_four_of_the_address(
    recipient: str, digits: str
) -> None:
    assert magic_digits(recipient) == digits


@pytest.mark.parametrize("channel", ["whatsapp", "telegram", "sms", "email"])
@pytest.mark.parametrize(
    ("digits", "outcome"),
    [
        ("0001", Outcome.DELIVER),
        ("0002", Outcome.INVALID),
        ("0003", Outcome.DELIVER),
        ("0004", Outcome.SERVER_ERROR),
        ("0006", Outcome.BLOCKED),
        ("0007", Outcome.SILENCE),
    ],
)
def test_a_magic_number_decides_whatever_the_failure_rate(
    channel: str, digits: str, outcome: Outcome
) -> None:
    for failure_rate in (0.0, 1.0):
        decision = decide(channel, f"+49151{digits}", 0, failure_rate=failure_rate)
        assert decision.outcome is outcome
        assert decision.decided_by == "number"


def test_0003_is_delivered_half_a_minute_later() -> None:
    assert decide("sms", "+491510003", 0).delay == 30


def test_0004_fails_once_only() -> None:
    outcomes = [decide("sms", "+491510004", tries).outcome for tries in range(3)]
    assert outcomes == [Outcome.SERVER_ERROR, Outcome.DELIVER, Outcome.DELIVER]


def test_0005_needs_a_template_on_whatsapp_alone() -> None:
    def outcome(channel: str, template: bool) -> Outcome:
        return decide(channel, "+491510005", 0, template=template).outcome

    assert outcome("whatsapp", False) is Outcome.WINDOW_CLOSED
    assert outcome("whatsapp", True) is Outcome.DELIVER
    assert outcome("sms", False) is Outcome.DELIVER


def mix(rate: float, *, seed: int = 7, tries: int = 0, media: bool = True) -> list[str]:
    return [
        decide(
            "whatsapp",
            f"+49151{number}",
            tries,
            seed=seed,
            failure_rate=rate,
            media=media,
        ).outcome
        for number in range(20_000, 30_000)
        if number % 10_000 > 7
    ]


def test_the_mix_fails_at_its_rate_in_every_class() -> None:
    counts = Counter(mix(0.03))
    failures = sum(counts.values()) - counts[Outcome.DELIVER]
    assert 200 < failures < 400
    assert set(counts) == {
        Outcome.DELIVER,
        Outcome.SERVER_ERROR,
        Outcome.RATE_LIMIT,
        Outcome.MEDIA,
        Outcome.HOLD_BACK,
        Outcome.LOSE,
    }


def test_the_mix_follows_from_the_seed() -> None:
    assert mix(0.5) == mix(0.5)
    assert mix(0.5) != mix(0.5, seed=8)


def test_another_try_of_the_same_person_rolls_the_dice_again() -> None:
    first, second = mix(0.03), mix(0.03, tries=1)
    failed_twice = [
        pair for pair in zip(first, second, strict=True) if Outcome.DELIVER not in pair
    ]
    assert len(failed_twice) < 30


def test_a_text_never_meets_a_media_error() -> None:
    assert Outcome.MEDIA not in mix(1.0, media=False)


def test_no_ordinary_number_fails_at_rate_zero() -> None:
    assert set(mix(0.0)) == {Outcome.DELIVER}
