"""Walking the pages of bulk resends: tick, look, confirm, read."""

from __future__ import annotations

import html
import re
from typing import Any, Final

from django.test import Client
from django.urls import reverse

from messaging.models import BulkResend, Integration, Message
from tests.factories import World
from tests.messaging.views.rows import tried
from tests.messaging.views.test_message_detail import words

LIST: Final = "/messages/"
NEW: Final = "/messages/bulk/new/"
IN_DIALOG: Final = {"HX-Request": "true", "HX-Target": "dialog"}


def several(
    world: World, integration: Integration, number: int = 3, **values: Any
) -> list[Message]:
    return [
        tried(world, "failed", integration=integration, **values) for _ in range(number)
    ]


def ticked(messages: list[Message]) -> str:
    return f"{NEW}?{'&'.join(f'ids={one.pk}' for one in messages)}"


def hidden(markup: str) -> dict[str, str]:
    """Return what the dialog hands back besides what a person enters."""
    found = re.findall(
        r'<input type="hidden" name="(shown_\w+)" value="([^"]*)"', markup
    )
    return {name: html.unescape(value) for name, value in found}


def confirm(client: Client, url: str, **entered: Any) -> Any:
    shown = client.get(url)
    assert shown.status_code == 200
    values = {**hidden(shown.content.decode()), "when": "now", **entered}
    return client.post(url, values)


def made(client: Client, url: str, **entered: Any) -> BulkResend:
    response = confirm(client, url, **entered)
    assert response.status_code == 302, words(response.content.decode())
    bulk = BulkResend.objects.latest("pk")
    assert response["Location"] == page_of(bulk)
    return bulk


def page_of(bulk: BulkResend, name: str = "detail") -> str:
    return reverse(f"messaging:bulk-{name}", args=[bulk.pk])


def page(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return words(response.content.decode())


def whole(link: str) -> str:
    return html.unescape(link).partition("#")[0]
