"""Small real servers that stand in for the providers and can be told to fail."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
)
from dataclasses import dataclass
from email import message_from_bytes
from enum import Enum, auto
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from messaging.channels.contract import Account
from tests.messaging.channels.samples import account


class Behaviour(Enum):
    """What a stand does with the messages it gets."""

    ACCEPT = auto()
    REFUSE = auto()
    """Refuse, and repeat the whole request in the answer."""
    REFUSE_AUTH = auto()
    RATE_LIMIT = auto()
    FAULT = auto()
    GARBAGE = auto()
    BREAK_OFF = auto()
    """Close in the middle of an answer that says yes."""
    HANG_UP = auto()
    """Read the message and close without an answer."""
    SILENCE = auto()


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(talk: Talk) -> AsyncIterator[int]:
    """Hold every conversation with ``talk``, yield the port, leave nothing open."""
    conversations: set[asyncio.Task[None]] = set()

    async def converse(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        conversations.add(task)
        try:
            await talk(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(converse, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in conversations:
            task.cancel()
        await asyncio.gather(*conversations)
        await asyncio.sleep(0)


class Stand(ABC):
    """A server on 127.0.0.1 with a port of its own."""

    kind: str

    def __init__(self) -> None:
        self.behaviour = Behaviour.ACCEPT
        self.references: list[str] = []
        """The marks of the messages that arrived, whatever became of them."""
        self.connections = 0
        self.port = 0
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self.port = await self._stack.enter_async_context(self._serving())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @abstractmethod
    def _serving(self) -> AbstractAsyncContextManager[int]:
        """Serve until the end of the context; its value is the port."""

    @abstractmethod
    def account(self) -> Account: ...


@dataclass(frozen=True)
class Request:
    """What an HTTP stand read."""

    line: str
    headers: dict[str, str]
    body: bytes
    head: bytes


class HttpStand(Stand):
    """Speaks HTTP by hand, so that it can break it anywhere."""

    accepted: bytes
    accepted_status = "200 OK"
    path = ""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Request] = []
        self.raw_answer: bytes | None = None
        """Sent instead of everything else, when set."""

    def account(self) -> Account:
        return account(self.kind, {"base_url": f"http://127.0.0.1:{self.port}"})

    def _serving(self) -> AbstractAsyncContextManager[int]:
        return serving(self._talk)

    async def _talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        while await self._answer(await self._request(reader), writer):
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def _request(self, reader: asyncio.StreamReader) -> Request:
        head = await reader.readuntil(b"\r\n\r\n")
        line, *rows = head.decode().strip().split("\r\n")
        pairs = (row.partition(": ") for row in rows)
        headers = {name.lower(): value for name, _, value in pairs}
        body = await reader.readexactly(int(headers["content-length"]))
        request = Request(line, headers, body, head)
        self.requests.append(request)
        self.references.append(headers.get("x-request-id", ""))
        return request

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        """Answer, and return whether the connection stays open."""
        if self.raw_answer is not None:
            writer.write(self.raw_answer)
            await writer.drain()
            return False
        match self.behaviour:
            case Behaviour.ACCEPT:
                writer.write(http(self.accepted_status, self.accepted))
            case Behaviour.REFUSE:
                echo = (request.head + request.body).decode()
                writer.write(http("400 Bad Request", self.refusal(echo)))
            case Behaviour.REFUSE_AUTH:
                writer.write(http("401 Unauthorized", self.auth_refusal()))
            case Behaviour.RATE_LIMIT:
                writer.write(http("429 Too Many Requests", self.rate_limit()))
            case Behaviour.FAULT:
                writer.write(http("503 Service Unavailable", b"<h1>Sorry</h1>"))
            case Behaviour.GARBAGE:
                writer.write(http("200 OK", b"\x00<html>\xff"))
            case Behaviour.BREAK_OFF:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")
                await writer.drain()
                return False
            case Behaviour.HANG_UP:
                return False
            case Behaviour.SILENCE:
                await asyncio.sleep(60)
        return True

    @abstractmethod
    def refusal(self, echo: str) -> bytes: ...

    @abstractmethod
    def auth_refusal(self) -> bytes: ...

    @abstractmethod
    def rate_limit(self) -> bytes: ...


def http(status: str, body: bytes, headers: str = "") -> bytes:
    """Return an HTTP answer."""
    return (
        f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode()
        + body
    )


class WhatsAppStand(HttpStand):
    kind = "whatsapp_cloud"
    accepted = json.dumps(
        {
            "messaging_product": "whatsapp",
            "contacts": [{"input": "233241234567", "wa_id": "233241234567"}],
            "messages": [{"id": "wamid.HBgM", "message_status": "accepted"}],
        }
    ).encode()

    def refusal(self, echo: str) -> bytes:
        return self._error(131047, "Re-engagement message", echo)

    def auth_refusal(self) -> bytes:
        return self._error(190, "Error validating access token", "")

    def rate_limit(self) -> bytes:
        return self._error(130429, "Rate limit hit", "")

    @staticmethod
    def _error(code: int, message: str, details: str) -> bytes:
        error = {
            "message": f"(#{code}) {message}",
            "type": "OAuthException",
            "code": code,
            "error_data": {"messaging_product": "whatsapp", "details": details},
            "fbtrace_id": "Az8or2yhqkZfEZ-_4Qn_Bam",
        }
        return json.dumps({"error": error}).encode()


class GatewayStand(HttpStand):
    kind = "device_gateway"
    accepted = json.dumps(
        {
            "success": True,
            "message_id": "3EB0A1B2C3D4E5F60718",
            "timestamp": "2026-06-15T14:30:00Z",
            "status": "sent",
            "chat_jid": "233241234567@s.whatsapp.net",
        }
    ).encode()

    def refusal(self, echo: str) -> bytes:
        return self._error("DEVICE_NOT_READY", f"WhatsApp is not connected {echo}")

    def auth_refusal(self) -> bytes:
        return b'{"success":false,"error":"unauthorized"}'

    def rate_limit(self) -> bytes:
        return self._error("TOO_MANY_REQUESTS", "Slow down")

    @staticmethod
    def _error(code: str, message: str) -> bytes:
        return json.dumps(
            {
                "success": False,
                "error": message,
                "error_code": code,
                "timestamp": "2026-06-15T12:00:00Z",
            }
        ).encode()


class TelegramStand(HttpStand):
    kind = "telegram_bot"
    accepted = b'{"ok":true,"result":{"message_id":365,"date":1700000000}}'

    def refusal(self, echo: str) -> bytes:
        return self._error(400, f"Bad Request: chat not found {echo}")

    def auth_refusal(self) -> bytes:
        return self._error(401, "Unauthorized")

    def rate_limit(self) -> bytes:
        return self._error(
            429, "Too Many Requests: retry after 17", parameters={"retry_after": 17}
        )

    @staticmethod
    def _error(code: int, description: str, **more: Any) -> bytes:
        return json.dumps(
            {"ok": False, "error_code": code, "description": description, **more}
        ).encode()


class TwilioStand(HttpStand):
    kind = "twilio"
    accepted = b'{"sid":"SM0123","status":"queued","error_code":null}'
    accepted_status = "201 Created"

    def refusal(self, echo: str) -> bytes:
        return self._error(21610, f"Attempt to send to unsubscribed recipient {echo}")

    def auth_refusal(self) -> bytes:
        return self._error(20003, "Authenticate")

    def rate_limit(self) -> bytes:
        return self._error(20429, "Too Many Requests")

    @staticmethod
    def _error(code: int, message: str) -> bytes:
        return json.dumps({"code": code, "message": message, "status": 400}).encode()


class MailStand(Stand):
    """An SMTP server by aiosmtpd."""

    kind = "smtp"

    def __init__(self) -> None:
        super().__init__()
        self.letters: list[bytes] = []
        self.open: set[asyncio.BaseTransport] = set()

    def account(self) -> Account:
        return account(self.kind, {"port": self.port})

    @asynccontextmanager
    async def _serving(self) -> AsyncIterator[int]:
        server = await asyncio.get_running_loop().create_server(
            self._session, "127.0.0.1", 0
        )
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            await self.hang_up()

    async def hang_up(self) -> None:
        """Close every connection."""
        for transport in list(self.open):
            assert isinstance(transport, asyncio.Transport)
            transport.abort()
        while self.open:
            await asyncio.sleep(0)

    def _session(self) -> SMTP:
        self.connections += 1
        return _Session(
            self,
            authenticator=self._authenticate,
            auth_require_tls=False,
            hostname="stand.example.com",
        )

    def _authenticate(self, *_: object) -> AuthResult:
        return AuthResult(
            success=self.behaviour != Behaviour.REFUSE_AUTH, handled=False
        )

    async def handle_RCPT(  # noqa: N802 - named by aiosmtpd
        self, server: SMTP, _s: Session, envelope: Envelope, to: str, _o: list[str]
    ) -> str:
        if self.behaviour == Behaviour.REFUSE:
            return "550 5.1.1 No such user, mail-password-42"
        if self.behaviour == Behaviour.RATE_LIMIT:
            return "450 4.7.1 Too many messages, slow down"
        envelope.rcpt_tos.append(to)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - named by aiosmtpd
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        self.letters.append(content)
        letter = message_from_bytes(content)
        self.references.append(letter["X-Resend-Admin-Reference"])
        transport = server.transport
        assert isinstance(transport, asyncio.Transport)
        match self.behaviour:
            case Behaviour.FAULT:
                return "451 4.3.0 Local error in processing"
            case Behaviour.GARBAGE:
                return "?? what"
            case Behaviour.BREAK_OFF:
                transport.write(b"25")
                transport.close()
            case Behaviour.HANG_UP:
                transport.abort()
            case Behaviour.SILENCE:
                await asyncio.sleep(60)
        return "250 2.0.0 OK: queued as 4F1C"


class _Session(SMTP):
    """Tells the stand about its connection, so that the stand can close it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.event_handler.open.add(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.event_handler.open.discard(self.transport)
        super().connection_lost(error)


STANDS: dict[str, type[Stand]] = {
    stand.kind: stand
    for stand in (WhatsAppStand, GatewayStand, TelegramStand, TwilioStand, MailStand)
}
