"""What people do on pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from messaging import embed, resend, second_factor, sessions
from messaging.models import (
    Actor,
    FollowUp,
    Message,
    SecondFactor,
    Session,
    User,
    WebhookDelivery,
    WebhookHealth,
)
from messaging.resend import Asker, Wish
from tests.broadcasts.factories import draft, finished, scheduled
from tests.messaging.bulk.steps import frozen
from tests.messaging.retransmission.steps import unread_message
from tests.messaging.test_second_factor import code_of
from tests.messaging.views.rows import tried
from tests.messaging.webhooks.steps import endpoint_of, tell
from tests.trail.scene import Act, Scene, deed

PASSWORD = "correct horse battery"


def at(**ahead: int) -> str:
    return f"{timezone.now() + timedelta(**ahead):%Y-%m-%dT%H:%M}"


def url(name: str, *rows: Model) -> str:
    return reverse(name, args=[one.pk for one in rows])


# Broadcasts


@deed("broadcasts:broadcast-create")
def _(scene: Scene) -> Act:
    return scene.posts(
        "/broadcasts/new/",
        name="Opening hours",
        what="text",
        text="We open at 8.",
        route_1_integration=scene.world.integration().pk,
        time_zone="UTC",
        run_at=at(hours=3),
        action="schedule",
    )


@deed("a draft")
def _(scene: Scene) -> Act:
    return scene.posts(
        "/broadcasts/new/",
        name="Opening hours",
        what="text",
        text="We open at 8.",
        route_1_integration=scene.world.integration().pk,
        time_zone="UTC",
        action="draft",
    )


@deed("broadcasts:broadcast-edit")
def _(scene: Scene) -> Act:
    one = scheduled(scene.world)
    return scene.fills_in(url("broadcasts:broadcast-edit", one), name="Renewal, soon")


@deed("a draft that is edited and scheduled")
def _(scene: Scene) -> Act:
    address = url("broadcasts:broadcast-edit", draft(scene.world))
    return scene.fills_in(address, run_at=at(hours=3), action="schedule")


@deed("a retry that is moved")
def _(scene: Scene) -> Act:
    source = finished(scene.world, "failed", "delivered")
    scene.fills_in(url("broadcasts:broadcast-retry", source))()
    address = url("broadcasts:broadcast-edit", source.retries.get())
    return scene.fills_in(address, run_at=at(hours=5))


@deed("broadcasts:broadcast-routes")
def _(scene: Scene) -> Act:
    one = scheduled(scene.world)
    other = scene.world.integration(name="Second number")
    address = url("broadcasts:broadcast-routes", one)
    return scene.fills_in(address, route_1_integration=other.pk)


@deed("broadcasts:broadcast-schedule")
def _(scene: Scene) -> Act:
    address = url("broadcasts:broadcast-schedule", draft(scene.world))
    return scene.fills_in(address, run_at=at(hours=2))


@deed("broadcasts:broadcast-cancel")
def _(scene: Scene) -> Act:
    return scene.posts(url("broadcasts:broadcast-cancel", scheduled(scene.world)))


@deed("broadcasts:broadcast-clone")
def _(scene: Scene) -> Act:
    return scene.posts(url("broadcasts:broadcast-clone", scheduled(scene.world)))


@deed("broadcasts:broadcast-delete")
def _(scene: Scene) -> Act:
    return scene.posts(url("broadcasts:broadcast-delete", draft(scene.world)))


@deed("broadcasts:broadcast-retry")
def _(scene: Scene) -> Act:
    source = finished(scene.world, "failed", "failed", "delivered")
    return scene.fills_in(url("broadcasts:broadcast-retry", source))


# Messages


def later(scene: Scene, message: Message) -> Message:
    asker = Asker(Actor.AUTOMATIC, "")
    wish = Wish(at=timezone.now() + timedelta(hours=2))
    resend.resend(resend.fresh(message.pk), asker, wish)
    return message


@deed("messaging:message-resend")
def _(scene: Scene) -> Act:
    message = tried(scene.world, "failed", integration=scene.reachable())
    address = url("messaging:message-resend", message)
    return scene.fills_in(address, reason="She called us")


@deed("an unknown message that is sent again")
def _(scene: Scene) -> Act:
    message = tried(scene.world, "unknown", integration=scene.reachable())
    address = url("messaging:message-resend", message)
    return scene.fills_in(address, accepts_duplicate="on")


@deed("a template that opens the window")
def _(scene: Scene) -> Act:
    message = tried(
        scene.world,
        "failed",
        integration=scene.reachable(),
        error_code="whatsapp:131047",
        error_class="fix_first",
    )
    template = scene.world.template()
    address = url("messaging:message-resend", message)
    return scene.fills_in(address, template=template.pk)


@deed("messaging:message-move")
def _(scene: Scene) -> Act:
    message = later(scene, tried(scene.world, "failed"))
    return scene.fills_in(url("messaging:message-move", message), at=at(hours=5))


@deed("messaging:message-take-back")
def _(scene: Scene) -> Act:
    message = later(scene, tried(scene.world, "failed"))
    return scene.posts(url("messaging:message-take-back", message))


@deed("messaging:message-copy")
def _(scene: Scene) -> Act:
    message = tried(scene.world, "delivered", integration=scene.reachable())
    return scene.posts(url("messaging:message-copy", message))


@deed("messaging:message-count")
def _(scene: Scene) -> Act:
    message = tried(scene.world, "unknown")
    address = url("messaging:message-count", message)
    return scene.fills_in(address, reason="She told me")


@deed("messaging:message-follow-up-cancel")
def _(scene: Scene) -> Act:
    message = tried(scene.world, "failed")
    FollowUp.objects.create(
        organization=scene.world.organization,
        contact=message.contact,
        message=message,
        opener=tried(scene.world, "sent", contact=message.contact),
    )
    return scene.posts(url("messaging:message-follow-up-cancel", message))


@deed("messaging:embedded-resend")
def _(scene: Scene) -> Act:
    message = tried(scene.world, "failed", integration=scene.reachable())
    member = message.contact.external_id
    token = embed.make_token(
        scene.world.organization, member, access=embed.Access.WRITE, person="Ama"
    )
    address = reverse("messaging:embedded-resend", args=[member, message.pk])
    values: dict[str, Any] = {"token": token, "when": "now", "shown_attempts": 1}
    return lambda: Client().post(address, values)


@deed("messaging:bulk-create")
def _(scene: Scene) -> Act:
    some = [tried(scene.world, "failed") for _ in range(3)]
    ids = "&".join(f"ids={one.pk}" for one in some)
    return scene.fills_in(f"/messages/bulk/new/?{ids}", reason="It was down")


@deed("messaging:bulk-cancel")
def _(scene: Scene) -> Act:
    tried(scene.world, "failed")
    return scene.posts(url("messaging:bulk-cancel", frozen(scene.world)))


@deed("messaging:cause-resend")
def _(scene: Scene) -> Act:
    for _number in range(2):
        tried(scene.world, "failed")
    return scene.fills_in("/messages/causes/resend/?cause=whatsapp:131000")


# Devices, members, integrations


@deed("messaging:unreadable-ask")
def _(scene: Scene) -> Act:
    phone = scene.reachable("device_gateway")
    some = [unread_message(phone, f"A{number}") for number in range(3)]
    return lambda: scene.browser.post(
        "/unreadable/ask/", {"ids": [one.pk for one in some]}
    )


@deed("messaging:unreadable-ask-one")
def _(scene: Scene) -> Act:
    one = unread_message(scene.reachable("device_gateway"), "A")
    return scene.posts(url("messaging:unreadable-ask-one", one))


@deed("messaging:member-history")
def _(scene: Scene) -> Act:
    phone = scene.reachable("device_gateway")
    address = url("messaging:member-history", scene.world.contact())
    return scene.posts(address, device=str(phone.uid))


@deed("messaging:member-import")
def _(scene: Scene) -> Act:
    def act() -> Any:
        rows = b"external_id,name\nA1,Ama\nA2,Kofi\n"
        upload = SimpleUploadedFile("members.csv", rows)
        return scene.browser.post("/members/import/", {"file": upload, "country": ""})

    return act


@deed("messaging:integration-resume")
def _(scene: Scene) -> Act:
    one = scene.world.integration(state="paused", state_reason="Session expired")
    return scene.posts(url("messaging:integration-resume", one))


# Webhooks


@deed("messaging:webhook-create")
def _(scene: Scene) -> Act:
    return scene.posts(
        "/webhooks/new/",
        name="Shop",
        url="https://shop.example/hooks?key=hush",
        messages="message.failed",
    )


@deed("messaging:webhook-edit")
def _(scene: Scene) -> Act:
    endpoint, _ = endpoint_of(scene.world)
    return scene.posts(
        url("messaging:webhook-edit", endpoint),
        name="Another shop",
        url="https://other.example/hooks?key=hush",
        messages="message.failed",
    )


@deed("messaging:webhook-rotate")
def _(scene: Scene) -> Act:
    return scene.posts(url("messaging:webhook-rotate", endpoint_of(scene.world)[0]))


@deed("messaging:webhook-switch")
def _(scene: Scene) -> Act:
    address = url("messaging:webhook-switch", endpoint_of(scene.world)[0])
    return scene.posts(address, to="off")


@deed("messaging:webhook-delete")
def _(scene: Scene) -> Act:
    return scene.posts(url("messaging:webhook-delete", endpoint_of(scene.world)[0]))


@deed("messaging:webhook-test")
def _(scene: Scene) -> Act:
    return scene.posts(url("messaging:webhook-test", endpoint_of(scene.world)[0]))


def failed_delivery(scene: Scene) -> WebhookDelivery:
    endpoint, _ = endpoint_of(scene.world)
    WebhookHealth.objects.get_or_create(endpoint=endpoint)
    [delivery] = tell(scene.world)
    WebhookDelivery.objects.filter(pk=delivery.pk).update(
        state="failed", finished_at=timezone.now(), error="status"
    )
    return delivery


@deed("messaging:webhook-recover")
def _(scene: Scene) -> Act:
    endpoint = failed_delivery(scene).endpoint
    return scene.fills_in(url("messaging:webhook-recover", endpoint))


@deed("messaging:webhook-delivery-resend")
def _(scene: Scene) -> Act:
    one = failed_delivery(scene)
    return scene.posts(url("messaging:webhook-delivery-resend", one.endpoint, one))


# One's own account


def with_password(scene: Scene) -> None:
    scene.world.admin.set_password(PASSWORD)
    scene.world.admin.save()
    scene.browser.force_login(scene.world.admin)


def with_second_step(scene: Scene) -> str:
    """Turn on the second step; return a code that was not used yet."""
    person = scene.world.admin
    second_factor.begin(person)
    second_factor.confirm(person, code_of(person))
    SecondFactor.objects.update(last_step=-1)
    return code_of(person)


def elsewhere(person: User) -> Session:
    """Return a session of this person on another machine."""
    browser = Client()
    browser.force_login(person)
    key = browser.session.session_key
    assert key is not None
    return Session.objects.get(session_key=key)


@deed("messaging:account-password")
def _(scene: Scene) -> Act:
    with_password(scene)
    return scene.posts(
        "/account/password/",
        password=PASSWORD,
        new_password="staple 12 horses",
        repeated="staple 12 horses",
    )


@deed("messaging:account-second-factor")
def _(scene: Scene) -> Act:
    with_password(scene)
    second_factor.begin(scene.world.admin)
    code = code_of(scene.world.admin)
    return scene.posts("/account/second-step/", code=code, password=PASSWORD)


@deed("messaging:account-second-factor-off")
def _(scene: Scene) -> Act:
    return scene.posts("/account/second-step/off/", code=with_second_step(scene))


@deed("messaging:account-recovery-codes")
def _(scene: Scene) -> Act:
    return scene.posts("/account/second-step/codes/", code=with_second_step(scene))


@deed("messaging:account-session-end")
def _(scene: Scene) -> Act:
    return scene.posts(
        url("messaging:account-session-end", elsewhere(scene.world.admin))
    )


@deed("messaging:account-sessions-end")
def _(scene: Scene) -> Act:
    assert sessions.of(scene.world.admin)
    elsewhere(scene.world.admin)
    return scene.posts("/account/sessions/end/")
