"""What admins and operators do in Django admin: forms, verbs and actions."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils import timezone

from broadcasts.models import Broadcast, Flow
from messaging import api_clients
from messaging.models import (
    ApiClient,
    AutomaticRetry,
    Contact,
    Content,
    CreditAccount,
    Integration,
    Organization,
    Session,
    StoppedRetry,
    User,
)
from tests.broadcasts.factories import finished, published_flow
from tests.messaging.admin.rows import url
from tests.trail.account import elsewhere, with_second_step
from tests.trail.scene import Act, Scene, deed

PASSWORD = "staple 12 horses"


def changes(scene: Scene, row: Model, **changed: Any) -> Act:
    return scene.fills_in(url(type(row), "change", row.pk), **changed)


def adds(scene: Scene, model: type[Model], **typed: Any) -> Act:
    return scene.fills_in(url(model, "add"), **typed)


def acts(scene: Scene, action: str, *rows: Model) -> Act:
    """Tick rows in their list, and do something with all of them."""
    values = {"action": action, "_selected_action": [one.pk for one in rows]}
    address = url(type(rows[0]), "changelist")
    return lambda: scene.browser.post(address, values)


@deed("admin:messaging_organization_change")
def _(scene: Scene) -> Act:
    return changes(scene, scene.world.organization, resend_limit="3")


@deed("admin:messaging_organization_add")
def _(scene: Scene) -> Act:
    scene.browser.force_login(scene.operator)
    return adds(scene, Organization, name="New")


@deed("admin:messaging_integration_change")
def _(scene: Scene) -> Act:
    one = scene.world.integration(credentials={"access_token": "hush"})
    return changes(scene, one, own_access_token="hush-hush", state="paused")


@deed("admin:messaging_integration_add")
def _(scene: Scene) -> Act:
    return scene.fills_in(
        f"{url(Integration, 'add')}?kind=telegram_bot",
        name="Bot",
        own_bot_token="7:hush",
        own_secret_token="hush-hush",
    )


def client_of(scene: Scene) -> ApiClient:
    client, _ = api_clients.create(organization=scene.world.organization, name="Till")
    return client


@deed("admin:messaging_apiclient_change")
def _(scene: Scene) -> Act:
    return changes(scene, client_of(scene), access="write")


@deed("admin:messaging_apiclient_add")
def _(scene: Scene) -> Act:
    return adds(scene, ApiClient, name="Till", access="read")


@deed("admin:messaging_apiclient_rotate")
def _(scene: Scene) -> Act:
    return scene.posts(url(ApiClient, "rotate", client_of(scene).pk))


@deed("admin:messaging_apiclient_bearer")
def _(scene: Scene) -> Act:
    return scene.posts(url(ApiClient, "bearer", client_of(scene).pk))


@deed("admin:messaging_apiclient_bearer_remove")
def _(scene: Scene) -> Act:
    client = client_of(scene)
    api_clients.rotate_bearer(client)
    return scene.posts(url(ApiClient, "bearer_remove", client.pk))


@deed("admin:messaging_apiclient_revoke")
def _(scene: Scene) -> Act:
    return scene.posts(url(ApiClient, "revoke", client_of(scene).pk))


@deed("admin:messaging_user_change")
def _(scene: Scene) -> Act:
    return changes(scene, scene.world.agent, role="editor", email="hush@example.org")


@deed("admin:messaging_user_add")
def _(scene: Scene) -> Act:
    return adds(scene, User, username="new", password1=PASSWORD, password2=PASSWORD)


@deed("admin:auth_user_password_change")
def _(scene: Scene) -> Act:
    address = reverse("admin:auth_user_password_change", args=[scene.world.agent.pk])
    return scene.fills_in(address, password1=PASSWORD, password2=PASSWORD)


@deed("admin:messaging_user_end_sessions")
def _(scene: Scene) -> Act:
    elsewhere(scene.world.agent)
    return scene.posts(url(User, "end_sessions", scene.world.agent.pk))


@deed("admin:messaging_user_reset_second_step")
def _(scene: Scene) -> Act:
    with_second_step(scene)
    scene.browser.force_login(scene.operator)
    return scene.posts(url(User, "reset_second_step", scene.world.admin.pk))


@deed("admin:messaging_session_delete")
def _(scene: Scene) -> Act:
    return scene.posts(
        url(Session, "delete", elsewhere(scene.world.agent).pk), post="yes"
    )


@deed("admin:messaging_creditaccount_top_up")
def _(scene: Scene) -> Act:
    scene.browser.force_login(scene.operator)
    number = scene.world.organization.pk
    return scene.posts(url(CreditAccount, "top_up", number), amount="500", note="#7")


@deed("admin:messaging_automaticretry_add")
def _(scene: Scene) -> Act:
    return adds(scene, AutomaticRetry, channel="sms", is_on="on")


@deed("admin:messaging_automaticretry_change")
def _(scene: Scene) -> Act:
    one = AutomaticRetry.objects.create(
        organization=scene.world.organization, channel="sms", is_on=False
    )
    return changes(scene, one, is_on="on")


@deed("admin action: messaging.stoppedretry resume")
def _(scene: Scene) -> Act:
    some = [
        StoppedRetry.objects.create(
            organization=scene.world.organization,
            error_code=f"whatsapp:13100{number}",
            tried=20,
            delivered=0,
        )
        for number in range(2)
    ]
    return acts(scene, "resume", *some)


@deed("admin:messaging_contact_add")
def _(scene: Scene) -> Act:
    return adds(scene, Contact, external_id="hush", phone="+233241112223")


@deed("admin:messaging_contact_change")
def _(scene: Scene) -> Act:
    one = scene.world.contact(name="Hush", phone="+233241112224")
    return changes(scene, one, phone="+233241112223", country="GH")


@deed("admin:messaging_contact_delete")
def _(scene: Scene) -> Act:
    one = scene.world.contact(name="hush", phone="+233241112223")
    return scene.posts(url(Contact, "delete", one.pk), post="yes")


@deed("admin:messaging_content_add")
def _(scene: Scene) -> Act:
    return adds(scene, Content, kind="text", name="Hi", payload='{"text": "hush"}')


@deed("admin:messaging_content_change")
def _(scene: Scene) -> Act:
    return changes(scene, scene.world.text("hush"), archived="on")


@deed("admin action: messaging.content archive")
def _(scene: Scene) -> Act:
    return acts(scene, "archive", *(scene.world.text("hush") for _ in range(3)))


@deed("admin action: messaging.content put_back")
def _(scene: Scene) -> Act:
    some = [scene.world.text("hush") for _ in range(3)]
    Content.objects.update(archived_at=timezone.now())
    return acts(scene, "put_back", *some)


@deed("admin:broadcasts_flow_add")
def _(scene: Scene) -> Act:
    return adds(scene, Flow, name="Welcome")


@deed("admin:broadcasts_flow_change")
def _(scene: Scene) -> Act:
    return changes(scene, published_flow(scene.world), name="Another welcome")


@deed("admin action: broadcasts.flow publish")
def _(scene: Scene) -> Act:
    return acts(scene, "publish", published_flow(scene.world))


@deed("admin action: broadcasts.flow unpublish")
def _(scene: Scene) -> Act:
    return acts(scene, "unpublish", published_flow(scene.world))


@deed("admin action: broadcasts.broadcast retry_failed")
def _(scene: Scene) -> Act:
    source: Broadcast = finished(scene.world, "failed", "delivered")
    return acts(scene, "retry_failed", source)
