"""Two organizations never meet: by URL, list, search, autocomplete or posting."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.apps import apps
from django.contrib import admin
from django.db.models import ForeignKey, Model, QuerySet
from django.forms import ModelChoiceField
from django.test import Client, RequestFactory
from django.urls import NoReverseMatch, reverse

from messaging.admin.tenancy import TenantAdmin
from messaging.models import (
    Contact,
    Role,
)
from tests.factories import World
from tests.messaging.admin.rows import (
    OWNED,
    browser,
    fill,
    row_of,
    rows_of,
    text_of,
    url,
)


@pytest.mark.parametrize("app", ["messaging"])
def test_every_model_is_registered_and_belongs_to_somebody(app: str) -> None:
    for model in apps.get_app_config(app).get_models():
        assert isinstance(admin.site.get_model_admin(model), TenantAdmin), model


@pytest.fixture
def both(ours: World, theirs: World) -> tuple[World, World]:
    for world in (ours, theirs):
        fill(world)
    return ours, theirs


def test_lists_show_the_own_organization_only(
    both: tuple[World, World], manager: Client, operator: Client
) -> None:
    for model in OWNED:
        own, other = (row_of(model, world) for world in both)
        address = url(model, "changelist")
        listed, everything_listed = (
            text_of(manager, address),
            text_of(operator, address),
        )
        for page in (listed, everything_listed):
            assert url(model, "change", own.pk) in page, model
        assert url(model, "change", other.pk) not in listed, model
        assert "Theirs" not in listed, model
        assert url(model, "change", other.pk) in everything_listed, model


def test_forms_name_nobody_else(both: tuple[World, World], manager: Client) -> None:
    for model in OWNED:
        own = row_of(model, both[0])
        for view in ("change", "history"):
            assert "Theirs" not in text_of(manager, url(model, view, own.pk)), model


def test_searching_does_not_lead_elsewhere(
    both: tuple[World, World], manager: Client
) -> None:
    for model in OWNED:
        other = row_of(model, both[1])
        for term in (str(other.pk), str(other), "Theirs", "M"):
            found = text_of(manager, f"{url(model, 'changelist')}?q={quote(term)}")
            assert url(model, "change", other.pk) not in found, (model, term)


def narrowed(model: type[Model], other: World) -> Iterator[str]:
    """Yield addresses of a list that ask for rows by what they are related to."""
    for field in model._meta.fields:
        if isinstance(field, ForeignKey):
            value = getattr(row_of(model, other), field.attname)
            yield f"{url(model, 'changelist')}?{field.attname}={value}"


def test_asking_by_what_is_related_does_not_lead_elsewhere(
    both: tuple[World, World], manager: Client
) -> None:
    for model in OWNED:
        theirs = url(model, "change", row_of(model, both[1]).pk)
        for address in narrowed(model, both[1]):
            answer = manager.get(address, follow=True)
            assert answer.status_code in {200, 400}, address
            assert theirs not in answer.content.decode(), address


def completed() -> Iterator[tuple[type[Model], str]]:
    """Yield every field that is filled in by typing the beginning of a name."""
    for model, own in admin.site._registry.items():
        yield from ((model, name) for name in own.autocomplete_fields)
        for inline in own.inlines:
            of_rows: type[Model] = inline.model
            yield from ((of_rows, name) for name in inline.autocomplete_fields)


def test_autocomplete_offers_the_own_organization_only(
    both: tuple[World, World], manager: Client, operator: Client
) -> None:
    fields = list(completed())
    assert len(fields) > 5
    for model, name in fields:
        query = urlencode(
            {
                "app_label": model._meta.app_label,
                "model_name": model._meta.model_name,
                "field_name": name,
                "term": "",
            }
        )
        address = f"{reverse('admin:autocomplete')}?{query}"
        other: Any = model._meta.get_field(name).related_model
        foreign = str(row_of(other, both[1]).pk)
        assert foreign in offered(operator, address), (model, name)
        assert foreign not in offered(manager, address), (model, name)
        assert offered(manager, address), (model, name)


def offered(client: Client, address: str) -> set[str]:
    results = json.loads(client.get(address).content)["results"]
    return {str(one["id"]) for one in results}


def choices_in(form: Any) -> Iterator[QuerySet[Any]]:
    for field in form.base_fields.values():
        if isinstance(field, ModelChoiceField) and field.queryset is not None:
            yield field.queryset


def test_a_form_takes_nothing_of_another_organization(
    both: tuple[World, World], ours: World
) -> None:
    """Whatever is posted: what is no choice of the field is refused."""
    request = RequestFactory().get("/admin/")
    request.user = ours.admin
    looked_at = 0
    for model, own in admin.site._registry.items():
        if not (own.has_add_permission(request) or own.has_change_permission(request)):
            continue
        forms = [own.get_form(request)]
        forms += [one.form for one, _ in own.get_formsets_with_inlines(request)]
        for choices in (found for form in forms for found in choices_in(form)):
            if choices.model not in OWNED:
                # A step of the row itself, in the form of one that is there already.
                continue
            looked_at += 1
            foreign = row_of(choices.model, both[1])
            assert not choices.filter(pk=foreign.pk).exists(), model
    assert looked_at > 5


def test_actions_leave_other_organizations_alone(
    both: tuple[World, World], ours: World, manager: Client
) -> None:
    request = RequestFactory().get("/admin/")
    request.user = ours.admin
    done = 0
    for model, own in admin.site._registry.items():
        for action in own.get_actions(request):
            values = {
                "action": action,
                "_selected_action": [row_of(model, both[1]).pk],
                "select_across": "1",
                "index": "0",
            }
            before = of_theirs(both[1])
            manager.post(url(model, "changelist"), values)
            assert of_theirs(both[1]) == before, (model, action)
            done += 1
    assert done > 4


def of_theirs(world: World) -> list[list[dict[str, Any]]]:
    """Return every row that an organization has."""
    return [list(rows_of(model, world).values()) for model in OWNED]


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
