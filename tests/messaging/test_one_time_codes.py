"""What lets somebody in is never shown, and what does not is left alone."""

from __future__ import annotations

from typing import Any

import pytest

from messaging.one_time_codes import codes_in, hide, is_authentication


def shown_of(text: str, *, is_authentication: bool = False) -> str:
    """Return what a page shows of a text, whose own codes it hides."""
    return hide(text, codes_in(text, is_authentication=is_authentication))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Your code is 482913.", "Your code is ••••••."),
        ("482913 is your verification code", "•••••• is your verification code"),
        ("Use OTP 4829 to log in", "Use OTP •••• to log in"),
        ("G-482913 is your code", "G-•••••• is your code"),
        ("Your PIN: 482-913", "Your PIN: •••-•••"),
        ("Ihr Bestätigungscode: 482 913", "Ihr Bestätigungscode: ••• •••"),
        ("Votre code de connexion : 48291377", "Votre code de connexion : ••••••••"),
        ("Code 1234, or code 5678", "Code ••••, or code ••••"),
        ("https://example.org/verify/482913", "https://example.org/verify/••••••"),
    ],
)
def test_what_looks_like_a_code_is_shown_of(text: str, shown: str) -> None:
    assert shown_of(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Your invoice 482913 is due on 21 November 2026.",
        "Use promo code AUTUMN2026 until 2027",
        "Dress code: 1980s. See you on 31.12.2026.",
        "Your order 99281 left. Call +233302000100 with questions.",
        "Your code arrives soon. It costs 1,250 credits at 10:30.",
        "",
    ],
)
def test_everything_else_stays_readable(text: str) -> None:
    assert shown_of(text) == text


def test_a_word_far_away_announces_nothing() -> None:
    text = f"Your code arrives by post. {'We look forward to it. ' * 5}Invoice 482913."

    assert shown_of(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("482913 for Harbour Club", "•••••• for Harbour Club"),
        ("Hello, 12345678 (valid 10 minutes)", "Hello, •••••••• (valid 10 minutes)"),
        ("123456789 is long, 123 short", "123456789 is long, 123 short"),
    ],
)
def test_an_authentication_message_needs_no_word(text: str, shown: str) -> None:
    assert shown_of(text, is_authentication=True) == shown


def test_what_repeats_a_message_is_masked_alike() -> None:
    codes = codes_in("Your code is 482913")

    answer = '{"id": 1482913, "code": 131047, "text": "Your code is 482913"}'

    assert hide(answer, codes) == (
        '{"id": 1482913, "code": 131047, "text": "Your code is ••••••"}'
    )


TEMPLATE = {"category": "AUTHENTICATION", "body": "{{1}}"}


@pytest.mark.parametrize(
    ("kind", "payload", "is_one"),
    [
        ("template", TEMPLATE, True),
        ("template", {"category": "utility"}, False),
        ("text", {"text": "category"}, False),
        ("flow", {"parts": [{"kind": "template", "payload": TEMPLATE}]}, True),
        ("flow", {"parts": [{"kind": "text", "payload": {}}, 7, {}]}, False),
        ("flow", {"parts": None}, False),
    ],
)
def test_the_category_is_found_in_flows_too(
    kind: str, payload: dict[str, Any], is_one: bool
) -> None:
    assert is_authentication(kind, payload) is is_one
