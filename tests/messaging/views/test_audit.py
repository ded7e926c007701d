"""The audit page: what was done stands there, with who, why, before and after."""

from __future__ import annotations

import csv
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from messaging import api_clients, resend, trail
from messaging.models import (
    Actor,
    ApiClient,
    AuditEntry,
    AuditKind,
    CreditAccount,
    Integration,
    Message,
    Organization,
    Role,
    User,
)
from messaging.sending import Asker, Scheduled
from messaging.webhooks import endpoints
from tests.factories import World
from tests.messaging.admin.rows import url
from tests.messaging.bulk.steps import frozen
from tests.messaging.views.rows import tried
from tests.messaging.webhooks.steps import ALL, endpoint_of

pytestmark = pytest.mark.django_db

AUDIT = "/audit/"
SETTINGS = {
    "name": "Ours",
    "time_zone": "Africa/Accra",
    "retention_days": "30",
    "resend_limit": "3",
    "resend_max_age_hours": "48",
    "resend_ladder_minutes": "1,5",
}


@pytest.fixture
def admin(ours: World) -> Client:
    client = Client()
    client.force_login(ours.admin)
    return client


def only(**wanted: Any) -> AuditEntry:
    """Return the one line there is of this kind."""
    return AuditEntry.objects.get(**wanted)


def page(client: Client, **query: str) -> str:
    response = client.get(f"{AUDIT}?{urlencode(query)}")
    assert response.status_code == 200
    return str(response.content.decode())


def everything_kept() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM messaging_auditentry t")
        return " ".join(row[0] for row in cursor.fetchall())


def test_a_setting_is_told_before_and_after(ours: World, admin: Client) -> None:
    address = url(Organization, "change", ours.organization.pk)
    assert admin.post(address, SETTINGS).status_code == 302

    entry = only(kind=AuditKind.SETTINGS)

    assert (entry.organization, entry.person_id) == (ours.organization, ours.admin.pk)
    told = {what: (before, after) for what, before, after in entry.changes}
    assert told["Time zone"] == ("UTC", "Africa/Accra")
    assert told["Resend limit"] == ("5", "3")
    assert "Time zone: UTC → Africa/Accra" in page(admin)
    assert address in page(admin)


def test_what_was_saved_unchanged_is_no_news(ours: World, admin: Client) -> None:
    address = url(Organization, "change", ours.organization.pk)
    admin.post(address, SETTINGS)
    admin.post(address, SETTINGS)

    assert AuditEntry.objects.count() == 1


def test_secrets_of_an_integration_never_stand_there(
    ours: World, admin: Client
) -> None:
    integration = ours.integration(credentials={"access_token": "old-secret"})
    values = {
        "name": "Renamed",
        "state": "active",
        "rate_per_second": "7",
        "credit_price": "1",
        "own_phone_number_id": "42",
        "own_base_url": "https://graph.example.org",
        "own_access_token": "new-secret",
        "own_app_secret": "",
        "own_verify_token": "",
    }

    address = url(Integration, "change", integration.pk)
    assert admin.post(address, values).status_code == 302

    entry = only(kind=AuditKind.INTEGRATION)
    told = {what: (before, after) for what, before, after in entry.changes}
    assert told["Name"] == (integration.name, "Renamed")
    assert ("1555", "42") in told.values()
    assert ("", "hidden") in told.values()
    assert "new-secret" not in everything_kept()
    assert "old-secret" not in everything_kept()
    assert "changed, and not shown" in page(admin)


