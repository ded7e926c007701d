"""Django admin: two organizations never meet, and no list counts."""

from __future__ import annotations

import html
import json
import re

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse

from messaging.admin.tenancy import ReadOnlyAdmin, TenantAdmin
from messaging.models import (
    Attempt,
    Contact,
    Content,
    CreditAccount,
    CreditEntry,
    Integration,
    Message,
    Organization,
    Receipt,
    Role,
    Tally,
    User,
)
from tests.factories import World
from tests.messaging.views.rows import receipt, tried

OWNED: list[type[Model]] = [
    Attempt,
    Contact,
    Content,
    CreditAccount,
    CreditEntry,
    Integration,
    Message,
    Organization,
    Receipt,
    Tally,
    User,
]


def browser(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def manager(ours: World) -> Client:
    return browser(ours.admin)


@pytest.fixture
def operator(db: None) -> Client:
    return browser(User.objects.create_superuser("operator"))


def fill(world: World) -> None:
    """Give an organization a row of every kind."""
    message = tried(world, "failed", attempts=1)
    receipt(message.attempts.get(), "failed")


def row_of(model: type[Model], world: World) -> Model:
    rows = model._default_manager.all()
    if model is Organization:
        return world.organization
    return rows.filter(organization=world.organization).order_by("pk")[0]


def url(model: type[Model], view: str, *args: object) -> str:
    name = f"{model._meta.app_label}_{model._meta.model_name}_{view}"
    return reverse(f"admin:{name}", args=args)


def text_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return response.content.decode()


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


@pytest.mark.parametrize(
    "model", [Message, Attempt, Receipt, Tally, CreditEntry, CreditAccount]
)
def test_what_the_engine_writes_is_only_read(
    ours: World, manager: Client, operator: Client, model: type[Model]
) -> None:
    fill(ours)
    row = row_of(model, ours)
    assert isinstance(admin.site.get_model_admin(model), ReadOnlyAdmin)

    for client in (manager, operator):
        assert client.get(url(model, "add")).status_code == 403
        assert client.post(url(model, "change", row.pk), {}).status_code == 403
        assert client.post(url(model, "delete", row.pk)).status_code == 403


@pytest.mark.parametrize("model", OWNED)
def test_lists_never_count(ours: World, operator: Client, model: type[Model]) -> None:
    for _ in range(3):
        fill(ours)
    address = url(model, "changelist")

    def queries(query: str) -> list[str]:
        operator.get(f"{address}{query}")
        with CaptureQueriesContext(connection) as captured:
            response = operator.get(f"{address}{query}")
        assert response.status_code == 200
        return [one["sql"] for one in captured.captured_queries]

    for query in ("", "?q=1", "?all=", "?p=1"):
        assert not [sql for sql in queries(query) if "COUNT(" in sql.upper()]
    cost = len(queries(""))
    for _ in range(5):
        fill(ours)
    assert len(queries("")) == cost


def test_pages_of_a_list_follow_each_other(ours: World, operator: Client) -> None:
    integration, content = ours.integration(), ours.text()
    made = [
        ours.message(integration=integration, content=content).pk for _ in range(110)
    ]
    address = url(Message, "changelist")

    def listed(query: str) -> list[int]:
        text = text_of(operator, f"{address}{query}")
        return [int(one) for one in re.findall(r"/message/(\d+)/change/", text)]

    pages = [listed(f"?p={number}") for number in (1, 2, 3)]

    assert [len(set(page)) for page in pages] == [50, 50, 10]
    assert [*pages[0], *pages[1], *pages[2]] == list(reversed(made))
    assert "and there is more" in text_of(operator, address)
    assert "110 messages" in text_of(operator, f"{address}?p=3")
    assert len(set(listed("?all="))) == 50
    assert operator.get(f"{address}?p=9").status_code == 302


def test_secrets_are_written_and_never_shown(ours: World, manager: Client) -> None:
    integration = ours.integration(credentials={"access_token": "very-secret"})
    address = url(Integration, "change", integration.pk)

    page = text_of(manager, address)
    assert "very-secret" not in page
    assert "Set. Leave it empty to keep it." in page
    assert integration.hook_url in page

    saved = manager.post(
        address,
        {
            "name": "Renamed",
            "state": "active",
            "rate_per_second": "7",
            "credit_price": "1",
            "own_phone_number_id": "42",
            "own_base_url": "https://graph.example.org",
            "own_access_token": "",
            "own_app_secret": "new-secret",
            "own_verify_token": "",
        },
    )

    integration.refresh_from_db()
    assert saved.status_code == 302
    assert integration.name == "Renamed"
    assert integration.settings["phone_number_id"] == "42"
    assert integration.credentials == {
        "access_token": "very-secret",
        "app_secret": "new-secret",
        "verify_token": "verify-me",
    }


def test_an_integration_is_added_in_two_steps(ours: World, manager: Client) -> None:
    address = url(Integration, "add")
    assert f"{address}?kind=smtp" in text_of(manager, address)
    values = {
        "name": "Mail",
        "state": "active",
        "rate_per_second": "5",
        "credit_price": "0",
        "own_host": "mail.example.org",
        "own_port": "not a port",
        "own_security": "starttls",
        "own_from_address": "us@example.org",
        "own_username": "us",
        "own_password": "hunter2",
    }

    refused = manager.post(f"{address}?kind=smtp", values)
    saved = manager.post(f"{address}?kind=smtp", {**values, "own_port": "587"})

    assert refused.status_code == 200
    assert "errornote" in refused.content.decode()
    assert "hunter2" not in refused.content.decode()
    assert saved.status_code == 302
    made = Integration.objects.get(name="Mail")
    assert made.organization == ours.organization
    assert (made.kind, made.channel) == ("smtp", "email")
    assert made.credentials["password"] == "hunter2"
    assert "hunter2" not in made.encrypted_credentials


def test_an_optional_secret_can_be_forgotten(ours: World, manager: Client) -> None:
    stored = {"username": "us", "password": "hunter2"}
    integration = ours.integration("smtp", credentials=stored)
    address = url(Integration, "change", integration.pk)
    assert "Forget the stored password" in text_of(manager, address)

    manager.post(
        address,
        {
            "name": integration.name,
            "state": "active",
            "rate_per_second": "5",
            "credit_price": "0",
            "own_host": "mail.example.org",
            "own_port": "587",
            "own_security": "none",
            "own_from_address": "us@example.org",
            "forget_password": "on",
        },
    )

    integration.refresh_from_db()
    assert integration.credentials["password"] == ""
    assert "Forget the stored" not in text_of(manager, address)


def test_credentials_that_no_key_opens_are_explained(
    ours: World, manager: Client
) -> None:
    integration = ours.integration()
    Integration.objects.update(encrypted_credentials="gibberish")

    page = text_of(manager, url(Integration, "change", integration.pk))

    assert "No key in CREDENTIAL_KEYS opens the stored credentials" in page


@pytest.mark.parametrize(
    ("kind", "payload", "words"),
    [
        ("text", {"subject": "x"}, "“text” is missing"),
        ("text", {"text": 5}, "must be a text"),
        ("text", {"text": "Hi", "txt": "x"}, "“txt” is unknown"),
        ("text", {"text": " "}, "is empty"),
        ("text", ["Hi"], "must be a JSON object"),
        ("image", {"url": "ftp://x"}, "must start with http"),
        ("interactive", {"body": "x", "buttons": []}, "at least one button"),
        (
            "template",
            {"name": "a", "language": "en", "category": "utility", "body": ""},
            "is empty",
        ),
        (
            "template",
            {
                "name": "a",
                "language": "en",
                "category": "utility",
                "body": "x",
                "parameters": [1],
            },
            "list of texts",
        ),
    ],
)
def test_content_that_no_channel_carries_is_refused(
    ours: World, manager: Client, kind: str, payload: object, words: str
) -> None:
    response = manager.post(
        url(Content, "add"),
        {"kind": kind, "name": "x", "payload": json.dumps(payload)},
    )

    assert response.status_code == 200
    assert words in html.unescape(response.content.decode())
    assert not Content.objects.exists()


def test_content_is_added_and_archived_and_never_changed(
    ours: World, manager: Client
) -> None:
    values = {"kind": "text", "name": "Hello", "payload": '{"text": "Hi {{name}}"}'}
    assert manager.post(url(Content, "add"), values).status_code == 302
    made = Content.objects.get()

    changed = manager.post(
        url(Content, "change", made.pk),
        {"name": "Other", "payload": '{"text": "Changed"}', "archived": "on"},
    )

    made.refresh_from_db()
    assert changed.status_code == 302
    assert made.name == "Hello"
    assert made.payload == {"text": "Hi {{name}}"}
    assert made.archived_at is not None

    manager.post(url(Content, "change", made.pk), {})
    made.refresh_from_db()
    assert made.archived_at is None
    assert manager.post(url(Content, "delete", made.pk)).status_code == 403


def test_credits_are_topped_up_through_the_ledger(
    ours: World, theirs: World, manager: Client, operator: Client
) -> None:
    address = reverse(
        "admin:messaging_creditaccount_top_up", args=[ours.organization.pk]
    )
    before = ours.account.available
    assert address in text_of(
        manager, url(CreditAccount, "change", ours.organization.pk)
    )

    assert manager.post(address, {"amount": "0"}).status_code == 200
    done = manager.post(address, {"amount": "500", "note": "Invoice 7"})

    assert done.status_code == 302
    assert ours.account.available == before + 500
    line = CreditEntry.objects.filter(organization=ours.organization).latest("pk")
    assert (line.step, line.amount) == ("top_up", 500)
    assert line.note == f"{ours.admin.username}: Invoice 7"

    other = reverse(
        "admin:messaging_creditaccount_top_up", args=[theirs.organization.pk]
    )
    assert manager.post(other, {"amount": "5"}).status_code == 404
    new = Organization.objects.create(name="New")
    first = reverse("admin:messaging_creditaccount_top_up", args=[new.pk])
    assert operator.post(first, {"amount": "5"}).status_code == 302
    assert CreditAccount.objects.get(pk=new.pk).available == 5


def test_a_manager_adds_colleagues_to_the_own_organization(
    ours: World, theirs: World, manager: Client
) -> None:
    response = manager.post(
        url(User, "add"),
        {
            "username": "colleague",
            "usable_password": "true",
            "password1": "correct-horse-9",
            "password2": "correct-horse-9",
            "organization": theirs.organization.pk,
            "role": "admin",
            "is_superuser": "on",
        },
    )

    assert response.status_code == 302
    made = User.objects.get(username="colleague")
    assert made.organization == ours.organization
    assert made.is_staff
    assert not made.is_superuser

    manager.post(
        url(User, "change", made.pk),
        {"username": "colleague", "role": "agent", "is_active": "on"},
    )
    made.refresh_from_db()
    assert made.role == Role.AGENT
    assert not made.is_staff


def test_passwords_of_other_organizations_are_out_of_reach(
    theirs: World, manager: Client
) -> None:
    address = reverse("admin:auth_user_password_change", args=[theirs.agent.pk])

    assert manager.get(address).status_code == 404


def test_an_organization_is_set_up_by_its_manager(ours: World, manager: Client) -> None:
    organization = ours.organization
    page = text_of(manager, url(Organization, "change", organization.pk))
    values = dict(re.findall(r'<input[^>]*name="(\w+)" value="([^"]*)"', page))

    saved = manager.post(
        url(Organization, "change", organization.pk),
        {**values, "name": "Renamed", "time_zone": "Africa/Accra"}
        | {"broadcast_quota": "9999"},
    )

    organization.refresh_from_db()
    assert saved.status_code == 302
    assert organization.name == "Renamed"
    assert organization.broadcast_quota == 25
    assert manager.get(url(Organization, "add")).status_code == 403
    deleted = manager.post(url(Organization, "delete", organization.pk))
    assert deleted.status_code == 403


def test_groups_are_gone_from_the_admin() -> None:
    with pytest.raises(NoReverseMatch):
        reverse("admin:auth_group_changelist")


def test_names_cannot_carry_markup(ours: World, operator: Client) -> None:
    member = ours.contact(name="<script>alert(1)</script>")
    tried(ours, "failed", contact=member)

    for address in (
        url(Message, "changelist"),
        url(Contact, "changelist"),
        url(Contact, "change", member.pk),
    ):
        assert "<script>alert(1)" not in text_of(operator, address)
