"""E-mail by SMTP, with Django's own mail classes.

Replies: RFC 5321 (codes) and RFC 3463 (enhanced codes). A message counts as
gone from the moment the dot that ends it is on its way; a failure before that
moment is certain, a silence after it is not.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import replace
from email.utils import make_msgid, parseaddr
from smtplib import SMTPException
from typing import Any, Final

from django.core.mail import DNS_NAME, EmailMultiAlternatives

from messaging.channels.configuration import missing, setting
from messaging.channels.contract import (
    Accepted,
    Account,
    Answer,
    Channel,
    Connection,
    ContentKind,
    Event,
    Field,
    HookRequest,
    Outbound,
    Rejected,
)
from messaging.channels.limits import Carrier, Limits
from messaging.channels.preview import parts
from messaging.channels.redaction import keepable
from messaging.channels.smtp_backend import KeptBackend
from messaging.channels.smtp_letter import markup, plain, subject
from messaging.channels.smtp_replies import failure, raw_reply

REFERENCE_HEADER: Final = "X-Resend-Admin-Reference"
BAD_ADDRESS: Final = "5.1.3"
"""RFC 3463: "bad destination mailbox address syntax"."""

ADDRESS: Final = re.compile(r"[^@\s<>,;:\"()\x00-\x1f]+@[^@\s<>,;:\"()\x00-\x1f]+")
"""One bare address; anything more could reach somebody else."""

CONNECTIONS: Final = 4
"""Connections to one server at the same time; many servers allow few."""


class Smtp:
    """One mail server. It takes letters, and says nothing afterwards."""

    kind = "smtp"
    name = "E-mail"
    channel = Channel.EMAIL
    content_kinds = frozenset(ContentKind) - {ContentKind.INTERACTIVE}
    default_rate = 10.0
    pair_seconds = 0.0
    timeout = 30.0
    concurrency = CONNECTIONS
    confirms_delivery = False
    limits = Limits(text=500_000, caption=100_000)
    fields: Sequence[Field] = (
        Field("host", "Server", "For example smtp.example.com."),
        Field("port", "Port", "Usually 587, or 465 with TLS.", default="587"),
        Field(
            "security",
            "Security",
            "starttls begins in the open and then encrypts; tls encrypts at once.",
            default="starttls",
            choices=("none", "starttls", "tls"),
        ),
        Field(
            "from_address",
            "From",
            "Whom the mail comes from, like Shop <hello@example.com>.",
        ),
        Field(
            "username",
            "User name",
            "Leave it empty if the server asks for none.",
            credential=True,
            required=False,
        ),
        Field("password", "Password", credential=True, secret=True, required=False),
    )

    def problems(self, account: Account) -> list[str]:
        found = missing(self.fields, account)
        port = setting(self.fields, account, "port")
        if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            found.append("Port must be a number from 1 to 65535.")
        sender = setting(self.fields, account, "from_address")
        if sender and "@" not in parseaddr(sender)[1]:
            found.append("From is not an e-mail address.")
        user, password = (
            account.credentials.get(name) or "" for name in ("username", "password")
        )
        if bool(user) != bool(password):
            found.append("Enter both the user name and the password, or neither.")
        return found

    def refusals(self, kind: str, payload: Mapping[str, Any]) -> list[str]:
        return Carrier(self.name, self.content_kinds, self.limits).refusals(
            kind, payload
        )

    def build(self, account: Account, outbound: Outbound) -> EmailMultiAlternatives:
        """Return the letter. Raise ``ValueError`` for what is no letter."""
        if outbound.kind == ContentKind.FLOW or outbound.kind not in self.content_kinds:
            message = f"E-mail cannot carry content of kind {outbound.kind}."
            raise ValueError(message)
        (part,) = parts(outbound.kind, outbound.payload, outbound.parameters)
        if not plain(part).strip():
            message = "There is nothing to write in the letter."
            raise ValueError(message)
        sender = setting(self.fields, account, "from_address")
        domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
        letter = EmailMultiAlternatives(
            subject=subject(part),
            body=plain(part),
            from_email=sender,
            to=[outbound.recipient],
            headers={
                "Message-ID": make_msgid(
                    f"{outbound.attempt_id}.{outbound.part}", domain
                ),
                REFERENCE_HEADER: outbound.reference,
            },
        )
        letter.attach_alternative(markup(part), "text/html")
        return letter

    def connect(self, account: Account) -> AbstractAsyncContextManager[Connection]:
        return self._connect(account)

    @asynccontextmanager
    async def _connect(self, account: Account) -> AsyncIterator[Connection]:
        connection = SmtpConnection(self, account)
        # Finding one's own name may take a slow reverse look-up. It is done
        # once per process, and not at the expense of the first letter.
        await asyncio.to_thread(DNS_NAME.get_fqdn)
        try:
            yield connection
        finally:
            await asyncio.to_thread(connection.close)

    def is_authentic(self, account: Account, request: HookRequest) -> bool:
        """Return ``False``: mail servers post nothing."""
        return False

    def handshake(self, account: Account, request: HookRequest) -> str | None:
        return None

    def events(self, account: Account, request: HookRequest) -> list[Event]:
        return []


class SmtpConnection:
    """A few kept connections to one mail server, each used by one thread."""

    def __init__(self, provider: Smtp, account: Account) -> None:
        self._provider = provider
        self._account = account
        self._slots = asyncio.Semaphore(CONNECTIONS)
        self._idle: list[KeptBackend] = []
        self._closed = False
        self._secrets = [
            account.credentials.get("password", ""),
            "\0{username}\0{password}".format_map(
                {"username": "", "password": "", **account.credentials}
            ),
        ]

    async def send(self, outbound: Outbound) -> Answer:
        """Hand over one letter. Never raises but for cancellation."""
        if not ADDRESS.fullmatch(outbound.recipient):
            return Rejected(BAD_ADDRESS, "This is not an e-mail address.")
        try:
            letter = self._provider.build(self._account, outbound)
            # Django finds forged headers and impossible addresses only here.
            letter.message()
        # A letter that cannot be written must not take its chunk with it.
        except Exception as problem:  # noqa: BLE001
            return Rejected("invalid_content", keepable(str(problem), self._secrets))
        async with self._slots:
            answer = await asyncio.to_thread(self._send, letter)
        answer = replace(answer, raw=keepable(answer.raw, self._secrets))
        if isinstance(answer, Accepted):
            return answer
        return replace(answer, detail=keepable(answer.detail, self._secrets))

    def close(self) -> None:
        """Hang up. What a thread still uses is closed by that thread."""
        self._closed = True
        while self._idle:
            self._hang_up(self._idle.pop())

    def _send(self, letter: EmailMultiAlternatives) -> Answer:
        """Send in this thread, on a kept connection if there is one."""
        deadline = time.monotonic() + self._provider.timeout
        try:
            backend = self._idle.pop()
        except IndexError:
            return self._try(self._new_backend(), letter, deadline)
        answer = self._try(backend, letter, deadline)
        if not backend.usable and not backend.left:
            # The server had hung up on a connection that lay idle: nothing has
            # left, so the letter may go over a new one.
            return self._try(self._new_backend(), letter, deadline)
        return answer

    def _try(
        self, backend: KeptBackend, letter: EmailMultiAlternatives, deadline: float
    ) -> Answer:
        """Send over one backend, and keep or close it by how that ended."""
        answer: Answer
        try:
            code, text = backend.deliver(letter, deadline)
        except Exception as problem:  # noqa: BLE001 - every one is an answer
            answer = failure(problem, left=backend.left)
        else:
            answer = Accepted(letter.extra_headers["Message-ID"], raw_reply(code, text))
        in_step = isinstance(answer, Accepted) or (
            isinstance(answer, Rejected) and answer.code != "connection_failed"
        )
        if in_step and backend.usable and not self._closed:
            self._idle.append(backend)
        else:
            self._hang_up(backend)
        return answer

    def _new_backend(self) -> KeptBackend:
        fields, account = self._provider.fields, self._account
        security = setting(fields, account, "security")
        return KeptBackend(
            host=setting(fields, account, "host"),
            port=int(setting(fields, account, "port")),
            username=account.credentials.get("username") or "",
            password=account.credentials.get("password") or "",
            use_tls=security == "starttls",
            use_ssl=security == "tls",
            timeout=self._provider.timeout,
        )

    @staticmethod
    def _hang_up(backend: KeptBackend) -> None:
        # A server that is gone needs no goodbye.
        with suppress(OSError, SMTPException):
            backend.close()