def test_a_client_is_made_rotated_and_revoked_on_record(admin: Client) -> None:
    values = {"name": "Shop", "access": "write", "requests_per_minute": "60"}
    made = text_of_post(admin, url(ApiClient, "add"), values)
    shop = ApiClient.objects.get()
    shown = [made]
    for verb in ("rotate", "bearer", "bearer", "bearer_remove", "revoke"):
        shown.append(text_of_post(admin, url(ApiClient, verb, shop.pk)))

    told = [
        one.sentence.removeprefix("API client “Shop”: ")
        for one in AuditEntry.objects.filter(kind=AuditKind.CLIENT).order_by("pk")
    ]
    assert told == [
        "Added the API client “Shop”.",
        "Rotated the secret.",
        "Made a bearer token.",
        "Rotated the bearer token.",
        "Removed the bearer token.",
        "Revoked.",
    ]
    kept = everything_kept()
    for text in shown:
        for secret in _secrets_in(text):
            assert secret not in kept


def text_of_post(client: Client, address: str, values: Any = None) -> str:
    return str(client.post(address, values or {}).content.decode())


def _secrets_in(text: str) -> list[str]:
    import re

    return re.findall(r"<code>([\w-]{36,43})</code>", text)


def test_roles_are_told_in_words(ours: World, admin: Client) -> None:
    person = ours.agent
    values = {
        "username": person.username,
        "first_name": "Ada",
        "role": Role.EDITOR.value,
        "is_active": "on",
    }
    assert admin.post(url(User, "change", person.pk), values).status_code == 302

    told = {what: rest for what, *rest in only(kind=AuditKind.PERSON).changes}
    assert told["Role"] == [Role.AGENT.label, Role.EDITOR.label]


def test_a_password_that_was_set_is_told_and_not_shown(
    ours: World, admin: Client
) -> None:
    values = {
        "password1": "staple 12 horses",
        "password2": "staple 12 horses",
        "usable_password": "true",
    }

    admin.post(f"/admin/messaging/user/{ours.agent.pk}/password/", values)

    entry = only(kind=AuditKind.PERSON)
    assert entry.changes == [["password", "", "hidden"]]
    assert "staple" not in everything_kept()


def test_credits_are_told(ours: World, admin: Client) -> None:
    operator = Client()
    operator.force_login(User.objects.create_superuser("root"))
    address = url(CreditAccount, "top_up", ours.organization.pk)
    values = {"amount": "5000", "note": "Invoice 7"}
    assert operator.post(address, values).status_code == 302

    entry = only(kind=AuditKind.CREDITS)
    assert "Topped up by 5,000 credits." in entry.sentence
    assert (entry.actor_name, entry.reason) == ("root", "Invoice 7")
    assert "Topped up by 5,000 credits." in page(admin)


def test_an_endpoint_is_told_without_its_address(ours: World, admin: Client) -> None:
    by = trail.by_person(ours.admin)
    endpoint, secret = endpoint_of(ours, "https://a.example/hooks?key=hush", name="A")
    assert not AuditEntry.objects.exists()
    fields = endpoints.Fields("B", "https://b.example/hooks?key=hush", ALL[:1])
    endpoints.edit(endpoint, fields, by=by)
    endpoints.edit(endpoint, fields, by=by)
    rotated = endpoints.rotate(endpoint, by=by)
    endpoints.switch_off(endpoint, by=by)
    endpoints.switch_on(endpoint, by=by)
    endpoints.remove(endpoint, by=by)

    told = list(AuditEntry.objects.order_by("pk"))
    verbs = ["Changed", "Replaced the secret of", "Switched off", "Switched on"]
    assert [one.sentence for one in told] == [
        f"{verb} the webhook endpoint “B”." for verb in [*verbs, "Deleted"]
    ]
    assert ["address at", "a.example", "b.example"] in told[0].changes
    kept = everything_kept()
    assert "hush" not in kept
    assert secret not in kept
    assert rotated not in kept


def test_the_pages_of_endpoints_say_who_it_was(ours: World, admin: Client) -> None:
    endpoint, _ = endpoint_of(ours, name="A")
    admin.post(f"/webhooks/{endpoint.pk}/switch/", {"to": "off"})
    admin.post(f"/webhooks/{endpoint.pk}/secret/", {})
    admin.post(f"/webhooks/{endpoint.pk}/delete/", {})

    found = AuditEntry.objects.filter(kind=AuditKind.WEBHOOK)
    assert [one.person_id for one in found] == [ours.admin.pk] * 3


