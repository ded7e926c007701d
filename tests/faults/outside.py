"""Whoever talks to the plant from outside: a visitor, a program, the storm."""

from __future__ import annotations

import base64
import http.client
import json
import secrets
from dataclasses import dataclass
from typing import Any

from resend_admin.local.ports import HOST

API_SECRET = "torture-secret"  # The clients of these runs, and of no other.


def get(port: int, path: str, seconds: float) -> tuple[int, str]:
    """Ask for a page as somebody who may have logged in; the database knows.

    Return status and page, 0 when nobody answers.
    """
    connection = http.client.HTTPConnection(HOST, port, timeout=seconds)
    try:
        connection.request("GET", path, headers={"Cookie": COOKIE})
        response = connection.getresponse()
        return response.status, response.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()


def tell_sandbox(port: int, fields: dict[str, Any]) -> tuple[int, str]:
    """Tell the sandbox how to behave; see ``/control/behave``."""
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request("POST", "/control/behave", json.dumps(fields))
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


@dataclass(frozen=True)
class Sender:
    """A program that sends single messages to one member."""

    port: int
    key: str
    phone: str

    def send(self, seconds: float = 30.0) -> tuple[int, str]:
        """Send one message; return status and body, 0 when nobody answers."""
        pair = base64.b64encode(f"{self.key}:{API_SECRET}".encode()).decode()
        body = {"to": self.phone, "type": "text", "text": {"body": "One of a kind"}}
        web = http.client.HTTPConnection(HOST, self.port, timeout=seconds)
        try:
            web.request(
                "POST",
                "/v1/whatsapp/send",
                json.dumps(body),
                {
                    "Authorization": f"Basic {pair}",
                    "Content-Type": "application/json",
                    "Idempotency-Key": secrets.token_hex(16),
                },
            )
            answer = web.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            web.close()


COOKIE = f"sessionid={'a' * 32}"
SOMEBODY = """
SELECT client.key, contact.phone
FROM messaging_apiclient AS client
JOIN messaging_contact AS contact USING (organization_id)
WHERE contact.phone NOT LIKE '%000_'
ORDER BY random()
LIMIT 1
"""
