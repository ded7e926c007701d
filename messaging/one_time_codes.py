"""One-time codes: whoever looks at a message later has no business with them.

A code lets its owner in somewhere, so pages show that there was one, not which.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from messaging.channels.contract import ContentKind

SIGN: Final = "•"
REACH: Final = 60
"""Characters between the word that announces a code and the code itself."""

_DIGITS: Final = re.compile(
    # Money, parts of numbers, and times of day are no codes.
    r"(?<![\d+])(?<!\d[.,:/-])(?:\d{3}[ -]\d{3}|\d{4,8})(?![\d:]|[.,/-]\d)"
)
_EVERY_DIGITS: Final = re.compile(r"(?<!\d)(?:\d{3}[ -]\d{3}|\d{4,8})(?!\d)")
_ANNOUNCED: Final = re.compile(
    r"\b(?:otp|tan|pin|pincode|passcode|passwort|password|mot de passe|contraseña"
    r"|one[- ]time|verification|verify|verifica\w*|vérification|bestätigung\w*"
    r"|authenticat\w*|authentifi\w*|2fa|(?:log|sign)[- ]?in"
    r"|\w*code|código|codigo|codice|kode|kod|код|رمز)\b",
    re.IGNORECASE,
)
_OTHER_CODES: Final = re.compile(
    r"\b(?:promo|promotion|discount|voucher|coupon|gift|referral|country|area|post|zip"
    r"|postal|dress|bar|qr|source|booking)(?:[- ]?codes?)\b",
    re.IGNORECASE,
)


def codes_in(text: str, *, is_authentication: bool = False) -> frozenset[str]:
    """Return the one-time codes in a text: groups of four to eight digits.

    In a message of category *authentication* every group is one; elsewhere those
    that stand near a word such as code, PIN or verification.
    """
    if is_authentication:
        return frozenset(_EVERY_DIGITS.findall(text))
    announced = [match.span() for match in _announcements(text)]
    return frozenset(
        match.group()
        for match in _DIGITS.finditer(text)
        if any(
            match.start() - end <= REACH and start - match.end() <= REACH
            for start, end in announced
        )
    )


def hide(text: str, codes: Collection[str]) -> str:
    """Return the text with a dot for each digit of these codes, wherever they stand
    by themselves: in the message, or in what repeats it, such as a provider's answer.
    """
    for code in codes:
        dots = re.sub(r"\d", SIGN, code)
        text = re.sub(rf"(?<!\d){re.escape(code)}(?!\d)", dots, text)
    return text


def is_authentication(kind: str, payload: Mapping[str, Any]) -> bool:
    """Tell whether a content, or a part of it, is a template that carries a code."""
    if kind == ContentKind.TEMPLATE:
        return str(payload.get("category", "")).lower() == "authentication"
    if kind != ContentKind.FLOW:
        return False
    parts = payload.get("parts")
    return any(
        is_authentication(str(part.get("kind")), part["payload"])
        for part in (parts if isinstance(parts, list) else [])
        if isinstance(part, Mapping)
        and part.get("kind") != ContentKind.FLOW
        and isinstance(part.get("payload"), Mapping)
    )


def _announcements(text: str) -> Iterator[re.Match[str]]:
    others = [match.span() for match in _OTHER_CODES.finditer(text)]
    for match in _ANNOUNCED.finditer(text):
        if not any(start <= match.start() < end for start, end in others):
            yield match
