"""The client that posts: what it reads, what it keeps, and what it is sure of."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import Awaitable, Callable

import pytest

from messaging.channels import answering, client, resolving
from messaging.channels.client import (
    BrokenError,
    Client,
    NotLeftError,
    Reply,
    target_of,
)
from tests.messaging.channels.stands import http, serving

OK = http("200 OK", b"yes")


class Stand:
    """Answers each request with the next of these, byte for byte."""

    def __init__(self, *answers: bytes, hangs_up: bool = False) -> None:
        self.answers = list(answers)
        self.hangs_up = hangs_up
        self.connections = 0
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []

    async def talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        while self.answers:
            head = await reader.readuntil(b"\r\n\r\n")
            size = int(head.lower().partition(b"content-length: ")[2].split()[0])
            self.heads.append(head)
            self.bodies.append(await reader.readexactly(size))
            writer.write(self.answers.pop(0))
            await writer.drain()
            if self.hangs_up:
                writer.close()
                return
        await reader.read()


def run(
    stand: Stand,
    scenario: Callable[[Client, str], Awaitable[object]],
    seconds: float = 5.0,
) -> object:
    async def whole() -> object:
        async with serving(stand.talk) as port:
            posting = Client(seconds=seconds, user_agent="Test")
            try:
                return await scenario(posting, f"http://127.0.0.1:{port}/there")
            finally:
                await posting.close()

    return asyncio.run(whole())


async def one(posting: Client, url: str) -> Reply:
    return await posting.request("POST", url, (("X-Kind", "test"),), "7:0", b"{}")


def test_the_request_is_written_as_it_should_be() -> None:
    stand = Stand(OK)
    assert run(stand, one) == Reply(200, {"content-length": "3"}, b"yes")
    [head], [body] = stand.heads, stand.bodies
    line, *headers = head.decode().strip().split("\r\n")
    assert line == "POST /there HTTP/1.1"
    assert {"X-Kind: test", "X-Request-Id: 7:0", "Content-Length: 2"} < set(headers)
    assert body == b"{}"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"1\r\ny\r\n2\r\nes\r\n0\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK,
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
        http("200 OK", gzip.compress(b"yes"), "Content-Encoding: gzip\r\n"),
    ],
    ids=["chunked", "early hints", "continue", "packed"],
)
def test_every_shape_of_an_answer_is_read(answer: bytes) -> None:
    stand = Stand(answer, OK)

    async def twice(posting: Client, url: str) -> list[Reply]:
        return [await one(posting, url), await one(posting, url)]

    replies = run(stand, twice)
    assert isinstance(replies, list)
    assert [(reply.status, reply.body) for reply in replies] == [(200, b"yes")] * 2
    assert stand.connections == 1, "the connection is kept"


def test_an_answer_without_a_length_lasts_until_the_server_hangs_up() -> None:
    stand = Stand(b"HTTP/1.1 200 OK\r\n\r\nyes", hangs_up=True)
    reply = run(stand, one)
    assert isinstance(reply, Reply)
    assert reply.body == b"yes"


def test_an_answer_that_nobody_asked_for_is_not_taken_for_the_next_one() -> None:
    stand = Stand(OK + http("200 OK", b"stale"), OK)

    async def twice(posting: Client, url: str) -> list[Reply]:
        return [await one(posting, url), await one(posting, url)]

    replies = run(stand, twice)
    assert isinstance(replies, list)
    assert [reply.body for reply in replies] == [b"yes", b"yes"]
    assert stand.connections == 2


def test_a_packed_bomb_is_cut() -> None:
    bomb = gzip.compress(b"x" * 50_000_000)
    assert len(bomb) < answering.READ_LIMIT
    reply = run(Stand(http("200 OK", bomb, "Content-Encoding: gzip\r\n")), one)
    assert isinstance(reply, Reply)
    assert len(reply.body) == answering.READ_LIMIT


def test_endless_headers_are_in_doubt() -> None:
    endless = b"HTTP/1.1 200 OK\r\n" + b"X-More: %b\r\n" % (b"x" * 500) * 200
    with pytest.raises(BrokenError) as caught:
        run(Stand(endless), one)
    assert caught.value.code == "unreadable_answer"


def test_no_answer_in_time_is_in_doubt_and_the_connection_is_not_used_again() -> None:
    stand = Stand(b"", OK)

    async def twice(posting: Client, url: str) -> Reply:
        with pytest.raises(BrokenError) as caught:
            await one(posting, url)
        assert (caught.value.code, caught.value.status) == ("timeout", None)
        return await one(posting, url)

    assert isinstance(run(stand, twice, seconds=0.3), Reply)
    assert stand.connections == 2


def test_who_is_cancelled_leaves_no_half_answer_to_the_next_one() -> None:
    stand = Stand(b"", OK)

    async def cancelled(posting: Client, url: str) -> Reply:
        task = asyncio.ensure_future(one(posting, url))
        while not stand.bodies:
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])
        return await one(posting, url)

    assert isinstance(run(stand, cancelled), Reply)
    assert stand.connections == 2


def test_a_connection_that_was_idle_for_long_is_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client, "IDLE_SECONDS", 0.0)
    stand = Stand(OK, OK)

    async def twice(posting: Client, url: str) -> None:
        await one(posting, url)
        await one(posting, url)

    run(stand, twice)
    assert stand.connections == 2


def test_no_more_connections_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_CONNECTIONS", 2)
    stand = Stand(*[OK] * 20)

    async def many(posting: Client, url: str) -> list[Reply]:
        return await asyncio.gather(*(one(posting, url) for _ in range(20)))

    replies = run(stand, many)
    assert isinstance(replies, list)
    assert {reply.body for reply in replies} == {b"yes"}
    assert stand.connections == 2


def test_many_who_ask_for_a_host_are_answered_by_one_look_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    async def look_up(origin: client.Origin) -> object:
        asked.append(origin)
        return await usual(origin)

    usual = resolving._look_up
    monkeypatch.setattr(resolving, "_look_up", look_up)

    async def many(posting: Client, url: str) -> None:
        await asyncio.gather(*(one(posting, url) for _ in range(10)))

    run(Stand(*[OK] * 10), many)
    assert len(asked) == 1


def test_who_cannot_prove_who_he_is_gets_nothing() -> None:
    """A server whose certificate nobody trusts, or that speaks no TLS at all."""
    stand = Stand(OK)

    async def secure(posting: Client, url: str) -> None:
        with pytest.raises(NotLeftError):
            await one(posting, url.replace("http://", "https://"))

    run(stand, secure)
    assert stand.bodies == []
    assert client._tls().verify_mode == ssl.CERT_REQUIRED
    assert client._tls().check_hostname


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://a.example/b c?d=e f", "/b%20c?d=e%20f"),
        ("http://a.example", "/"),
        ("http://a.example/x\r\nHost: b", "/xHost:%20b"),
        ("http://a.example/%2F", "/%2F"),
    ],
)
def test_a_path_cannot_break_out_of_its_line(url: str, path: str) -> None:
    assert target_of(url).path == path


def test_hosts_are_named_as_servers_expect() -> None:
    assert target_of("https://a.example/").named == "a.example"
    assert target_of("https://a.example:8443/").named == "a.example:8443"
    assert target_of("http://[::1]:80/").named == "[::1]:80"
    assert target_of("https://bücher.example/").named == "xn--bcher-kva.example"
    with pytest.raises(ValueError, match="user name"):
        target_of("https://a:b@c.example/")
