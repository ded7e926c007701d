"""Where deeds are done: an organization, its admin, a program, pages to fill in."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import urlsplit

from django.db import connection
from django.test import Client

from messaging import api_clients
from messaging.dispatch import pace
from messaging.models import Integration, User
from resend_admin.sandbox.thread import Sandbox
from tests.factories import World
from tests.messaging.api.callers import Caller, caller

Act = Callable[[], Any]
Prepare = Callable[["Scene"], Act]
"""Makes the rows that a deed takes, and returns the deed itself."""

DEEDS: Final[dict[str, Prepare]] = {}
"""A deed for each way in which somebody can change something, by its name."""


def deed(*names: str) -> Callable[[Prepare], Prepare]:
    def register(prepare: Prepare) -> Prepare:
        for name in names:
            assert name not in DEEDS, name
            DEEDS[name] = prepare
        return prepare

    return register


@dataclass
class Scene:
    """What a deed may use. The admin may do everything that anybody may."""

    world: World
    sandbox: Sandbox
    browser: Client = field(init=False)
    operator: User = field(init=False)
    caller: Caller = field(init=False)
    bearer: str = field(init=False)

    def __post_init__(self) -> None:
        self.browser = Client()
        self.browser.force_login(self.world.admin)
        self.operator = User.objects.create_superuser("root")
        self.caller = caller(self.world)
        self.bearer = api_clients.rotate_bearer(self.caller.client)

    def reachable(self, kind: str = "whatsapp_cloud", **values: Any) -> Integration:
        """Return an integration whose provider answers."""
        settings = {"base_url": self.sandbox.base_url(kind)}
        made = self.world.integration(kind, settings=settings, **values)
        pace.prepare(made.pk)
        return made

    def posts(self, address: str, **values: Any) -> Act:
        return lambda: self.browser.post(address, values)

    def fills_in(self, address: str, **changed: Any) -> Act:
        """Return the deed of filling in the form of a page, and sending it off."""

        def act() -> Any:
            page = self.browser.get(address)
            assert page.status_code == 200, address
            where, values = form_of(page.content.decode(), address)
            return self.browser.post(where, {**values, **changed})

        return act

    def calls(self, path: str, body: Any) -> Act:
        """Return the deed of a program that calls with its bearer token."""
        return lambda: Client().post(
            path,
            json.dumps(body),
            content_type="application/json",
            headers={"Authorization": f"Bearer {self.bearer}"},
        )


class _Forms(HTMLParser):
    """Collects the forms of a page that are posted, as a browser would send them."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, Any]]] = []
        self._is_open = False
        self._select = self._area = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        own = dict(attrs)
        if tag == "form":
            self._is_open = own.get("method", "").lower() == "post"
            if self._is_open:
                self.forms.append((own.get("action") or "", {}))
        elif self._is_open:
            self._control(tag, own, self.forms[-1][1])

    def _control(self, tag: str, own: dict[str, Any], values: dict[str, Any]) -> None:
        name = own.get("name") or ""
        if tag == "input" and name:
            kind = own.get("type", "text")
            if kind in {"checkbox", "radio"} and "checked" not in own:
                return
            if kind not in {"submit", "button", "file"}:
                ticked = "on" if kind in {"checkbox", "radio"} else ""
                values[name] = own.get("value") or ticked
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            is_first = self._select not in values
            if is_first or "selected" in own:
                values[self._select] = own.get("value") or ""
        elif tag == "textarea":
            self._area = name
            values[name] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_open = False
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area and self._is_open:
            self.forms[-1][1][self._area] += data.lstrip("\r\n")


def form_of(markup: str, address: str) -> tuple[str, dict[str, Any]]:
    """Return where the form of this page leads, and what it holds so far."""
    parser = _Forms()
    parser.feed(markup)
    own = urlsplit(address).path
    for action, values in parser.forms:
        where = action or address
        if urlsplit(where).path == own:
            return where, values
    raise AssertionError(f"There is no form on {address}.")


UNTOLD: Final = {
    "messaging_auditentry",
    "messaging_signinpace",
    "messaging_apiclientpace",
    "messaging_keptanswer",
    "messaging_integrationpace",
    "messaging_pairpace",
}
"""What moves by itself while somebody looks: counts of requests, and paces."""


_HASH: Final = """
SELECT '{name}', md5(coalesce(string_agg(row, ',' ORDER BY row), ''))
FROM (
    SELECT (to_jsonb(t) - 'seen_at' - 'session_data' - 'expire_date' - 'last_used_at'
            - 'last_step')::text AS row
    FROM {name} t
) rows
"""
"""Without the columns that tell when something was used last."""


def everything() -> dict[str, str]:
    """Return a hash of each table of the project; equal ones hold the same rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r'"
            " AND relname ~ '^(messaging|broadcasts)_'"
        )
        tables = sorted({row[0] for row in cursor.fetchall()} - UNTOLD)
        cursor.execute(" UNION ALL ".join(_HASH.format(name=name) for name in tables))
        return dict(cursor.fetchall())
