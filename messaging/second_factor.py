"""The second step of a log-in: set up, asked for, turned off.

Codes of an authenticator app follow RFC 6238 (SHA-1, six digits, thirty seconds,
what every app speaks); computing them is the library's. A code is taken once, and
one step before and after the present one is accepted for clocks that differ.
Beside them there are ten recovery codes, each good for one log-in.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from base64 import b32encode
from typing import Final
from urllib.parse import quote, urlencode

from django.db import transaction
from django.utils import timezone
from django_otp.oath import TOTP

from messaging import sign_in_pace, trail
from messaging.models import AuditKind, RecoveryCode, SecondFactor, User

ISSUER: Final = "Resend Admin"
STEP_SECONDS: Final = 30
RECOVERY_CODES: Final = 10
_LETTERS: Final = "23456789abcdefghjkmnpqrstuvwxyz"
"""Without those that are mistaken for one another."""
_DIGITS: Final = re.compile(r"[0-9]{6}")


class TooSoon(Exception):  # noqa: N818 - an answer, not a fault
    """Too many wrong codes; ``seconds`` says after how long to come back."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def is_on(person: User) -> bool:
    """Tell whether a log-in of this person asks for a code."""
    return SecondFactor.objects.filter(
        person=person, confirmed_at__isnull=False
    ).exists()


def begin(person: User) -> SecondFactor:
    """Return what the person is about to set up, with a secret for their app.

    The secret stays the same until it is confirmed, so a page can be loaded twice.
    """
    factor = SecondFactor(person=person)
    factor.secret = secrets.token_bytes(20)
    SecondFactor.objects.bulk_create([factor], ignore_conflicts=True)
    return SecondFactor.objects.get(person=person)


@transaction.atomic
def confirm(person: User, code: str) -> list[str]:
    """Turn it on with the first code of the app; return the recovery codes, once.

    An empty list means that the code is wrong.
    """
    factor = (
        SecondFactor.objects.select_for_update(no_key=True)
        .filter(person=person, confirmed_at=None)
        .first()
    )
    if factor is None or not _takes(factor, code):
        return []
    factor.confirmed_at = timezone.now()
    factor.save(update_fields=["confirmed_at"])
    return new_recovery_codes(person)


def verify(person: User, code: str) -> bool:
    """Tell whether this is a code of the app, or a recovery code, not used before.

    Both are void afterwards. Raises :class:`TooSoon` after too many wrong ones.
    """
    bucket = sign_in_pace.bucket(sign_in_pace.CODE, str(person.pk))
    wait = sign_in_pace.take([bucket])
    if wait:
        raise TooSoon(wait)
    if _is_code_of_app(person, code) or _is_recovery_code(person, code):
        sign_in_pace.give_back([bucket])
        return True
    return False


@transaction.atomic
def new_recovery_codes(person: User) -> list[str]:
    """Make ten new recovery codes and return them, once; the old ones are void."""
    RecoveryCode.objects.filter(person=person).delete()
    codes = [_new_code() for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create(
        RecoveryCode(person=person, code_hash=_hash_of(person, code)) for code in codes
    )
    return codes


def codes_left(person: User) -> int:
    """Return how many recovery codes are unused; there are ten at most."""
    left = RecoveryCode.objects.filter(person=person, used_at=None)
    return len(left.values_list("pk")[:RECOVERY_CODES])


@transaction.atomic
def turn_off(person: User) -> bool:
    """Ask for no code any more; return whether one was asked for."""
    RecoveryCode.objects.filter(person=person).delete()
    was_on = is_on(person)
    SecondFactor.objects.filter(person=person).delete()
    return was_on


def typed_secret(factor: SecondFactor) -> str:
    """Return the secret as people type it into an app, in groups of four."""
    text = b32encode(factor.secret).decode()
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def address_for_app(factor: SecondFactor) -> str:
    """Return the ``otpauth:`` address that a picture carries into an app."""
    label = quote(f"{ISSUER}:{factor.person.get_username()}", safe="")
    query = urlencode(
        {
            "secret": b32encode(factor.secret).decode(),
            "issuer": ISSUER,
            "algorithm": "SHA1",
            "digits": 6,
            "period": STEP_SECONDS,
        },
        quote_via=quote,
    )
    return f"otpauth://totp/{label}?{query}"


def _is_code_of_app(person: User, code: str) -> bool:
    with transaction.atomic():
        factor = (
            SecondFactor.objects.select_for_update(no_key=True)
            .filter(person=person, confirmed_at__isnull=False)
            .first()
        )
        return factor is not None and _takes(factor, code)


def _takes(factor: SecondFactor, code: str) -> bool:
    """Tell whether the code is right and newer than the last one; remember it.

    The row is locked, so of two requests with one code the second is refused.
    """
    digits = re.sub(r"[\s-]", "", code)
    if not _DIGITS.fullmatch(digits):
        return False
    totp = TOTP(factor.secret, step=STEP_SECONDS, digits=6)
    if not totp.verify(int(digits), tolerance=1, min_t=factor.last_step + 1):
        return False
    factor.last_step = totp.t()
    factor.save(update_fields=["last_step"])
    return True


@transaction.atomic
def _is_recovery_code(person: User, code: str) -> bool:
    """Use a recovery code up, on record: its owner may not be the one who has it."""
    unused = RecoveryCode.objects.filter(
        person=person, code_hash=_hash_of(person, code), used_at=None
    )
    if unused.update(used_at=timezone.now()) != 1:
        return False
    left = codes_left(person)
    trail.record(
        AuditKind.SECURITY,
        f"Used a recovery code; {left} {'is' if left == 1 else 'are'} left.",
        organization_id=person.organization_id,
        doer=trail.by_person(person),
    )
    return True


def _new_code() -> str:
    letters = [secrets.choice(_LETTERS) for _ in range(12)]
    return "-".join("".join(letters[start : start + 4]) for start in (0, 4, 8))


def _hash_of(person: User, code: str) -> str:
    """Return what is kept of a recovery code, of which there are 2⁵⁹."""
    plain = re.sub(r"[\s-]", "", code).lower()
    text = f"messaging.recovery_code:{person.pk}:{plain}"
    return hashlib.sha256(text.encode()).hexdigest()
