"""What is kept of a provider's words, and how a pause is read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from messaging.channels.contract import InDoubt, RateLimited, Rejected
from messaging.channels.http import pause, without_own_words
from messaging.channels.redaction import keepable


def test_every_spelling_of_a_secret_is_taken_out() -> None:
    secret = 'a/b "c"+d'
    spellings = [secret, "a%2Fb%20%22c%22%2Bd", "a%2Fb+%22c%22%2Bd", 'a/b \\"c\\"+d']
    kept = keepable(" | ".join(spellings), [secret])
    assert kept == " | ".join(["[secret]"] * 4)
    assert keepable("YS9iICJjIitk!", [secret]) == "[secret]!"


def test_an_empty_secret_hides_nothing() -> None:
    assert keepable("abc", ["", "b"]) == "abc"


def test_no_half_of_a_secret_remains_at_the_cut() -> None:
    kept = keepable("x" * 4090 + "very-secret", ["very-secret"])
    assert "very" not in kept
    assert len(kept) == 4096


def test_a_character_is_not_cut_in_two() -> None:
    assert keepable("é" * 3000) == "é" * 2048


def test_what_a_database_refuses_is_replaced() -> None:
    assert keepable(b"a\x00b\xff") == "a\ufffdb\ufffd"
    assert keepable("a\ud800") == "a?"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("12", 12.0),
        ("1.5", 1.5),
        ("99999999", 86_400.0),
        ("", 7.0),
        ("soon", 7.0),
        ("nan", 7.0),
        ("-3", 7.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 99 Oct 2015 07:28:00 GMT", 7.0),
    ],
)
def test_retry_after(value: str, seconds: float) -> None:
    assert pause({"retry-after": value}, default=7.0) == seconds


def test_retry_after_as_a_date() -> None:
    moment = datetime.now(UTC) + timedelta(seconds=100)
    assert 90 < pause({"retry-after": format_datetime(moment, usegmt=True)}, 7.0) <= 100


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (200, InDoubt("unreadable_answer", "words")),
        (307, Rejected("http_307", "words")),
        (400, Rejected("http_400", "words")),
        (401, Rejected("auth_failed", "words")),
        (429, RateLimited("http_429", 10.0, "words")),
        (500, Rejected("http_500", "words")),
        (502, InDoubt("unreadable_answer", "words")),
        (503, Rejected("http_503", "words")),
        (504, InDoubt("http_504", "words")),
        (520, InDoubt("unreadable_answer", "words")),
        (524, InDoubt("http_524", "words")),
    ],
)
def test_an_answer_that_is_not_the_providers(status: int, answer: object) -> None:
    assert without_own_words(status, {}, b"words") == answer
