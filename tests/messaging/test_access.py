"""One model of access for people and programs: groups, roles, and one decision."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from messaging import api_clients
from messaging.access import may
from messaging.models import ApiAccess, ApiClient, Right, Role, User
from messaging.models.rights import READERS, WRITERS
from tests.factories import World
from tests.messaging.api.callers import STATUS, caller

pytestmark = pytest.mark.django_db

HELD = {
    Role.NONE: set(),
    Role.AGENT: {Right.READ},
    Role.EDITOR: {Right.READ, Right.WRITE},
    Role.ADMIN: {Right.READ, Right.WRITE, Right.MANAGE},
    ApiAccess.NONE: set(),
    ApiAccess.READ: {Right.READ},
    ApiAccess.WRITE: {Right.READ, Right.WRITE},
}


def actor(world: World, name: Role | ApiAccess) -> User | ApiClient:
    if isinstance(name, Role):
        return world.person("somebody", name)
    return caller(world, name).client


@pytest.mark.parametrize("name", HELD)
def test_a_role_and_an_access_stand_for_the_same_rights(
    ours: World, theirs: World, name: Role | ApiAccess
) -> None:
    one = actor(ours, name)

    held = {right for right in Right if may(one, right, ours.organization.pk)}

    assert held == HELD[name]
    assert one.may_read == (Right.READ in held)
    assert one.may_write == (Right.WRITE in held)
    assert not any(may(one, right, theirs.organization.pk) for right in Right)
    assert not any(may(one, right, None) for right in Right)


@pytest.mark.parametrize("name", [one for one in HELD if isinstance(one, Role)])
def test_django_is_told_the_same(ours: World, name: Role) -> None:
    person = ours.person("somebody", name)

    assert {one for one in Right if person.has_perm(f"messaging.{one}")} == HELD[name]
    assert person.has_module_perms("messaging") == bool(HELD[name])
    assert not person.has_perm("messaging.delete_user")


def test_permissions_given_past_the_role_count_for_nothing(ours: World) -> None:
    person = ours.person("somebody", Role.NONE)
    person.groups.add(Group.objects.get(name=WRITERS))
    person.user_permissions.add(Permission.objects.get(codename=Right.WRITE))

    assert not person.has_perm(f"messaging.{Right.WRITE}")
    assert not person.may_write


def test_who_is_shut_out_may_nothing(ours: World) -> None:
    number = ours.organization.pk
    ours.admin.is_active = False
    client = caller(ours).client
    assert may(client, Right.READ, number)
    api_clients.revoke(client)

    assert not may(ours.admin, Right.READ, number)
    assert not may(client, Right.READ, number)


def test_an_operator_acts_for_no_organization(ours: World) -> None:
    operator = User.objects.create_superuser("root")

    assert not may(operator, Right.READ, ours.organization.pk)
    assert not may(operator, Right.READ, None)


def test_the_group_in_the_database_decides_for_both(ours: World) -> None:
    program = caller(ours, ApiAccess.READ)
    browser = Client()
    browser.force_login(ours.agent)
    messages = reverse("messaging:message-list")
    status = f"{STATUS}/ra_whatsapp_1_abc123def"
    assert browser.get(messages).status_code == 200
    assert program.get(status).status_code == 404

    Group.objects.get(name=READERS).permissions.clear()

    assert browser.get(messages).status_code == 403
    assert program.get(status).status_code == 403


def test_rights_cost_one_statement_per_request(
    ours: World, django_assert_num_queries: Any
) -> None:
    person = User.objects.get(pk=ours.admin.pk)

    with django_assert_num_queries(1):
        assert person.may_read
        assert person.may_write
        assert person.may_manage
    person.role = Role.NONE
    with django_assert_num_queries(0):
        assert not person.may_read


def test_groups_are_made_again_and_otherwise_left_alone() -> None:
    Group.objects.get(name=READERS).delete()
    Group.objects.get(name=WRITERS).permissions.clear()

    call_command("migrate", verbosity=0)

    readers = Group.objects.get(name=READERS)
    assert [one.codename for one in readers.permissions.all()] == [Right.READ]
    assert not Group.objects.get(name=WRITERS).permissions.exists()


@pytest.mark.django_db(transaction=True)
def test_groups_are_made_again_where_every_table_is_emptied() -> None:
    call_command("flush", verbosity=0, interactive=False)

    assert set(Group.objects.values_list("name", flat=True)) >= {READERS, WRITERS}


def test_somebody_with_no_rights_is_told_whom_to_ask(ours: World) -> None:
    browser = Client()
    browser.force_login(ours.person("new", Role.NONE))

    response = browser.get(reverse("overview"))

    page = response.content.decode()
    assert response.status_code == 403
    assert "You cannot see anything here yet" in page
    assert "Ask an administrator" in page
    assert "Go to the overview" not in page
    assert reverse("logout") in page
