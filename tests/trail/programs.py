"""What programs do: the API, and every mutation of GraphQL."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta
from typing import Any

from django.utils import timezone

from broadcasts.models import Broadcast
from tests.broadcasts.factories import draft, finished, scheduled
from tests.factories import World
from tests.messaging.audio.clips import wav
from tests.messaging.retransmission.steps import PERSON
from tests.messaging.views.rows import tried
from tests.trail.scene import Act, Scene, deed


def at(**ahead: int) -> str:
    return (timezone.now() + timedelta(**ahead)).isoformat()


@deed("api:resend_by_body")
def _(scene: Scene) -> Act:
    message = tried(scene.world, "failed", integration=scene.reachable())
    body = {"messageId": message.public_id, "reason": "Asked by the shop"}
    return scene.calls("/v1/whatsapp/resend", body)


@deed("api:resend_by_path")
def _(scene: Scene) -> Act:
    message = tried(scene.world, "failed", integration=scene.reachable())
    return scene.calls(f"/v1/whatsapp/resend/{message.public_id}", {})


@deed("api:resend_communication")
def _(scene: Scene) -> Act:
    message = tried(scene.world, "failed", integration=scene.reachable())
    body = {"messageId": message.pk}
    return scene.calls("/v2/communications/resend", body)


@deed("api:request_retransmission")
def _(scene: Scene) -> Act:
    scene.reachable("device_gateway")
    return scene.calls("/messages/3EB0A1B2/retry", {"chat_jid": PERSON})


@deed("api:request_history")
def _(scene: Scene) -> Act:
    scene.reachable("device_gateway")
    return scene.calls("/messages/history/request", {"chat_jid": PERSON})


@deed("api:send_audio")
def _(scene: Scene) -> Act:
    scene.reachable("device_gateway")
    clip = b64encode(wav()).decode()
    return scene.calls("/send/audio", {"number": "5511999990001", "audio": clip})


def mutates(scene: Scene, text: str, **variables: Any) -> Act:
    return scene.calls("/graphql", {"query": text, "variables": variables})


def one_of(broadcast: Broadcast) -> dict[str, str]:
    return {"id": str(broadcast.pk)}


def route(world: World) -> dict[str, str]:
    return {
        "integrationId": str(world.integration().pk),
        "templateId": str(world.template("another").pk),
    }


@deed("graphql:createBroadcast")
def _(scene: Scene) -> Act:
    text = "mutation($input: BroadcastInput!) { createBroadcast(input: $input) { id } }"
    values = {
        "name": "Renewal",
        "kind": "TEMPLATE",
        "routes": [route(scene.world)],
        "runAt": at(hours=1),
    }
    return mutates(scene, text, input=values)


@deed("graphql:updateBroadcast")
def _(scene: Scene) -> Act:
    text = """mutation($id: ID!, $changes: BroadcastChanges!) {
      updateBroadcast(id: $id, changes: $changes) { id } }"""
    changes = {"name": "Renewal, soon"}
    return mutates(scene, text, **one_of(scheduled(scene.world)), changes=changes)


@deed("graphql:updateBroadcastRoutes")
def _(scene: Scene) -> Act:
    text = """mutation($id: ID!, $routes: [RouteInput!]!) {
      updateBroadcastRoutes(id: $id, routes: $routes, fallbacks: []) { id } }"""
    one = scheduled(scene.world)
    return mutates(scene, text, **one_of(one), routes=[route(scene.world)])


@deed("graphql:scheduleBroadcast")
def _(scene: Scene) -> Act:
    text = """mutation($id: ID!, $runAt: DateTime!) {
      scheduleBroadcast(id: $id, runAt: $runAt) { id } }"""
    return mutates(scene, text, **one_of(draft(scene.world)), runAt=at(hours=1))


@deed("graphql: a scheduled broadcast that is moved")
def _(scene: Scene) -> Act:
    text = """mutation($id: ID!, $runAt: DateTime!) {
      scheduleBroadcast(id: $id, runAt: $runAt) { id } }"""
    return mutates(scene, text, **one_of(scheduled(scene.world)), runAt=at(hours=1))


@deed("graphql:cancelBroadcast")
def _(scene: Scene) -> Act:
    text = "mutation($id: ID!) { cancelBroadcast(id: $id) { id } }"
    return mutates(scene, text, **one_of(scheduled(scene.world)))


@deed("graphql:cloneBroadcast")
def _(scene: Scene) -> Act:
    text = "mutation($id: ID!) { cloneBroadcast(id: $id) { id } }"
    return mutates(scene, text, **one_of(scheduled(scene.world)))


@deed("graphql:deleteDraft")
def _(scene: Scene) -> Act:
    text = "mutation($id: ID!) { deleteDraft(id: $id) }"
    return mutates(scene, text, **one_of(draft(scene.world)))


@deed("graphql:retryFailedContacts")
def _(scene: Scene) -> Act:
    text = "mutation($id: ID!) { retryFailedContacts(broadcastId: $id) { id } }"
    source = finished(scene.world, "failed", "delivered")
    return mutates(scene, text, **one_of(source))


@deed("graphql: a retry to contacts on a list")
def _(scene: Scene) -> Act:
    text = """mutation($id: ID!, $ids: [ID!]!) {
      retryFailedContacts(broadcastId: $id, contactIds: $ids) { id } }"""
    source = finished(scene.world, "failed", "delivered")
    ids = [str(scene.world.contact().pk)]
    return mutates(scene, text, **one_of(source), ids=ids)
