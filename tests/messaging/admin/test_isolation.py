"""Two organizations never meet: by URL, list, search, autocomplete or posting."""

from __future__ import annotations

import json

import pytest
from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import NoReverseMatch, reverse

from messaging.admin.tenancy import TenantAdmin
from messaging.models import (
    Contact,
    Role,
)
from tests.factories import World
from tests.messaging.admin.rows import OWNED, browser, fill, row_of, text_of, url


@pytest.mark.parametrize("app", ["messaging"])
def test_every_model_is_registered_and_belongs_to_somebody(app: str) -> None:
    for model in apps.get_app_config(app).get_models():
        assert isinstance(admin.site.get_model_admin(model), TenantAdmin), model


@pytest.mark.parametrize("model", OWNED)
def test_a_row_of_another_organization_is_not_found(
    ours: World, theirs: World, manager: Client, model: type[Model]
) -> None:
    fill(ours)
    fill(theirs)
    own, other = row_of(model, ours), row_of(model, theirs)

    assert manager.get(url(model, "change", own.pk)).status_code == 200
    for view in ("change", "history", "delete"):
        assert manager.get(url(model, view, other.pk)).status_code == 404, view
        assert manager.post(url(model, view, other.pk)).status_code == 404, view


@pytest.mark.parametrize("model", OWNED)
def test_lists_show_the_own_organization_only(
    ours: World, theirs: World, manager: Client, operator: Client, model: type[Model]
) -> None:
    fill(ours)
    fill(theirs)
    own, other = row_of(model, ours), row_of(model, theirs)
    address = url(model, "changelist")

    assert url(model, "change", own.pk) in text_of(manager, address)
    assert url(model, "change", other.pk) not in text_of(manager, address)
    assert url(model, "change", own.pk) in text_of(operator, address)
    assert url(model, "change", other.pk) in text_of(operator, address)


@pytest.mark.parametrize("model", OWNED)
def test_searching_does_not_lead_elsewhere(
    ours: World, theirs: World, manager: Client, model: type[Model]
) -> None:
    fill(ours)
    fill(theirs)
    other = row_of(model, theirs)

    for term in (str(other.pk), str(other), "M", "T", "admin"):
        found = text_of(manager, f"{url(model, 'changelist')}?q={term}")
        assert url(model, "change", other.pk) not in found


def test_autocomplete_offers_the_own_organization_only(
    ours: World, theirs: World, manager: Client, operator: Client
) -> None:
    address = (
        f"{reverse('admin:autocomplete')}?app_label=messaging&model_name=contact"
        "&field_name=organization&term="
    )

    def offered(client: Client) -> set[str]:
        results = json.loads(client.get(address).content)["results"]
        return {one["text"] for one in results}

    assert offered(manager) == {"Ours"}
    assert offered(operator) == {"Ours", "Theirs"}


def test_a_row_cannot_be_made_for_another_organization(
    ours: World, theirs: World, manager: Client
) -> None:
    response = manager.post(
        url(Contact, "add"),
        {
            "organization": theirs.organization.pk,
            "external_id": "N1",
            "name": "New",
            "phone": "+233 24 111 2223",
        },
    )

    assert response.status_code == 302
    made = Contact.objects.get(external_id="N1")
    assert made.organization == ours.organization
    assert made.phone == "+233241112223"


def test_a_row_cannot_be_moved(ours: World, theirs: World, operator: Client) -> None:
    member = ours.contact()

    operator.post(
        url(Contact, "change", member.pk),
        {"organization": theirs.organization.pk, "external_id": "moved"},
    )

    member.refresh_from_db()
    assert member.external_id == "moved"
    assert member.organization == ours.organization


def test_what_must_be_unique_is_told_in_words(ours: World, manager: Client) -> None:
    ours.contact(external_id="A1")
    other = ours.contact(external_id="A2")

    for address in (url(Contact, "add"), url(Contact, "change", other.pk)):
        response = manager.post(address, {"external_id": "A1"})
        assert response.status_code == 200
        assert "already exists" in response.content.decode()


@pytest.mark.parametrize("role", [Role.AGENT, Role.EDITOR])
@pytest.mark.parametrize("is_staff", [True, False])
def test_agents_and_editors_have_no_admin(
    ours: World, role: Role, is_staff: bool
) -> None:
    client = browser(ours.person(f"x{role}{is_staff}", role, is_staff=is_staff))

    for model in OWNED:
        response = client.get(url(model, "changelist"))
        assert response.status_code in {302, 403}, model


def test_a_superuser_of_an_organization_stays_inside_it(
    ours: World, theirs: World
) -> None:
    member = theirs.contact()
    root = ours.person("root", Role.ADMIN, is_staff=True, is_superuser=True)

    response = browser(root).get(url(Contact, "change", member.pk))

    assert response.status_code == 404


def test_passwords_of_other_organizations_are_out_of_reach(
    theirs: World, manager: Client
) -> None:
    address = reverse("admin:auth_user_password_change", args=[theirs.agent.pk])

    assert manager.get(address).status_code == 404


def test_groups_are_gone_from_the_admin() -> None:
    with pytest.raises(NoReverseMatch):
        reverse("admin:auth_group_changelist")
