"""Encrypted mail servers, and one that does not hurry."""

from __future__ import annotations

import asyncio
import time

from messaging.channels.contract import Answer, Rejected
from messaging.channels.smtp import Smtp
from tests.messaging.channels.samples import SECRETS, account, outbound
from tests.messaging.channels.stands import serving

NOBODY = {"username": "", "password": ""}


def answer_of(
    script: list[bytes],
    pause: float = 0.0,
    security: str = "none",
    credentials: dict[str, str] = NOBODY,
) -> Answer:
    """Send one letter to a server that says its lines slowly, come what may."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for line in script:
            await asyncio.sleep(pause)
            writer.write(line)
            await reader.readline()

    async def scenario() -> Answer:
        async with serving(talk) as port:
            provider = Smtp()
            provider.timeout = 0.6
            there = account("smtp", {"port": port, "security": security}, credentials)
            async with provider.connect(there) as connection:
                return await connection.send(outbound("smtp"))

    return asyncio.run(scenario())


def test_one_deadline_holds_for_the_whole_conversation() -> None:
    script = [b"220 slow\r\n", b"250 slow\r\n", *[b"250 OK\r\n"] * 20]
    before = time.monotonic()
    answer = answer_of(script, pause=0.25)
    assert isinstance(answer, Rejected)
    assert answer.code == "connection_failed"
    # Twenty lines would take five seconds, each in good time for itself.
    assert time.monotonic() - before < 3


def test_a_letter_never_goes_in_the_open_where_starttls_is_asked_for() -> None:
    script = [b"220 plain\r\n", b"250 plain\r\n", *[b"250 OK\r\n"] * 9]
    answer = answer_of(script, security="starttls")
    assert isinstance(answer, Rejected)
    assert answer.code == "connection_failed"
    assert "STARTTLS" in answer.detail


def test_a_server_that_offers_no_log_in_is_auth_failed() -> None:
    script = [b"220 plain\r\n", b"250 plain\r\n", *[b"250 OK\r\n"] * 9]
    answer = answer_of(script, credentials=SECRETS["smtp"])
    assert isinstance(answer, Rejected)
    assert answer.code == "auth_failed"


def test_tls_is_spoken_at_once_where_it_is_asked_for() -> None:
    answer = answer_of([b"220 plain\r\n"], security="tls")
    assert isinstance(answer, Rejected)
    assert answer.code == "connection_failed"
    assert "SSL" in answer.detail
