"""Whatever somebody can change stands in the audit trail, with it or not at all.

Every address that takes a POST, every mutation, and every form, verb and action of
Django admin is either done here or among the exceptions, with the reason why.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

import pytest
from django.contrib import admin
from django.db import transaction
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django import Settings

from broadcasts.graphql.schema import schema
from messaging.models import Actor, AuditEntry, AuditKind, User
from resend_admin.sandbox.thread import Sandbox
from tests import test_doors as doors
from tests.factories import World
from tests.messaging.admin.test_walk import VERBS
from tests.messaging.retransmission.steps import PERSON
from tests.test_walk import API, door
from tests.trail import account, pages, programs, setups
from tests.trail import admin as django_admin
from tests.trail.scene import DEEDS, Scene, everything

pytestmark = pytest.mark.django_db
MODULES: Final = (account, django_admin, pages, programs, setups)
"""Where the deeds are: importing them is enough."""

EXCEPTIONS: Final = {
    "login": "A log-in changes nothing; sessions say who is in, where and since when.",
    "login-code": "The same: its second step. A recovery code it uses up is told.",
    "logout": "It ends one's own session, on one's own machine.",
    "ui:theme": "How the pages look to one browser.",
    "broadcasts:audience-preview": "Counts members and keeps nothing.",
    "messaging:account-second-factor-begin": "Nothing asks for a code before it is"
    " confirmed, and that stands there.",
    "messaging:member-import-problems": "Hands back what the import refused.",
    "messaging:device-check": "Asks how a phone is, as happens every minute anyway.",
    "messaging:hook": "Providers tell what happened; nobody decides anything.",
    "api:send": "A first message is no resend: who sent it stands on the message.",
    "api:embed_token": "Nothing is kept; what is sent with it stands there.",
    "api:oauth-token": "A key that lasts an hour, for the client that asks for it.",
    "graphql": "By its mutations.",
    "graphql-plain": "By the same mutations.",
    "api:openapi-json": "To be read, whatever the method.",
    "api:openapi-view": "To be read, whatever the method.",
    "admin-password": "Leads to one's own account.",
    "admin:messaging_stoppedretry_change": "Every field is to be read; its action"
    " resumes.",
}
NO_ROW: Final = {"messaging:member-history", "api:request_history"}
"""They change a phone, not a row of ours; that they are told is all there is."""


@pytest.fixture
def scene(ours: World, sandbox: Sandbox, settings: Settings) -> Scene:
    settings.AUDIO_WAIT_SECONDS = 0
    return Scene(ours, sandbox)


def changing_addresses(world: World) -> Iterator[str]:
    """Yield the name of each address that does not refuse to be posted to."""
    own = doors.estate(world)
    browser = Client(raise_request_exception=False)
    browser.force_login(world.admin)
    for name in doors.names():
        address = door(own, name)[0] if name in API else _address(own, name)
        with transaction.atomic():
            answer = browser.post(address)
            transaction.set_rollback(True)
        if answer.status_code != 405:
            yield name


def _address(own: doors.Estate, name: str) -> str:
    if name in {"messaging:hook", "messaging:audio-file"}:
        return reverse(name, args=[uuid.uuid4()])
    return own.address(name)


def changes_in_admin(world: World) -> Iterator[str]:
    """Yield every form, verb and action that an admin or an operator may use."""
    yield from (f"admin:{name}" for name in VERBS)
    for person in (world.admin, User.objects.create_superuser("somebody")):
        request = RequestFactory().get("/admin/")
        request.user = person
        for model, own in admin.site._registry.items():
            meta = model._meta
            for verb, may in (
                ("add", own.has_add_permission(request)),
                ("change", own.has_change_permission(request)),
                ("delete", own.has_delete_permission(request)),
            ):
                if may:
                    yield f"admin:{meta.app_label}_{meta.model_name}_{verb}"
            for action in own.get_actions(request):
                yield f"admin action: {meta.label_lower} {action}"


def test_every_way_to_change_something_is_done_or_excepted(ours: World) -> None:
    mutations = schema._schema.mutation_type
    assert mutations is not None
    found = {
        *changing_addresses(ours),
        *changes_in_admin(ours),
        *(f"graphql:{name}" for name in mutations.fields),
    }

    known = {name for name in DEEDS if not _is_variant(name)} | set(EXCEPTIONS)
    assert known == found
    assert not set(DEEDS) & set(EXCEPTIONS)


def _is_variant(name: str) -> bool:
    """Tell whether it is another way to use an address that has a deed already."""
    return name.startswith(("a ", "an ", "graphql: "))


@pytest.mark.parametrize("name", sorted(DEEDS))
def test_it_is_told_once_with_who_it_was(scene: Scene, name: str) -> None:
    act = DEEDS[name](scene)
    before = everything()
    last = AuditEntry.objects.order_by("-pk").first()

    answer = act()

    assert answer.status_code < 400, answer.content.decode()[:3000]
    assert name in NO_ROW or everything() != before
    [entry] = AuditEntry.objects.filter(pk__gt=last.pk if last else 0)
    people = {scene.world.admin.pk, scene.operator.pk}
    is_a_person = entry.actor == Actor.PERSON
    if name == "messaging:embedded-resend":
        assert entry.actor_name == "Ama in another product"
    elif is_a_person:
        assert entry.person_id in people
    else:
        assert (entry.actor, entry.client_id) == (Actor.API, scene.caller.client.pk)
    assert is_a_person or name.startswith(("api:", "graphql"))
    if name != "admin:messaging_organization_add":
        assert entry.organization_id == scene.world.organization.pk
    assert entry.sentence.endswith((".", "…")) or entry.kind == AuditKind.BULK_RESEND
    kept = json.dumps([entry.sentence, entry.reason, entry.changes])
    for secret in ("hush", "Hush", "+233", "We open at 8", PERSON, "staple"):
        assert secret not in kept
    if entry.link:
        assert scene.browser.get(entry.link).status_code == 200, entry.link


class Unwritable(Exception):  # noqa: N818 - what a test lets happen
    pass


@pytest.mark.parametrize("name", sorted(set(DEEDS) - NO_ROW))
def test_what_cannot_be_told_is_not_done(
    scene: Scene, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line and the change are one transaction: without the one, not the other."""
    act = DEEDS[name](scene)
    before = everything()

    def refuse(*_: Any, **__: Any) -> None:
        raise Unwritable

    monkeypatch.setattr(AuditEntry, "save", refuse)
    with suppress(Unwritable):
        # Doors of programs make an answer of it.
        answer = act()
        assert answer.status_code == 500 or b'"errors"' in answer.content

    assert everything() == before
