"""Programs that call the API, in a test."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

from django.test import Client

from messaging import api_clients, resend
from messaging.dispatch import pace
from messaging.dispatch.claim import claim
from messaging.dispatch.settle import Result, settle
from messaging.models import ApiAccess, ApiClient, Integration, Message
from tests.factories import World

RESEND = "/v1/whatsapp/resend"
SEND = "/v1/whatsapp/send"
STATUS = "/v1/whatsapp/status"
COMMUNICATIONS = "/v2/communications/resend"


@dataclass
class Caller:
    """An API client that sends JSON with its key and secret."""

    client: ApiClient
    secret: str

    @property
    def basic(self) -> str:
        pair = f"{self.client.key}:{self.secret}"
        return f"Basic {b64encode(pair.encode()).decode()}"

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        sent = body if isinstance(body, str | bytes) else json.dumps(body)
        return self.post_raw(path, "" if body is None else sent, **headers)

    def post_raw(
        self,
        path: str,
        body: str | bytes,
        content_type: str = "application/json",
        **headers: str,
    ) -> Any:
        return Client().post(
            path,
            body,
            content_type=content_type,
            headers={"Authorization": self.basic, **named(headers)},
        )

    def get(self, path: str, **headers: str) -> Any:
        return Client().get(
            path, headers={"Authorization": self.basic, **named(headers)}
        )


def named(headers: dict[str, str]) -> dict[str, str]:
    """Return the headers under their names on the wire: hyphens, no underscores."""
    return {name.replace("_", "-"): value for name, value in headers.items()}


def caller(world: World, access: str = ApiAccess.WRITE, **values: Any) -> Caller:
    values.setdefault("name", f"Shop ({access})")
    client, secret = api_clients.create(
        organization=world.organization, access=access, **values
    )
    return Caller(client, secret)


def settled(
    integration: Integration,
    message: Message,
    state: str = "failed",
    code: str = "whatsapp:131000",
    error_class: str = "retry",
) -> Message:
    """Give a queued message an attempt that ended in this state."""
    if state not in {"failed", "unknown"}:
        code = error_class = ""
    pace.prepare(integration.pk)
    [claimed] = claim(integration, limit=1, message_id=message.pk).attempts
    result = Result(claimed.attempt_id, state, error_code=code, error_class=error_class)
    settle(integration, [result])
    return resend.fresh(message.pk)


def problem(response: Any, status: int) -> str:
    """Return the code of a refusal in the envelope of ``/v1``, after a look at it."""
    body = json.loads(response.content)
    assert response.status_code == status, body
    assert list(body) == ["success", "message", "code", "errors", "requestId"]
    assert body["success"] is False
    assert body["message"].endswith(".")
    assert body["requestId"].startswith("req_")
    assert body["requestId"] == response["X-Request-Id"]
    code: str = body["code"]
    return code
