"""The page "Your account": password, second step, and where one is logged in."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from messaging import second_factor, sessions
from messaging.models import AuditEntry, Role, SecondFactor, Session, User
from tests.factories import World
from tests.messaging.test_second_factor import code_of, wrong_code

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
NEW = "staple 12 horses"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64) Gecko/20100101 Firefox/140.0"
ACCOUNT = "/account/"


@pytest.fixture(autouse=True)
def quick_hashes(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def person(ours: World) -> User:
    ours.agent.set_password(PASSWORD)
    ours.agent.save()
    return ours.agent


def log_in(person: User, **headers: Any) -> Client:
    """Log in as people do, so that the session knows where and on what."""
    client = Client(**headers)
    values = {"username": person.username, "password": PASSWORD}
    assert client.post(reverse("login"), values).status_code == 302
    if second_factor.is_on(person):
        SecondFactor.objects.update(last_step=-1)
        code = {"code": code_of(person)}
        assert client.post(reverse("login-code"), code).status_code == 302
        SecondFactor.objects.update(last_step=-1)
    return client


def page_of(client: Client) -> str:
    response = client.get(ACCOUNT)
    assert response.status_code == 200
    return response.content.decode()


def is_in(client: Client) -> bool:
    return client.get(ACCOUNT).status_code == 200


def turn_on(client: Client, person: User) -> list[str]:
    client.post(reverse("messaging:account-second-factor-begin"))
    response = client.post(
        reverse("messaging:account-second-factor"),
        {"code": code_of(person), "password": PASSWORD},
    )
    SecondFactor.objects.update(last_step=-1)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    return re.findall(r"\b[2-9a-z]{4}-[2-9a-z]{4}-[2-9a-z]{4}\b", _pre(response))


def _pre(response: object) -> str:
    content: bytes = getattr(response, "content", b"")
    found = re.search(r"<pre[^>]*>(.*?)</pre>", content.decode(), re.DOTALL)
    assert found
    return found[1]


@pytest.mark.parametrize("role", Role)
def test_everybody_has_one(ours: World, role: Role) -> None:
    client = Client()
    client.force_login(ours.person("somebody", role))

    assert "Where you are logged in" in page_of(client)


def test_an_operator_has_one() -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))

    assert "All of them" in page_of(client)


def test_sessions_are_told_in_words(person: User) -> None:
    client = log_in(person)
    log_in(person, HTTP_USER_AGENT=FIREFOX, REMOTE_ADDR="203.0.113.5")

    page = page_of(client)

    assert "Firefox on Windows" in page
    assert "203.0.113.5" in page
    assert page.count("This session") == 1
    for session in Session.objects.all():
        assert session.session_key not in page


def test_one_session_is_ended(person: User) -> None:
    here, there = log_in(person), log_in(person)
    other = Session.objects.get(session_key=there.session.session_key)

    response = here.post(reverse("messaging:account-session-end", args=[other.pk]))

    assert response.status_code == 302
    assert is_in(here)
    assert not is_in(there)


def test_the_session_one_is_in_is_not_ended_by_mistake(person: User) -> None:
    here = log_in(person)
    own = Session.objects.get(session_key=here.session.session_key)

    here.post(reverse("messaging:account-session-end", args=[own.pk]))

    assert is_in(here)


def test_all_others_are_ended(person: User) -> None:
    here, *others = (log_in(person) for _ in range(3))

    here.post(reverse("messaging:account-sessions-end"))

    assert is_in(here)
    assert not any(is_in(one) for one in others)


def test_the_session_of_somebody_else_is_not_found(
    ours: World, theirs: World, person: User
) -> None:
    here = log_in(person)
    for stranger in (ours.editor, theirs.agent):
        client = Client()
        client.force_login(stranger)
        number = Session.objects.get(person=stranger).pk
        url = reverse("messaging:account-session-end", args=[number])

        assert here.post(url).status_code == 404
        assert is_in(client)
    for number in (0, 2**63, 10**30):
        url = reverse("messaging:account-session-end", args=[number])
        assert here.post(url).status_code == 404


def test_the_last_use_of_a_session_is_noted_once_a_minute(person: User) -> None:
    client = log_in(person)
    before = Session.objects.get(person=person).seen_at
    page_of(client)
    assert Session.objects.get(person=person).seen_at == before
    Session.objects.update(seen_at=before - timedelta(seconds=61))

    page_of(client)

    assert Session.objects.get(person=person).seen_at >= before


def test_expired_sessions_are_not_listed_and_then_forgotten(person: User) -> None:
    client = log_in(person)
    log_in(person, HTTP_USER_AGENT=FIREFOX)
    Session.objects.filter(device=FIREFOX).update(expire_date=timezone.now())

    assert "Firefox" not in page_of(client)
    assert sessions.prune() == 1


def test_a_password_is_changed_and_ends_the_other_sessions(person: User) -> None:
    here, there = log_in(person), log_in(person)
    values = {"password": PASSWORD, "new_password": NEW, "repeated": NEW}

    response = here.post(reverse("messaging:account-password"), values)

    assert response.status_code == 302
    assert "1 other session is ended." in page_of(here)
    assert not is_in(there)
    person.refresh_from_db()
    assert person.check_password(NEW)
    assert Session.objects.filter(person=person).count() == 1
    entry = AuditEntry.objects.get()
    assert (entry.sentence, entry.person_id) == ("Changed their password.", person.pk)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"password": "wrong"}, "That is not your password"),
        ({"repeated": "other 12 horses"}, "The two are not the same"),
        ({"new_password": "12345", "repeated": "12345"}, "too short"),
        ({"password": ""}, "Enter your present password"),
    ],
)
def test_why_a_password_is_not_changed_is_told(
    person: User, values: dict[str, str], words: str
) -> None:
    client = log_in(person)
    right = {"password": PASSWORD, "new_password": NEW, "repeated": NEW}

    response = client.post(reverse("messaging:account-password"), {**right, **values})

    assert response.status_code == 422
    assert words in response.content.decode()
    person.refresh_from_db()
    assert person.check_password(PASSWORD)


def test_guessing_the_password_in_an_open_session_is_slowed_down(person: User) -> None:
    client = log_in(person)
    wrong = {"password": "wrong", "new_password": NEW, "repeated": NEW}
    for _ in range(5):
        client.post(reverse("messaging:account-password"), wrong)

    right = {**wrong, "password": PASSWORD}
    response = client.post(reverse("messaging:account-password"), right)

    assert "Too many wrong passwords. Try again in " in response.content.decode()


def test_an_app_is_set_up_and_the_other_sessions_end(person: User) -> None:
    here, there = log_in(person), log_in(person)
    client = here
    client.post(reverse("messaging:account-second-factor-begin"))
    page = client.get(reverse("messaging:account-second-factor"))
    assert "data:image/svg+xml" in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    secret = second_factor.typed_secret(SecondFactor.objects.get())
    assert secret in page.content.decode()

    codes = turn_on(here, person)

    assert len(codes) == 10
    assert second_factor.is_on(person)
    assert is_in(here)
    assert not is_in(there)
    later = page_of(here)
    assert "10 recovery codes are" in later
    assert secret not in later
    assert not any(code in later for code in codes)
    again = here.get(reverse("messaging:account-second-factor"))
    assert again["Location"] == ACCOUNT


@pytest.mark.parametrize("wrong", ["code", "password"])
def test_setting_up_takes_a_right_code_and_the_password(
    person: User, wrong: str
) -> None:
    client = log_in(person)
    client.post(reverse("messaging:account-second-factor-begin"))
    right = {"code": code_of(person), "password": PASSWORD}
    values = {**right, wrong: wrong_code(person) if wrong == "code" else "wrong"}

    response = client.post(reverse("messaging:account-second-factor"), values)

    assert response.status_code == 422
    assert not second_factor.is_on(person)


@pytest.mark.parametrize("name", ["off", "codes"])
def test_a_stolen_session_does_not_turn_it_off(person: User, name: str) -> None:
    client = log_in(person)
    codes = turn_on(client, person)
    address = {"off": "account-second-factor-off", "codes": "account-recovery-codes"}
    url = reverse(f"messaging:{address[name]}")
    left = second_factor.codes_left(person)

    for values in ({}, {"code": wrong_code(person)}):
        assert client.post(url, values).status_code == 422
    assert second_factor.is_on(person)
    assert second_factor.codes_left(person) == left

    client.post(url, {"code": codes[0]})

    assert second_factor.is_on(person) == (name == "codes")
    assert second_factor.codes_left(person) == (10 if name == "codes" else 0)
    told = AuditEntry.objects.order_by("-id")[0].sentence
    assert "recovery codes" in told or "Turned off" in told


def test_an_administrator_resets_a_second_step(ours: World, person: User) -> None:
    theirs = log_in(person)
    turn_on(theirs, person)
    admin = Client()
    admin.force_login(ours.admin)
    change = reverse("admin:messaging_user_change", args=[person.pk])
    url = reverse("admin:messaging_user_reset_second_step", args=[person.pk])
    assert url in admin.get(change).content.decode()
    assert "really this person" in admin.get(url).content.decode()
    assert second_factor.is_on(person)

    assert admin.post(url).status_code == 302

    assert not second_factor.is_on(person)
    assert not is_in(theirs)
    entry = AuditEntry.objects.get(person_id=ours.admin.pk)
    assert entry.sentence == f"Reset the second step of {person.username}."
    assert url not in admin.get(change).content.decode()


def test_an_administrator_ends_the_sessions_of_a_colleague(
    ours: World, person: User
) -> None:
    colleague = log_in(person)
    admin = Client()
    admin.force_login(ours.admin)

    admin.post(reverse("admin:messaging_user_end_sessions", args=[person.pk]))

    assert not is_in(colleague)
    assert is_in(admin)


def test_a_password_that_an_administrator_sets_ends_what_was_open(
    ours: World, person: User
) -> None:
    colleague = log_in(person)
    admin = Client()
    admin.force_login(ours.admin)

    response = admin.post(
        f"/admin/messaging/user/{person.pk}/password/",
        {"password1": NEW, "password2": NEW, "usable_password": "true"},
    )

    assert response.status_code == 302
    assert not Session.objects.filter(person=person).exists()
    assert not is_in(colleague)
    assert is_in(admin)


@pytest.mark.parametrize("verb", ["reset_second_step", "end_sessions"])
def test_people_of_others_are_not_found(ours: World, theirs: World, verb: str) -> None:
    admin = Client()
    admin.force_login(ours.admin)
    url = reverse(f"admin:messaging_user_{verb}", args=[theirs.agent.pk])

    assert admin.get(url).status_code == 404
    assert admin.post(url).status_code == 404


def test_the_admins_own_page_for_passwords_leads_here(ours: World) -> None:
    admin = Client()
    admin.force_login(ours.admin)

    assert admin.get("/admin/password_change/")["Location"] == ACCOUNT


@pytest.mark.parametrize(
    ("device", "words"),
    [
        (FIREFOX, "Firefox on Windows"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5"
            " Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Chrome/140.0.0.0"
            " Safari/537.36 Edg/140.0",
            "Edge on macOS",
        ),
        ("curl/8.5", "curl"),
        ("", "An unknown browser"),
    ],
)
def test_devices_have_names(device: str, words: str) -> None:
    assert sessions.device_in_words(device) == words
