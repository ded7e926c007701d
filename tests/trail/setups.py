"""What people do to devices, members, integrations and webhooks."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from messaging.models import (
    WebhookDelivery,
    WebhookHealth,
)
from tests.messaging.retransmission.steps import unread_message
from tests.messaging.webhooks.steps import endpoint_of, tell
from tests.trail.pages import url
from tests.trail.scene import Act, Scene, deed

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
