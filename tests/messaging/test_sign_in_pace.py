"""Wrong log-ins are slowed down, by account and by address."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.db.models import F
from django.utils import timezone

from messaging import sign_in_pace
from messaging.models import Session, SignInPace
from messaging.sign_in_pace import ACCOUNT, ADDRESS, PAIR, buckets_of, take
from tests.factories import World

pytestmark = pytest.mark.django_db

HOME, ELSEWHERE = "203.0.113.5", "198.51.100.7"


def wrong(username: str = "ama", address: str = HOME) -> float:
    return take(buckets_of(username, address))


def let_pass(seconds: float) -> None:
    SignInPace.objects.update(paid_until=F("paid_until") - timedelta(seconds=seconds))


def test_a_few_tries_are_free_and_then_each_waits() -> None:
    waits = [wrong() for _ in range(PAIR.tries + 2)]

    assert waits[: PAIR.tries] == [0] * PAIR.tries
    assert all(PAIR.seconds - 2 < wait <= PAIR.seconds for wait in waits[PAIR.tries :])
    let_pass(PAIR.seconds)
    assert wrong() == 0
    assert wrong() > 0


def test_what_is_refused_costs_nothing() -> None:
    for _ in range(PAIR.tries + 50):
        wrong()

    assert wrong() <= PAIR.seconds


def test_somebody_elsewhere_does_not_lock_out_the_real_person() -> None:
    for _ in range(PAIR.tries + 20):
        wrong(address=ELSEWHERE)

    assert wrong(address=ELSEWHERE) > 0
    assert wrong(address=HOME) == 0


def test_many_addresses_together_cost_the_real_person_seconds() -> None:
    for number in range(ACCOUNT.tries + 5):
        wrong(address=f"198.51.100.{number}")

    assert 0 < wrong(address=HOME) <= ACCOUNT.seconds


def test_where_the_person_is_signed_in_strangers_cost_nothing(ours: World) -> None:
    name = ours.agent.username
    Session.objects.create(
        session_key="x",
        person=ours.agent,
        address=HOME,
        opened_at=timezone.now(),
        expire_date=timezone.now(),
    )
    for number in range(ACCOUNT.tries + 5):
        wrong(name, f"198.51.100.{number}")

    assert wrong(name, "192.0.2.1") > 0
    assert wrong(name, HOME) == 0


def test_one_address_does_not_try_account_after_account() -> None:
    waits = [wrong(f"person{number}") for number in range(ADDRESS.tries + 1)]

    assert waits[:-1] == [0] * ADDRESS.tries
    assert 0 < waits[-1] <= ADDRESS.seconds


def test_a_right_password_is_not_counted() -> None:
    for _ in range(ADDRESS.tries * 3):
        buckets = buckets_of("ama", HOME)
        assert take(buckets) == 0
        sign_in_pace.give_back(buckets)


def test_names_are_the_same_in_any_case_and_kept_as_hashes() -> None:
    for name in ("ama", "AMA", "Ama", "aMa", "amA"):
        wrong(name)

    assert wrong("ama") > 0
    kept = " ".join(SignInPace.objects.values_list("key", flat=True))
    assert "ama" not in kept
    assert HOME not in kept


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("", ""),
    ],
)
def test_an_address_stands_for_its_household(address: str, network: str) -> None:
    assert sign_in_pace.network_of(address) == network


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "in 1 second"),
        (39.1, "in 40 seconds"),
        (89.5, "in 2 minutes"),
        (241, "in 5 minutes"),
    ],
)
def test_when_to_come_back_is_told_in_words(seconds: float, words: str) -> None:
    assert sign_in_pace.words(seconds) == words


def test_what_is_paid_for_is_forgotten() -> None:
    wrong()
    assert sign_in_pace.prune() == 0
    let_pass(3600)

    assert sign_in_pace.prune() == 3
    assert not SignInPace.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_tries_at_the_same_instant_share_the_limit() -> None:
    waits: list[float] = []
    together = threading.Barrier(8)

    def one_try() -> None:
        try:
            together.wait()
            waits.append(wrong())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one_try) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(waits) == 8
    assert sum(wait == 0 for wait in waits) == PAIR.tries