def test_who_resent_what_and_why(ours: World, admin: Client) -> None:
    message = tried(ours, "failed", attempts=1)
    asker = Asker(
        Actor.PERSON, "Kofi Mensah", "The member called", person_id=ours.editor.pk
    )

    later = resend.Wish(at=timezone.now() + timedelta(hours=2))
    outcome = resend.resend(fresh(message), asker, later)

    assert isinstance(outcome, Scheduled), outcome
    entry = only(kind=AuditKind.RESEND)
    assert (entry.person_id, entry.reason) == (ours.editor.pk, "The member called")
    assert entry.link == f"/messages/{message.pk}/"
    assert str(message.pk) in entry.sentence
    assert "“The member called”" in page(admin, kind="resend")
    assert message.recipient not in everything_kept()
    assert message.contact.name not in everything_kept()


def fresh(message: Message) -> Message:
    return resend.fresh(message.pk)


def test_a_resend_that_is_refused_is_no_news(ours: World) -> None:
    message = tried(ours, "delivered", attempts=1)

    resend.resend(fresh(message), Asker(Actor.PERSON, "Kofi"))

    assert not AuditEntry.objects.exists()


def test_what_nobody_asked_for_is_no_news(ours: World) -> None:
    message = tried(ours, "failed", attempts=1)
    later = resend.Wish(at=timezone.now() + timedelta(hours=2))

    outcome = resend.resend(fresh(message), Asker(Actor.AUTOMATIC, ""), later)

    assert isinstance(outcome, Scheduled)
    assert not AuditEntry.objects.exists()


def test_programs_are_on_record_too(ours: World, admin: Client) -> None:
    shop, _ = api_clients.create(organization=ours.organization, name="Shop")
    asker = Asker(Actor.API, shop.name, client_id=shop.pk)
    later = resend.Wish(at=timezone.now() + timedelta(hours=2))
    resend.resend(fresh(tried(ours, "failed", attempts=1)), asker, later)

    assert only().client_id == shop.pk
    assert "API client Shop" in page(admin, who=f"client-{shop.pk}")


def test_a_bulk_resend_is_one_line(ours: World) -> None:
    tried(ours, "failed", attempts=1)
    tried(ours, "failed", attempts=1)

    bulk = frozen(ours, reason="The provider was down")

    entry = only(kind=AuditKind.BULK_RESEND)
    assert (entry.person_id, entry.reason) == (ours.editor.pk, "The provider was down")
    assert entry.sentence.startswith("Resent 2 messages together")
    assert entry.link == f"/messages/bulk/{bulk.pk}/"


def lines(world: World, number: int, kind: AuditKind = AuditKind.OTHER) -> None:
    for one in range(number):
        trail.record(
            kind,
            f"Did {kind} number {one} of {world.organization.name}.",
            organization_id=world.organization.pk,
            doer=trail.by_person(world.editor if one % 2 else world.admin),
        )


def test_the_page_shows_one_organization_alone(
    ours: World, theirs: World, admin: Client
) -> None:
    lines(ours, 1)
    lines(theirs, 1)

    shown = page(admin)

    assert "of Ours." in shown
    assert "Theirs" not in shown
    foreign = page(admin, who=f"person-{theirs.admin.pk}")
    assert "Theirs" not in foreign


def test_the_page_can_be_narrowed(ours: World, admin: Client) -> None:
    lines(ours, 2, AuditKind.WEBHOOK)
    lines(ours, 2, AuditKind.PERSON)

    assert "Did person" not in page(admin, kind="webhook")
    by_editor = page(admin, who=f"person-{ours.editor.pk}")
    assert "number 1 of" in by_editor
    assert "number 0 of" not in by_editor
    today = timezone.localdate()
    yesterday, tomorrow = today - timedelta(days=1), today + timedelta(days=1)
    assert "number 0 of" in page(admin, since=f"{yesterday}", until=f"{tomorrow}")
    assert "number 0 of" in page(admin, until="9999-12-31")
    assert "Nothing fits these filters" in page(admin, since=f"{tomorrow}")
    assert "Nothing fits these filters" in page(admin, until=f"{yesterday}")


