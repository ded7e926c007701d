"""Logging in: with a password, with a second step, and into Django admin."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import identify_hasher, make_password
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from messaging import second_factor, sign_in_pace
from messaging.models import Session, User
from messaging.views.sign_in import PENDING
from tests.factories import World
from tests.messaging.test_second_factor import code_of, wrong_code

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
ARGON2 = "django.contrib.auth.hashers.Argon2PasswordHasher"
QUICK = "django.contrib.auth.hashers.MD5PasswordHasher"


@pytest.fixture(autouse=True)
def quick_hashes(settings: Settings) -> None:
    """What is tested here is who gets in, not how slow a hash is."""
    settings.PASSWORD_HASHERS = [QUICK]


@pytest.fixture
def person(ours: World) -> User:
    ours.admin.set_password(PASSWORD)
    ours.admin.save()
    return ours.admin


@pytest.fixture
def guarded(person: User) -> User:
    """The same, with a second step."""
    factor = second_factor.begin(person)
    factor.confirmed_at = timezone.now()
    factor.save()
    return person


def enter(client: Client, person: User, password: str = PASSWORD, **more: Any) -> Any:
    values = {"username": person.username, "password": password}
    return client.post(reverse("login"), {**values, **more.pop("values", {})}, **more)


def is_in(client: Client) -> bool:
    return client.get(reverse("messaging:account")).status_code == 200


def test_the_right_password_opens_a_session(client: Client, person: User) -> None:
    response = enter(
        client,
        person,
        REMOTE_ADDR="203.0.113.5",
        HTTP_USER_AGENT="Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0",
    )

    assert (response.status_code, response["Location"]) == (302, reverse("overview"))
    assert is_in(client)
    session = Session.objects.get(person=person)
    assert session.address == "203.0.113.5"
    assert "Firefox" in session.device
    assert session.opened_at is not None


def test_a_wrong_password_opens_none(client: Client, person: User) -> None:
    response = enter(client, person, "wrong")

    assert response.status_code == 200
    assert "do not go together" in response.content.decode()
    assert not is_in(client)


def test_after_a_few_wrong_passwords_even_the_right_one_has_to_wait(
    client: Client, person: User
) -> None:
    for _ in range(sign_in_pace.PAIR.tries):
        assert enter(client, person, "wrong").status_code == 200

    response = enter(client, person)

    page = response.content.decode()
    assert response.status_code == 429
    assert 55 <= int(response["Retry-After"]) <= 60
    assert "Too many tries. Come back in " in page
    assert not is_in(client)
    elsewhere = Client(REMOTE_ADDR="198.51.100.9")
    assert enter(elsewhere, person).status_code == 302


def test_right_passwords_are_never_slowed_down(person: User) -> None:
    for _ in range(sign_in_pace.PAIR.tries * 3):
        assert enter(Client(), person).status_code == 302


@pytest.mark.parametrize(
    ("behind_proxy", "expected"), [(True, "203.0.113.9"), (False, "127.0.0.1")]
)
def test_only_behind_a_proxy_is_its_word_taken(
    client: Client,
    person: User,
    settings: Settings,
    behind_proxy: bool,
    expected: str,
) -> None:
    settings.BEHIND_PROXY = behind_proxy

    enter(client, person, HTTP_X_FORWARDED_FOR="192.0.2.1, 203.0.113.9")

    assert Session.objects.get(person=person).address == expected


def test_old_hashes_are_renewed_with_the_log_in(
    client: Client, person: User, settings: Settings
) -> None:
    old = "django.contrib.auth.hashers.PBKDF2PasswordHasher"
    settings.PASSWORD_HASHERS = [ARGON2, old]
    person.password = make_password(PASSWORD, hasher="pbkdf2_sha256")
    person.save()

    assert enter(client, person).status_code == 302

    person.refresh_from_db()
    assert identify_hasher(person.password).algorithm == "argon2"
    assert enter(Client(), person).status_code == 302


def test_passwords_are_hashed_by_argon2() -> None:
    from resend_admin import settings as written

    assert written.PASSWORD_HASHERS[0] == ARGON2


def test_a_password_alone_opens_nothing_where_there_is_a_second_step(
    client: Client, guarded: User
) -> None:
    response = enter(client, guarded)

    assert response["Location"] == reverse("login-code")
    assert not is_in(client)
    assert client.get("/admin/").status_code == 302
    assert not Session.objects.filter(person=guarded).exists()


def test_the_code_opens_the_page_that_was_asked_for(
    client: Client, guarded: User
) -> None:
    target = reverse("messaging:message-list")
    enter(client, guarded, values={"next": target})
    assert guarded.username in client.get(reverse("login-code")).content.decode()

    response = client.post(reverse("login-code"), {"code": code_of(guarded)})

    assert (response.status_code, response["Location"]) == (302, target)
    assert is_in(client)
    assert PENDING not in client.session


def test_a_wrong_or_used_code_opens_nothing(guarded: User) -> None:
    first, second = Client(), Client()
    code = code_of(guarded)
    enter(first, guarded)
    assert first.post(reverse("login-code"), {"code": code}).status_code == 302
    enter(second, guarded)

    for wrong in (code, wrong_code(guarded), ""):
        page = second.post(reverse("login-code"), {"code": wrong})
        assert page.status_code == 200
    assert not is_in(second)


def test_wrong_codes_are_slowed_down(client: Client, guarded: User) -> None:
    enter(client, guarded)
    for _ in range(sign_in_pace.CODE.tries):
        client.post(reverse("login-code"), {"code": wrong_code(guarded)})

    response = client.post(reverse("login-code"), {"code": code_of(guarded)})

    assert response.status_code == 429
    assert "Too many wrong codes. Come back in 5 minutes." in response.content.decode()
    assert not is_in(client)


def test_a_recovery_code_opens_it_once(guarded: User) -> None:
    [code, *_] = second_factor.new_recovery_codes(guarded)
    first, second = Client(), Client()
    for client in (first, second):
        enter(client, guarded)
        client.post(reverse("login-code"), {"code": code})

    assert is_in(first)
    assert not is_in(second)


def test_the_second_step_cannot_be_taken_first(client: Client, guarded: User) -> None:
    response = client.post(reverse("login-code"), {"code": code_of(guarded)})

    assert response["Location"] == reverse("login")
    assert not is_in(client)


@pytest.mark.parametrize("change", ["late", "password", "inactive"])
def test_the_first_step_does_not_last(
    client: Client, guarded: User, change: str
) -> None:
    enter(client, guarded)
    match change:
        case "late":
            session = client.session
            late = timezone.now() - timedelta(minutes=11)
            session[PENDING] = {**session[PENDING], "at": late.timestamp()}
            session.save()
        case "password":
            guarded.set_password("another one")
            guarded.save()
        case "inactive":
            guarded.is_active = False
            guarded.save()

    response = client.post(reverse("login-code"), {"code": code_of(guarded)})

    assert response["Location"] == reverse("login")
    assert not is_in(client)


def test_django_admin_sends_people_to_the_same_log_in(
    client: Client, guarded: User
) -> None:
    asked = client.get("/admin/", follow=True)
    assert asked.redirect_chain[-1][0] == "/login/?next=%2Fadmin%2F"

    for address in ("/admin/login/", "/admin/login/?next=/admin/"):
        posted = client.post(
            address, {"username": guarded.username, "password": PASSWORD}
        )
        assert posted.status_code == 405
    assert not is_in(client)
    enter(client, guarded, values={"next": "/admin/"})
    response = client.post(reverse("login-code"), {"code": code_of(guarded)})
    assert response["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_an_operator_with_a_second_step_needs_it_too(client: Client) -> None:
    operator = User.objects.create_superuser("root", password=PASSWORD)
    factor = second_factor.begin(operator)
    factor.confirmed_at = timezone.now()
    factor.save()

    enter(client, operator)
    assert client.get("/admin/").status_code == 302
    client.post(reverse("login-code"), {"code": code_of(operator)})
    assert client.get("/admin/").status_code == 200


def test_who_may_not_enter_django_admin_is_told_so(ours: World) -> None:
    client = Client()
    client.force_login(ours.agent)

    response = client.get("/admin/", follow=True)

    assert response.status_code == 403
    assert "This page is for administrators" in response.content.decode()


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/"])
def test_nobody_is_sent_elsewhere(client: Client, guarded: User, target: str) -> None:
    enter(client, guarded, values={"next": target})
    response = client.post(reverse("login-code"), {"code": code_of(guarded)})
    assert response["Location"] == reverse("overview")

    again = client.get("/admin/login/", {"next": target})
    assert again["Location"] == "/admin/"
