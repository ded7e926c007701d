"""Django's SMTP backend, taught to say how far a letter got."""

from __future__ import annotations

import smtplib
import time
from functools import partial
from typing import Any, cast

from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.smtp import EmailBackend


class Client(smtplib.SMTP):
    """An SMTP client with one deadline for the whole conversation.

    A socket timeout alone would begin anew with every command.
    """

    def __init__(self, *args: Any, deadline: float, **options: Any) -> None:
        self.deadline = deadline
        self.left = False
        """Whether a whole letter, with its final dot, was written."""
        self.reply: tuple[int, bytes] = (0, b"")
        """The server's answer to the last letter."""
        super().__init__(*args, **options)

    def send(self, s: Any) -> None:
        self._keep_deadline()
        super().send(s)
        # Commands are text; only a letter is bytes, and its dot is in them.
        if not isinstance(s, str):
            self.left = True

    def getreply(self) -> tuple[int, bytes]:
        self._keep_deadline()
        return super().getreply()

    def data(self, msg: Any) -> tuple[int, bytes]:
        self.reply = super().data(msg)
        return self.reply

    def login(
        self, user: str, password: str, *, initial_response_ok: bool = True
    ) -> tuple[int, bytes]:
        try:
            return super().login(
                user, password, initial_response_ok=initial_response_ok
            )
        except (smtplib.SMTPResponseException, smtplib.SMTPServerDisconnected):
            raise
        except smtplib.SMTPException as problem:
            # The server offers no log-in, or none that smtplib can do.
            raise smtplib.SMTPAuthenticationError(535, str(problem)) from problem

    def _keep_deadline(self) -> None:
        if self.sock is not None:
            self.sock.settimeout(max(0.001, self.deadline - time.monotonic()))


class SecureClient(Client, smtplib.SMTP_SSL):
    """The same, encrypted from the first byte."""


class KeptBackend(EmailBackend):
    """A backend whose connection outlives a letter, for one thread at a time."""

    left = False
    """Whether the last letter, with its final dot, was written."""

    deadline = 0.0

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        client = SecureClient if self.use_ssl else Client
        return cast("type[smtplib.SMTP]", partial(client, deadline=self.deadline))

    @property
    def usable(self) -> bool:
        """Whether the connection can carry another letter."""
        client = self.connection
        return client is not None and client.sock is not None

    def deliver(
        self, letter: EmailMultiAlternatives, deadline: float
    ) -> tuple[int, bytes]:
        """Hand over one letter and return the server's answer to it.

        Opens the connection if need be, and leaves it open. Raises what
        smtplib and sockets raise; ``left`` then says how far the letter got.
        """
        self.left = False
        self.deadline = deadline
        self.timeout = max(0.001, deadline - time.monotonic())
        self.open()
        client = cast("Client", self.connection)
        client.deadline, client.left = deadline, False
        try:
            self.send_messages([letter])
        finally:
            self.left = client.left
        return client.reply
