"""How tests ask ``/graphql``, and what they read in the answers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from messaging.models import User
from tests.messaging.api.callers import Caller

PATH = "/graphql"


@dataclass
class Asker:
    """A person in a browser, or a program with its credentials."""

    client: Client = field(default_factory=Client)
    headers: dict[str, str] = field(default_factory=dict)

    def send(self, query: str, variables: Any = None, **headers: str) -> Any:
        body = {"query": query, "variables": variables or {}}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(
            PATH,
            json.dumps(body),
            content_type="application/json",
            headers={**self.headers, **named},
        )

    def ask(self, query: str, **variables: Any) -> Any:
        """Return the data; that nothing is refused is part of the test."""
        answer = json.loads(self.send(query, variables).content)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def error(self, query: str, **variables: Any) -> dict[str, Any]:
        """Return the one error that the answer tells."""
        return only_error(self.send(query, variables))


def only_error(response: Any) -> dict[str, Any]:
    [error] = json.loads(response.content)["errors"]
    assert error["message"].endswith("."), error
    found: dict[str, Any] = error
    return found


def code_of(error: dict[str, Any]) -> str:
    code: str = error["extensions"]["code"]
    return code


def person(who: User) -> Asker:
    client = Client()
    client.force_login(who)
    return Asker(client)


def program(caller: Caller) -> Asker:
    return Asker(headers={"Authorization": caller.basic})
