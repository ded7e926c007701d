"""The walk: every address × everybody who may come × the other organization.

What is expected stands in the tables; an address that is in none of them fails the
walk, as it fails ``test_doors``. Django admin is walked in ``tests/messaging/admin``.
Everybody starts from the same rows, for each request is taken back afterwards.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from messaging import api_clients
from messaging.models import ApiAccess, Role, User
from tests import test_doors as doors
from tests.factories import World
from tests.test_doors import Estate

pytestmark = pytest.mark.django_db

OPENS, LOG_IN, REFUSED = "opens", "log-in", "refused"
NOT_FOUND, UNKNOWN = "not found", "unknown caller"

PEOPLE = ("stranger", "operator", "none", "agent", "editor", "admin")
PROGRAMS = ("program:none", "program:read", "program:write")
ROLES = PEOPLE + PROGRAMS


def table(stranger: str, operator: str, none: str, *rest: str) -> dict[str, str]:
    """Say what each role meets; pages do not know programs: they are strangers."""
    agent, editor, admin = rest
    people = (stranger, operator, none, agent, editor, admin)
    return {
        **dict(zip(PEOPLE, people, strict=True)),
        **dict.fromkeys(PROGRAMS, stranger),
    }


READERS = table(LOG_IN, REFUSED, REFUSED, OPENS, OPENS, OPENS)
WRITERS = table(LOG_IN, REFUSED, REFUSED, REFUSED, OPENS, OPENS)
MANAGERS = table(LOG_IN, REFUSED, REFUSED, REFUSED, REFUSED, OPENS)
SIGNED_IN = table(LOG_IN, OPENS, OPENS, OPENS, OPENS, OPENS)
NOBODY = table(REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED)

NEED_A_FILE: Final = {"messaging:member-import-problems"}
WITHOUT_A_FILE = table(LOG_IN, REFUSED, REFUSED, REFUSED, NOT_FOUND, NOT_FOUND)

PAGES: Final[dict[str, dict[str, str]]] = {
    **dict.fromkeys(doors.PAGES | doors.READ, READERS),
    **dict.fromkeys(doors.WRITERS_PAGES | doors.CHANGES, WRITERS),
    **dict.fromkeys(doors.ADMINS, MANAGERS),
    **dict.fromkeys(doors.OWN_PAGES, SIGNED_IN),
    **dict.fromkeys(doors.FRAMES, NOBODY),
    **dict.fromkeys(NEED_A_FILE, WITHOUT_A_FILE),
}
OWN_ROWS: Final = {"messaging:account-session-end"}
"""Not an organization's but a person's: a colleague's are as foreign as anybody's."""

READS, WRITES = "read", "write"
API: Final = {
    "api:audio_job": READS,
    "api:embed_token": READS,
    "api:status": READS,
    "api:resend_by_body": WRITES,
    "api:resend_by_path": WRITES,
    "api:resend_communication": WRITES,
    "api:send": WRITES,
    "api:send_audio": WRITES,
    "api:request_history": WRITES,
    "api:request_retransmission": WRITES,
}
"""What programs call, and the access that it takes."""
UNKNOWN_ROW: Final = {"api:audio_job"}
"""Asked for a row that nobody has."""
DESCRIPTIONS: Final = {"api:openapi-json", "api:openapi-view"}
WITH_OTHER_PROOF: Final = {"api:oauth-token", "metrics"}
"""A secret in the form, and a token of its own: no session and no bearer opens them."""
GRAPHQL: Final = {"graphql"}


@dataclass
class Visitor:
    """Somebody who comes, by a cookie or by a header; each request in a new browser."""

    role: str
    cookie: str = ""
    bearer: str = ""

    def ask(self, method: str, address: str) -> Any:
        browser = Client(raise_request_exception=False)
        if self.cookie:
            browser.cookies["sessionid"] = self.cookie
        headers = {"Authorization": f"Bearer {self.bearer}"} if self.bearer else {}
        content_type = (
            {"content_type": "application/json", "data": "{}"}
            if self.bearer and method == "post"
            else {}
        )
        send: Callable[..., Any] = getattr(browser, method)
        with transaction.atomic():
            answer = send(address, headers=headers, **content_type)
            is_streamed = getattr(answer, "streaming", False)
            answer.text_shown = answer.getvalue() if is_streamed else answer.content
            transaction.set_rollback(True)
        return answer


def visitor(world: World, role: str) -> Visitor:
    kind, _, access = role.partition(":")
    if kind == "stranger":
        return Visitor(role)
    if kind == "program":
        client, _ = api_clients.create(
            organization=world.organization, name=role, access=ApiAccess(access)
        )
        return Visitor(role, bearer=api_clients.rotate_bearer(client))
    person = (
        User.objects.create_superuser("root")
        if kind == "operator"
        else world.person(f"walker-{kind}", Role(kind), is_staff=kind == "admin")
    )
    browser = Client()
    browser.force_login(person)
    return Visitor(role, cookie=browser.cookies["sessionid"].value)


def met(answer: Any) -> str:
    """Say what the answer amounts to."""
    status = answer.status_code
    if status == 302 and answer["Location"].startswith(("/login/", "/admin/login/")):
        return LOG_IN
    known = {401: UNKNOWN, 403: REFUSED, 404: NOT_FOUND}
    return known.get(status, OPENS if status < 500 else f"fault {status}")


def complaints(who: Visitor, name: str, address: str, expected: str) -> Iterator[str]:
    """Yield what is not as it should be. A wrong method is no answer to that."""
    found = [who.ask(method, address) for method in ("get", "post")]
    answered = [one for one in found if one.status_code != 405]
    if not answered:
        yield f"{name}: takes neither GET nor POST"
    for one in answered:
        if met(one) != expected:
            yield f"{name}: {who.role} met {met(one)!r} instead of {expected!r}"
        if who.role != "operator" and b"Theirs" in one.text_shown:
            yield f"{name}: {who.role} was told of the other organization"
    shown = found[0].status_code
    if name in doors.SHOWN and expected == OPENS and shown not in {200, 204}:
        yield f"{name}: {who.role} was shown nothing but status {shown}"


@pytest.fixture
def own(ours: World) -> Estate:
    return doors.estate(ours)


@pytest.fixture
def foreign(theirs: World) -> Estate:
    return doors.estate(theirs)


def test_every_address_is_in_one_table() -> None:
    tables = (set(PAGES), set(API), DESCRIPTIONS, WITH_OTHER_PROOF, GRAPHQL)
    listed = [name for one in tables for name in one] + sorted(doors.PUBLIC | OWN_ROWS)

    assert sorted(listed) == sorted(set(doors.names()))


@pytest.mark.parametrize("role", ROLES)
def test_pages_open_to_those_who_may(own: Estate, foreign: Estate, role: str) -> None:
    who = visitor(own.world, role)
    wrong: list[str] = []
    for name, expected in PAGES.items():
        wrong += complaints(who, name, own.address(name), expected[role])
        if name in doors.ROWS:
            others = NOT_FOUND if expected[role] == OPENS else expected[role]
            wrong += complaints(who, f"their {name}", foreign.address(name), others)
    for name in OWN_ROWS:
        others = NOT_FOUND if SIGNED_IN[role] == OPENS else SIGNED_IN[role]
        for estate in (own, foreign):
            wrong += complaints(who, f"their {name}", estate.address(name), others)

    assert wrong == []


@pytest.mark.parametrize("role", ROLES)
def test_doors_open_to_programs_that_may(
    own: Estate, foreign: Estate, role: str
) -> None:
    who = visitor(own.world, role)
    wrong: list[str] = []
    for name, needed in API.items():
        expected = UNKNOWN
        if role in PROGRAMS:
            held = {"program:read": {READS}, "program:write": {READS, WRITES}}
            expected = OPENS if needed in held.get(role, set()) else REFUSED
        for estate in (own, foreign):
            address, has_row = door(estate, name)
            is_theirs = (has_row and estate is foreign) or name in UNKNOWN_ROW
            others = is_theirs and expected == OPENS
            wrong += complaints(who, name, address, NOT_FOUND if others else expected)

    assert wrong == []


def door(estate: Estate, name: str) -> tuple[str, bool]:
    """Return the address of a door, and whether it names a message."""
    if name in {"api:status", "api:resend_by_path"}:
        return reverse(name, args=[estate.public_id]), True
    if name == "api:request_retransmission":
        # Any id will do: it need not be known.
        return reverse(name, args=["3EB0A1B2C3D4E5F60718"]), False
    if name in UNKNOWN_ROW:
        return reverse(name, args=[uuid.uuid4()]), False
    return reverse(name), False


@pytest.mark.parametrize("role", ROLES)
def test_graphql_asks_the_same_question(own: Estate, role: str) -> None:
    expected = {
        "stranger": UNKNOWN,
        "operator": REFUSED,
        "none": REFUSED,
        "program:none": REFUSED,
    }
    who = visitor(own.world, role)

    [name] = GRAPHQL
    found = list(complaints(who, name, reverse(name), expected.get(role, OPENS)))

    assert found == []


@pytest.mark.parametrize("role", ROLES)
def test_what_is_open_to_all_never_breaks(own: Estate, role: str) -> None:
    who = visitor(own.world, role)
    for name in sorted(doors.PUBLIC | DESCRIPTIONS):
        numbered = name in {"messaging:hook", "messaging:audio-file"}
        address = reverse(name, args=[uuid.uuid4()] if numbered else [])
        for method in ("get", "post"):
            status = who.ask(method, address).status_code
            # No worker runs beside these tests, and that probe says so.
            assert status < 500 or (name, status) == ("readyz", 503), address


@pytest.mark.parametrize("role", ROLES)
def test_what_takes_another_proof_opens_to_nobody(own: Estate, role: str) -> None:
    who = visitor(own.world, role)
    for name in WITH_OTHER_PROOF:
        for method in ("get", "post"):
            answer = who.ask(method, reverse(name))
            assert answer.status_code in {400, 401, 404, 405}, name
