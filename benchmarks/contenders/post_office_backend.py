"""Posts e-mails of django-post_office to a provider's HTTP interface.

As django-anymail does: a ``requests`` session that is kept for as long as the
backend is open.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import requests
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from benchmarks.contenders import wire


class ProviderBackend(BaseEmailBackend):
    session: requests.Session | None = None

    def open(self) -> bool:
        if self.session is not None:
            return False
        self.session = requests.Session()
        self.session.headers.update(wire.HEADERS)
        return True

    def close(self) -> None:
        if self.session is not None:
            self.session.close()
            self.session = None

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        self.open()
        assert self.session is not None
        url = wire.url(os.environ["PEER_PROVIDER_URL"])
        for message in email_messages:
            to = message.to[0].partition("@")[0]
            body = wire.body(to, str(message.body), f"post_office:{to}")
            answer = self.session.post(url, json=body, timeout=10)
            answer.raise_for_status()
        return len(email_messages)
