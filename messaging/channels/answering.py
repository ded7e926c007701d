"""One connection, one request at a time: written, and its answer read."""

from __future__ import annotations

import asyncio
from typing import Final, NamedTuple

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

READ_LIMIT: Final = 262_144
"""Bytes of an answer that are read; no provider says more about one message."""
HEADERS_LIMIT: Final = 65_536
"""Bytes of headers; a server that sends more is none that we know."""
BODILESS: Final = frozenset({204, 304})


class Reply(NamedTuple):
    """An answer. The names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class BrokenError(Exception):
    """The request was written, and its answer did not come, or not whole.

    ``code`` is timeout, connection_lost or unreadable_answer; with a ``status`` the
    provider had begun to answer.
    """

    def __init__(self, code: str, detail: str, status: int | None = None) -> None:
        super().__init__(code, detail, status)
        self.code = code
        self.detail = detail
        self.status = status


class Exchange(asyncio.Protocol):
    """A connection, by llhttp's callbacks; it has at most one request under way."""

    most = READ_LIMIT

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[Reply] | None = None
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self._keeps = True
        self._begin()

    def _begin(self) -> None:
        self._parser = HttpResponseParser(self)
        self._status: int | None = None
        self._headers: dict[str, str] = {}
        self._headers_size = 0
        self._pieces: list[bytes] = []
        self._size = 0
        self._lasts_until_close = False

    @property
    def is_usable(self) -> bool:
        """Whether another request may be written to it."""
        return (
            self._keeps
            and self._waiter is None
            and self._transport is not None
            and not self._transport.is_closing()
        )

    async def post(self, request: bytes, deadline: float) -> Reply:
        """Write a request and wait for its answer, until the loop's clock says so.

        Raises:
            BrokenError: the answer did not come, or not whole.
        """
        assert self._transport is not None
        self._begin()
        waiter: asyncio.Future[Reply] = self._loop.create_future()
        self._waiter = waiter
        timer = self._loop.call_at(deadline, self._run_out)
        try:
            self._transport.write(request)
            return await waiter
        finally:
            timer.cancel()
            if self._waiter is not None:
                # Whoever waited was cancelled: what comes now is for nobody.
                self._waiter = None
                self.abort()

    def close(self) -> asyncio.Future[None]:
        """Close it; the future is done when it is."""
        self._keeps = False
        if self._transport is not None:
            self._transport.close()
        return self._closed

    def abort(self) -> None:
        """Close it at once."""
        self._keeps = False
        if self._transport is not None:
            self._transport.abort()

    def _run_out(self) -> None:
        self._fail("timeout", "No answer in time.")

    def _fail(self, code: str, detail: str) -> None:
        waiter, self._waiter = self._waiter, None
        self.abort()
        if waiter is not None and not waiter.done():
            waiter.set_exception(BrokenError(code, detail, self._status))

    def _finish(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            assert self._status is not None
            waiter.set_result(
                Reply(self._status, self._headers, b"".join(self._pieces))
            )

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._waiter is None:
            # Nobody asked: this connection is out of step.
            self.abort()
            return
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as problem:
            if self._waiter is not None:
                self._fail("unreadable_answer", _described(problem))
            else:
                self.abort()

    def connection_lost(self, problem: Exception | None) -> None:
        self._keeps = False
        if not self._closed.done():
            self._closed.set_result(None)
        if self._waiter is None:
            return
        if self._lasts_until_close and problem is None:
            self._finish()
        elif self._status is not None:
            self._fail("unreadable_answer", "The answer broke off.")
        else:
            said = "The server hung up without an answer."
            self._fail("connection_lost", _described(problem) if problem else said)

    # What the parser calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers_size += len(name) + len(value)
        if self._headers_size > HEADERS_LIMIT:
            message = "The headers never end."
            raise ValueError(message)
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:
            # Not the answer yet, such as 103 Early Hints.
            self._headers = {}
            return
        if self._waiter is None:
            # An answer that nobody asked for: the next one would be taken for ours.
            self._keeps = False
            return
        self._status = status
        self._keeps = self._keeps and self._parser.should_keep_alive()
        self._lasts_until_close = (
            status not in BODILESS
            and "content-length" not in self._headers
            and "transfer-encoding" not in self._headers
        )

    def on_body(self, piece: bytes) -> None:
        if self._waiter is None:
            return
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > READ_LIMIT:
            self._keeps = False
            self._finish()
            self.abort()

    def on_message_complete(self) -> None:
        if self._status is not None:
            self._finish()


def _described(problem: Exception) -> str:
    cause = problem.__context__ or problem
    return f"{type(cause).__name__}: {cause}".rstrip(": ")
