"""What people do to broadcasts and messages, on their pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from messaging import embed, resend
from messaging.models import (
    Actor,
    FollowUp,
    Message,
)
from messaging.resend import Asker, Wish
from tests.broadcasts.factories import draft, finished, scheduled
from tests.messaging.bulk.steps import frozen
from tests.messaging.views.rows import tried
from tests.trail.scene import Act, Scene, deed


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
