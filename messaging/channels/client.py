"""A client that posts, and knows of every request whether it may have left.

Its only business is HTTP/1.1 requests with a body over connections that are kept.
What it asks of a failure decides whether a message may be sent again, so failures
come in two kinds that share nothing: :class:`NotLeftError` before the first byte was
written, and :class:`BrokenError` from then on. Answers are read by llhttp, strictly.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
import zlib
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import quote, urlsplit

from messaging.channels.answering import BrokenError, Exchange, Reply
from messaging.channels.resolving import Addresses, connect

MAX_CONNECTIONS: Final = 200
IDLE_SECONDS: Final = 4.0
"""How long an unused connection is kept. Common servers hang up after 5 s; a
request written into that moment would be in doubt for no good reason."""
CLOSING_SECONDS: Final = 1.0
"""How long servers may take for the last words of TLS."""
HEADS: Final = 256
"""Beginnings of requests that are remembered: all that one account posts to one
address with the same headers share theirs."""
PORTS: Final = {"http": 80, "https": 443}
TARGET: Final = "/%:@!$&'()*+,;=~-._"
"""Characters that stand in a path as they are."""

Headers = tuple[tuple[str, str], ...]

__all__ = ["BrokenError", "Client", "NotLeftError", "Reply"]


class NotLeftError(Exception):
    """It is certain that no byte of the request has left."""


class Origin(NamedTuple):
    """Where connections go."""

    host: str
    port: int
    is_secure: bool


@dataclass(frozen=True, slots=True)
class Target:
    """An address taken to pieces."""

    origin: Origin
    path: str
    named: str
    """The host as the ``Host`` header names it."""


@functools.lru_cache(maxsize=1_024)
def target_of(url: str) -> Target:
    """Take an address to pieces; raise ``ValueError`` if nobody can be there."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    if parts.scheme not in PORTS or not host or port == 0:
        message = f"{parts.scheme or 'This'} is no address of a provider."
        raise ValueError(message)
    if parts.username is not None:
        message = "The address carries a user name; credentials have fields."
        raise ValueError(message)
    host = _ascii(host)
    named = f"[{host}]" if ":" in host else host
    if port is not None:
        named += f":{port}"
    path = quote(parts.path or "/", safe=TARGET)
    if parts.query:
        path += "?" + quote(parts.query, safe=TARGET + "?")
    is_secure = parts.scheme == "https"
    return Target(Origin(host, port or PORTS[parts.scheme], is_secure), path, named)


def _ascii(host: str) -> str:
    return host if host.isascii() else host.encode("idna").decode()


@functools.cache
def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


