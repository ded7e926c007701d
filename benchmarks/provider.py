"""A provider that costs next to nothing: ``python -m benchmarks.provider``.

It answers as WhatsApp's Cloud API does, after as many milliseconds as the address
says (``/<milliseconds>/<number>/messages``), and counts. Everybody who is measured
posts to the same one; what it does itself is nobody's figure.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import signal
from collections import Counter
from collections.abc import Iterator

HEAD_ENDS = b"\r\n\r\n"
LENGTH = b"content-length:"
REFERENCE = b'"biz_opaque_callback_data":"'
RECIPIENT = b'"to":"'


class Provider(asyncio.Protocol):
    """One connection. Requests on it are answered in order, one at a time."""

    def __init__(self, accepted: Counter[bytes], numbers: Iterator[int]) -> None:
        self.accepted = accepted
        self.numbers = numbers
        self.buffer = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (head_ends := self.buffer.find(HEAD_ENDS)) >= 0:
            head = self.buffer[:head_ends]
            ends = head_ends + len(HEAD_ENDS) + _length(head)
            if len(self.buffer) < ends:
                return
            body = self.buffer[head_ends + len(HEAD_ENDS) : ends]
            self.buffer = self.buffer[ends:]
            self.answer(head, body)

    def answer(self, head: bytes, body: bytes) -> None:
        method, path, _ = head.split(b" ", 2)
        if method == b"GET":
            counts = {
                "accepted": self.accepted.total(),
                "references": len(self.accepted),
            }
            self.write(200, json.dumps(counts).encode())
            return
        reference = _word(body, REFERENCE)
        self.accepted[reference] += 1
        number = _word(body, RECIPIENT)
        identifier = f"wamid.HBgM{next(self.numbers):032d}AA==".encode()
        answer = (
            b'{"messaging_product":"whatsapp","contacts":[{"input":"%b","wa_id":"%b"}],'
            b'"messages":[{"id":"%b"}]}' % (number, number, identifier)
        )
        delay = int(path.split(b"/", 2)[1])
        if delay:
            loop = asyncio.get_running_loop()
            loop.call_later(delay / 1000, self.write, 200, answer)
        else:
            self.write(200, answer)

    def write(self, status: int, body: bytes) -> None:
        assert self.transport is not None
        self.transport.write(
            b"HTTP/1.1 %d OK\r\nContent-Type: application/json; charset=UTF-8\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (status, len(body), body)
        )


def _length(head: bytes) -> int:
    head = head.lower()
    found = head.find(LENGTH)
    if found < 0:
        return 0
    return int(head[found + len(LENGTH) :].split(b"\r\n", 1)[0])


def _word(body: bytes, name: bytes) -> bytes:
    """Return a text value without reading the whole JSON; no client escapes it."""
    # Some clients write a space after the colon.
    found = body.find(name)
    if found < 0:
        name = name.replace(b":", b": ")
        found = body.find(name)
    if found < 0:
        return b""
    begins = found + len(name)
    return body[begins : body.index(b'"', begins)]


async def serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    accepted: Counter[bytes] = Counter()
    numbers = itertools.count(1)
    server = await loop.create_server(
        lambda: Provider(accepted, numbers), "127.0.0.1", port, backlog=1024
    )
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    async with server:
        await stop.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    asyncio.run(serve(parser.parse_args().port))
