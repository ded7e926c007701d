"""Addresses, and what an answer says, for the tests of the pages."""

from __future__ import annotations

import html
import re
from typing import Any

from django.urls import reverse

from broadcasts.models import Broadcast
from tests.messaging.views.test_message_detail import words


def url_of(name: str, broadcast: Broadcast) -> str:
    return reverse(f"broadcasts:broadcast-{name}", args=[broadcast.pk])


def text_of(response: Any) -> str:
    """Return the words of a page, as a person reads them, without the tags."""
    body = response.content.decode()
    body = re.sub(r"<(script|style|svg).*?</\1>", " ", body, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def html_of(response: Any) -> str:
    body: str = response.content.decode()
    return body


def hidden(response: Any, name: str) -> str:
    """Return the value of a hidden field."""
    found = re.search(
        rf'<input type="hidden" name="{name}" value="([^"]*)"', html_of(response)
    )
    return html.unescape(found[1]) if found else ""


def need(page: Any, key: str) -> str:
    """Return the line of one need, as a person reads it."""
    markup = html_of(page).split('<ul class="needs"')[1].split("</ul>")[0]
    lines = [one for one in markup.split("<li ") if f'-{key}"' in one]
    assert len(lines) == 1, markup
    return words(lines[0].partition(">")[2])