class Client:
    """Connections to whatever addresses one account posts to; for one event loop.

    ``seconds`` is the time for a whole request. Connecting gets half of it, so that
    running out of all of it means that the request was on its way.
    """

    def __init__(self, *, seconds: float, user_agent: str) -> None:
        self._seconds = seconds
        self._user_agent = user_agent
        self._loop = asyncio.get_running_loop()
        self._addresses = Addresses()
        self._idle: dict[Origin, deque[tuple[float, Exchange]]] = {}
        self._heads: OrderedDict[tuple[str, str, Headers], bytes] = OrderedDict()
        self._room = asyncio.Semaphore(MAX_CONNECTIONS)
        self._open: set[Exchange] = set()
        self._sweeping: asyncio.TimerHandle | None = None
        self.is_closed = False

    async def request(
        self, method: str, url: str, headers: Headers, reference: str, body: bytes
    ) -> Reply:
        """Write a request; return the whole answer, or as much as is read of any.

        Raises:
            NotLeftError: nothing was written, for want of an address or a connection.
            BrokenError: it was written, and no whole answer came.
        """
        begun = self._loop.time()
        head = self._heads.get((method, url, headers))
        try:
            target = target_of(url)
            head = head or self._head(method, url, target, headers)
            request = b"%bX-Request-Id: %b\r\nContent-Length: %d\r\n\r\n%b" % (
                head,
                reference.encode("ascii"),
                len(body),
                body,
            )
        except (ValueError, UnicodeError) as problem:
            raise NotLeftError(f"{type(problem).__name__}: {problem}") from problem
        exchange = await self._connection(target.origin, begun + self._seconds / 2)
        try:
            reply = await exchange.post(request, begun + self._seconds)
        finally:
            self._give_back(target.origin, exchange)
        return _unpacked(reply)

    def _head(self, method: str, url: str, target: Target, headers: Headers) -> bytes:
        """Return all of a request that does not change from message to message."""
        lines = [
            f"{method} {target.path} HTTP/1.1",
            f"Host: {target.named}",
            "Accept: */*",
            "Accept-Encoding: identity",
            f"User-Agent: {self._user_agent}",
            *(f"{name}: {value}" for name, value in headers),
        ]
        if any(mark in line for line in lines for mark in "\r\n\0"):
            message = "A header contains a control character."
            raise ValueError(message)
        head = "".join(f"{line}\r\n" for line in lines).encode("latin-1")
        self._heads[method, url, headers] = head
        if len(self._heads) > HEADS:
            self._heads.popitem(last=False)
        return head

    async def _connection(self, origin: Origin, deadline: float) -> Exchange:
        """Return a connection that is free, or a new one."""
        if self.is_closed:
            raise NotLeftError("The session is closed.")
        await self._room_before(deadline)
        if idle := self._idling(origin):
            return idle
        try:
            async with asyncio.timeout_at(deadline):
                exchange = await connect(
                    self._addresses, origin, _tls() if origin.is_secure else None
                )
        except TimeoutError:
            self._room.release()
            raise NotLeftError("Nobody answered in time.") from None
        # Refused, unresolvable, no TLS; or a name that no resolver takes.
        except (OSError, ValueError, OverflowError) as problem:
            self._room.release()
            raise NotLeftError(f"{type(problem).__name__}: {problem}") from problem
        except BaseException:
            self._room.release()
            raise
        self._open.add(exchange)
        return exchange

    async def _room_before(self, deadline: float) -> None:
        """Wait until one connection more may be used."""
        if not self._room.locked():
            await self._room.acquire()
            return
        try:
            async with asyncio.timeout_at(deadline):
                await self._room.acquire()
        except TimeoutError:
            raise NotLeftError("No connection became free in time.") from None

    def _idling(self, origin: Origin) -> Exchange | None:
        idle = self._idle.get(origin)
        oldest = self._loop.time() - IDLE_SECONDS
        while idle:
            since, exchange = idle.pop()
            if exchange.is_usable and since > oldest:
                return exchange
            self._drop(exchange)
        return None

    def _give_back(self, origin: Origin, exchange: Exchange) -> None:
        self._room.release()
        if self.is_closed or not exchange.is_usable:
            self._drop(exchange)
            return
        self._idle.setdefault(origin, deque()).append((self._loop.time(), exchange))
        if self._sweeping is None:
            self._sweeping = self._loop.call_later(IDLE_SECONDS, self._sweep)

    def _sweep(self) -> None:
        """Close what nobody has used for so long; those used longest ago come first."""
        self._sweeping = None
        oldest = self._loop.time() - IDLE_SECONDS
        for idle in self._idle.values():
            while idle and idle[0][0] <= oldest:
                self._drop(idle.popleft()[1])
        if any(self._idle.values()):
            self._sweeping = self._loop.call_later(IDLE_SECONDS, self._sweep)

    def _drop(self, exchange: Exchange) -> None:
        exchange.close()
        self._open.discard(exchange)

    async def close(self) -> None:
        """Close every connection, and wait until they are."""
        self.is_closed = True
        if self._sweeping is not None:
            self._sweeping.cancel()
        closing = [exchange.close() for exchange in self._open]
        self._addresses.forget()
        if closing:
            await asyncio.wait(closing, timeout=CLOSING_SECONDS)
        for exchange in self._open:
            exchange.abort()


def _unpacked(reply: Reply) -> Reply:
    """Unpack an answer that a server packed although it was asked not to."""
    packing = reply.headers.get("content-encoding", "").strip().lower()
    if packing not in {"gzip", "x-gzip", "deflate"}:
        return reply
    try:
        body = zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(
            reply.body, Exchange.most
        )
    except zlib.error as problem:
        raise BrokenError("unreadable_answer", str(problem), reply.status) from problem
    return Reply(reply.status, reply.headers, body)
