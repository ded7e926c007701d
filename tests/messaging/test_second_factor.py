"""The second step of a log-in: codes of an app, once each, and recovery codes."""

from __future__ import annotations

import threading
import time
from base64 import b32decode
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection, connections
from django.utils import timezone
from django_otp.oath import totp

from messaging import second_factor, sign_in_pace
from messaging.models import RecoveryCode, SecondFactor, SignInPace, User
from messaging.second_factor import STEP_SECONDS, TooSoon
from tests.factories import World

pytestmark = pytest.mark.django_db


def code_of(person: User, steps: int = 0) -> str:
    """Return what the app of this person shows, or did so many steps ago."""
    secret = SecondFactor.objects.get(person=person).secret
    return f"{totp(secret, drift=-steps):06}"


@pytest.fixture
def person(ours: World) -> User:
    """Somebody who has set it up some time ago."""
    factor = second_factor.begin(ours.agent)
    factor.confirmed_at = timezone.now()
    factor.save()
    return ours.agent


def wrong_code(person: User) -> str:
    near = {code_of(person, steps) for steps in range(-3, 4)}
    return next(f"{number:06}" for number in range(100) if f"{number:06}" not in near)


def test_it_is_off_until_the_first_code_is_entered(ours: World) -> None:
    person = ours.agent
    second_factor.begin(person)

    assert not second_factor.is_on(person)
    assert second_factor.confirm(person, wrong_code(person)) == []
    assert not second_factor.is_on(person)

    codes = second_factor.confirm(person, code_of(person))

    assert second_factor.is_on(person)
    assert len(set(codes)) == 10
    assert second_factor.codes_left(person) == 10


def test_a_page_that_is_loaded_twice_shows_one_secret(ours: World) -> None:
    first = second_factor.begin(ours.agent)

    assert second_factor.begin(ours.agent).secret == first.secret
    assert len(first.secret) == 20


def test_the_app_is_told_what_it_needs(person: User) -> None:
    factor = SecondFactor.objects.get(person=person)
    parts = urlsplit(second_factor.address_for_app(factor))
    told = parse_qs(parts.query)

    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert person.username in parts.path
    assert b32decode(told["secret"][0]) == factor.secret
    assert (told["digits"], told["period"]) == (["6"], ["30"])
    assert second_factor.typed_secret(factor).replace(" ", "") == told["secret"][0]


def test_a_code_is_taken_once(person: User) -> None:
    code = code_of(person)

    assert second_factor.verify(person, code)
    assert not second_factor.verify(person, code)


def test_a_code_before_one_that_was_taken_is_void(person: User) -> None:
    _early_in_a_step()
    older = code_of(person, 1)

    assert second_factor.verify(person, code_of(person))
    assert not second_factor.verify(person, older)


def test_clocks_may_differ_by_a_step_and_no_more(person: User) -> None:
    _early_in_a_step()

    assert not second_factor.verify(person, code_of(person, 2))
    assert not second_factor.verify(person, code_of(person, -2))
    assert second_factor.verify(person, code_of(person, 1))
    assert second_factor.verify(person, code_of(person, -1))


def test_spaces_are_forgiven_and_nothing_else(person: User) -> None:
    code = code_of(person)

    for other in ("", "12345", "1234567", "abcdef", f"{code}0", "٠٠٠٠٠٠"):
        SignInPace.objects.all().delete()
        assert not second_factor.verify(person, other)
    assert second_factor.verify(person, f" {code[:3]} {code[3:]} ")


def test_a_recovery_code_works_once_however_it_is_typed(person: User) -> None:
    first, second, *_ = second_factor.new_recovery_codes(person)

    assert second_factor.verify(person, first)
    assert not second_factor.verify(person, first)
    assert second_factor.verify(person, second.upper().replace("-", " "))
    assert second_factor.codes_left(person) == 8


def test_recovery_codes_are_of_one_person(person: User, ours: World) -> None:
    codes = second_factor.new_recovery_codes(ours.editor)

    assert not second_factor.verify(person, codes[0])


def test_new_recovery_codes_void_the_old_ones(person: User) -> None:
    [old, *_] = second_factor.new_recovery_codes(person)
    second_factor.new_recovery_codes(person)

    assert not second_factor.verify(person, old)
    assert second_factor.codes_left(person) == 10


def test_wrong_codes_are_slowed_down(person: User, ours: World) -> None:
    for _ in range(sign_in_pace.CODE.tries):
        assert not second_factor.verify(person, wrong_code(person))

    with pytest.raises(TooSoon) as refused:
        second_factor.verify(person, code_of(person))

    assert 290 < refused.value.seconds <= 300
    SignInPace.objects.all().delete()
    assert second_factor.verify(person, code_of(person))


def test_turned_off_nothing_is_left_of_it(person: User) -> None:
    second_factor.new_recovery_codes(person)

    assert second_factor.turn_off(person)

    assert not second_factor.is_on(person)
    assert not SecondFactor.objects.exists()
    assert not RecoveryCode.objects.exists()
    assert not second_factor.turn_off(person)


def test_secrets_and_codes_stand_nowhere_as_they_are(person: User) -> None:
    codes = second_factor.new_recovery_codes(person)
    secret = SecondFactor.objects.get().secret
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t::text FROM messaging_secondfactor t"
            " UNION ALL SELECT t::text FROM messaging_recoverycode t"
        )
        rows = " ".join(row[0] for row in cursor.fetchall())

    assert secret.hex() not in rows
    for code in codes:
        assert code not in rows
        assert code.replace("-", "") not in rows


@pytest.mark.django_db(transaction=True)
def test_of_two_log_ins_with_one_code_one_gets_in(person: User) -> None:
    for code in (code_of(person), second_factor.new_recovery_codes(person)[0]):
        results: list[bool] = []
        together = threading.Barrier(4)

        def enter(
            code: str = code,
            results: list[bool] = results,
            together: threading.Barrier = together,
        ) -> None:
            try:
                together.wait()
                results.append(second_factor.verify(person, code))
            except second_factor.TooSoon:
                # Wrong ones of the round before count as well.
                results.append(False)
            finally:
                connections.close_all()

        threads = [threading.Thread(target=enter) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(results) == [False, False, False, True]


def _early_in_a_step() -> None:
    """Wait, if it must be, until the present code has some seconds to live."""
    left = STEP_SECONDS - time.time() % STEP_SECONDS
    if left < 5:
        time.sleep(left)