def test_it_leads_to_all_that_was_done_to_one_thing(
    ours: World, theirs: World, admin: Client
) -> None:
    for world in (ours, theirs):
        for number in (7, 8):
            trail.record(
                AuditKind.BROADCAST,
                f"Changed {number} of {world.organization.name}.",
                organization_id=world.organization.pk,
                doer=trail.by_person(world.editor),
                link=f"/broadcasts/{number}/",
            )
    lines(ours, 1)

    assert f"{AUDIT}?about=%2Fbroadcasts%2F7%2F" in page(admin)
    shown = page(admin, about="/broadcasts/7/")
    assert "Changed 7 of Ours." in shown
    for hidden in ("Changed 8", "Theirs", "Did other"):
        assert hidden not in shown
    assert "Only what was done to" in shown
    for nothing in ("javascript:alert(1)", "/broadcasts/9/"):
        shown = page(admin, about=nothing)
        assert "Nothing fits these filters" in shown
        assert f'href="{nothing}"' not in shown


def test_operators_can_be_asked_for_once_they_did_something(
    ours: World, admin: Client
) -> None:
    operator, other = (User.objects.create_superuser(name) for name in ("op", "no"))
    trail.record(
        AuditKind.CREDITS,
        "Topped up.",
        organization_id=ours.organization.pk,
        doer=trail.by_person(operator),
    )
    lines(ours, 1)

    assert "Operator: op" in page(admin)
    assert "Operator: no" not in page(admin)
    shown = page(admin, who=f"person-{operator.pk}")
    assert "Topped up." in shown
    assert "Did other" not in shown
    assert f"person-{other.pk}" not in shown


def test_it_is_handed_out_as_csv(ours: World, theirs: World, admin: Client) -> None:
    lines(theirs, 1)
    lines(ours, 1, AuditKind.PERSON)
    trail.record(
        AuditKind.SETTINGS,
        "=Changed the time zone.",
        organization_id=ours.organization.pk,
        doer=trail.by_client(
            api_clients.create(organization=ours.organization, name="Shop")[0]
        ),
        reason="He moved",
        changes=[
            ("time zone", "UTC", "Africa/Accra"),
            ("token", "", trail.HIDDEN),
            ("paused because", "The token is not valid.", ""),
        ],
        link="/broadcasts/7/",
    )

    link = admin.get(AUDIT, {"kind": "settings"}).context["csv_url"]
    assert link == "/audit.csv?kind=settings"
    response = admin.get(link)
    text = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]

    header, row = csv.reader(text.splitlines())
    assert header == ["When", "Who", "Kind", "What", "Reason", "Changes", "Page"]
    assert row[1:] == [
        "API client Shop",
        "Settings",
        "'=Changed the time zone.",
        "He moved",
        "Time zone: UTC → Africa/Accra; Token: changed, and not shown;"
        " Paused because, until then: The token is not valid.",
        "/broadcasts/7/",
    ]


def test_there_are_pages(ours: World, admin: Client) -> None:
    lines(ours, 30)

    first = admin.get(AUDIT)

    assert len(first.context["page"].rows) == 25
    older = admin.get(AUDIT, {"older": first.context["page"].older})
    assert len(older.context["page"].rows) == 5


@pytest.mark.parametrize("role", ["agent", "editor"])
def test_it_is_for_admins(ours: World, role: str) -> None:
    client = Client()
    client.force_login(getattr(ours, role))

    assert client.get(AUDIT).status_code == 403


def test_an_empty_trail_says_what_will_stand_there(admin: Client) -> None:
    assert "Nothing has been done yet" in page(admin)
