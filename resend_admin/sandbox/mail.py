"""SMTP: a mail server that refuses at RCPT, like most of them.

Replies follow RFC 5321 with the enhanced status codes of RFC 3463. There are no
receipts: accepted mail is delivered.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import logging
import secrets
import weakref
from email.message import EmailMessage, Message

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from resend_admin.sandbox.behaviour import Outcome
from resend_admin.sandbox.desk import Desk, Judgement, Submission, Verdict
from resend_admin.sandbox.log import digest_of
from resend_admin.sandbox.switches import Fault, Switches
from resend_admin.sandbox.words import Vocabulary, Words

CHANNEL = "email"
REFERENCE_HEADER = "X-Resend-Admin-Reference"

VOCABULARY = Vocabulary(
    channel=CHANNEL,
    refusals={
        Outcome.INVALID: [Words("550-5.1.1", 550, "5.1.1 User unknown")],
        Outcome.BLOCKED: [
            Words("550-5.7.1", 550, "5.7.1 Recipient refuses mail from this sender")
        ],
        Outcome.SERVER_ERROR: [
            Words("451-4.3.0", 451, "4.3.0 Temporary server error, try again later")
        ],
        Outcome.RATE_LIMIT: [
            Words("450-4.7.1", 450, "4.7.1 Too much mail, try again shortly")
        ],
        Outcome.HOLD_BACK: [
            Words("450-4.2.1", 450, "4.2.1 Recipient gets too much mail at the moment")
        ],
        Outcome.LOSE: [Words("452-4.2.2", 452, "4.2.2 Mailbox full")],
        Outcome.AUTH: [Words("535-5.7.8", 535, "5.7.8 Credentials invalid")],
    },
)


class Mail:
    """Makes one protocol object per connection, and ends them all."""

    def __init__(self, desk: Desk, switches: Switches) -> None:
        self._desk = desk
        self._switches = switches
        self._judgements: weakref.WeakKeyDictionary[Envelope, dict[str, Judgement]] = (
            weakref.WeakKeyDictionary()
        )
        self._refused: weakref.WeakSet[Session] = weakref.WeakSet()
        self._connections: weakref.WeakSet[SMTP] = weakref.WeakSet()
        self._server: asyncio.Server | None = None

    async def start(self, port: int) -> int:
        """Listen on 127.0.0.1 and return the port (0: any free one)."""
        # The library warns about its own plans at every log-in.
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connection, "127.0.0.1", port)
        address: tuple[str, int] = self._server.sockets[0].getsockname()
        return address[1]

    def _connection(self) -> SMTP:
        connection = SMTP(
            self,
            hostname="sandbox.localhost",
            ident="ready",
            enable_SMTPUTF8=True,
            authenticator=self._authenticate,
            auth_require_tls=False,
            loop=asyncio.get_running_loop(),
        )
        self._connections.add(connection)
        return connection

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            if isinstance(connection.transport, asyncio.Transport):
                connection.transport.abort()
        # One turn of the loop lets the connections notice.
        await asyncio.sleep(0)

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, way: str, data: object
    ) -> AuthResult:
        switch = self._switches.next(CHANNEL)
        if switch is not None and switch.fault is Fault.AUTH:
            self._switches.draw(CHANNEL)
            # A client offers its password in several ways; all are refused.
            self._refused.add(session)
        if session in self._refused:
            return AuthResult(success=False, handled=False)
        password = data.password if isinstance(data, LoginPassword) else b""
        # A password that calls itself revoked stands for one that broke.
        return AuthResult(success=b"revoked" not in password, handled=False)

    async def handle_RCPT(  # noqa: N802, the name is aiosmtpd's
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        submission = _submission(envelope, address)
        judgement = self._desk.judge(submission)
        if judgement.words is not None:
            verdict = self._desk.conclude(submission, judgement, _new_id)
            reply = f"{judgement.words.status} {judgement.words.message}"
            return await _disturbed(server, verdict, reply)
        self._judgements.setdefault(envelope, {})[address] = judgement
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(  # noqa: N802, the name is aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()
        message = email.message_from_bytes(raw, policy=email.policy.default)
        reference = str(message.get(REFERENCE_HEADER, ""))
        digest = _digest(message)
        verdicts = [
            self._desk.conclude(
                _submission(envelope, address, reference, digest), judgement, _new_id
            )
            for address, judgement in self._judgements.pop(envelope, {}).items()
        ]
        disturbed = [verdict for verdict in verdicts if verdict.fault is not None]
        verdict = (disturbed or verdicts)[0]
        reply = f"250 2.0.0 Ok: queued as {verdict.entry.provider_id}"
        return await _disturbed(server, verdict, reply)


async def _disturbed(server: SMTP, verdict: Verdict, reply: str) -> str:
    """Return the reply, unless a fault keeps it from leaving whole or in time."""
    match verdict.fault:
        case Fault.SLOW:
            await asyncio.sleep(verdict.seconds)
        case Fault.GARBAGE:
            return "\x7f{{{ upstream connect error"
        case Fault.HANG:
            # The lost connection cancels this, whichever side ends it.
            await asyncio.Event().wait()
        case Fault.CLOSE | Fault.CLOSE_MID_BODY if isinstance(
            server.transport, asyncio.Transport
        ):
            if verdict.fault is Fault.CLOSE_MID_BODY:
                # The first of two lines: half a line might pass for a whole one.
                server.transport.write(reply.replace(" ", "-", 1).encode() + b"\r\n")
            server.transport.close()
            await asyncio.Event().wait()
    return reply


def _submission(
    envelope: Envelope, address: str, reference: str = "", digest: str = ""
) -> Submission:
    return Submission(
        channel=CHANNEL,
        account=str(envelope.mail_from or ""),
        recipient=address.lower(),
        reference=reference,
        digest=digest,
    )


def _digest(message: EmailMessage) -> str:
    """Return the digest of what a person reads: no ids, dates or boundaries."""
    parts = [
        [part.get_content_type(), part.get_filename(), _payload(part)]
        for part in message.walk()
        if not part.is_multipart()
    ]
    return digest_of([str(message.get("Subject", "")), parts])


def _payload(part: Message) -> str:
    payload = part.get_payload(decode=True)
    return payload.hex() if isinstance(payload, bytes) else str(payload)


def _new_id() -> str:
    return secrets.token_hex(8).upper()
