"""Addresses that people enter lead to the public internet, and nowhere else."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import aiohttp
import pytest

from messaging import outside


@pytest.mark.parametrize(
    "ip",
    [
        "10.0.0.1",
        "172.16.3.4",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - an address to refuse
        "224.0.0.1",
        "::1",
        "fe80::1%eth0",
        "fc00::1",
        "::ffff:127.0.0.1",
        "64:ff9b::10.0.0.1",
        "2002:a00:1::1",
        "2001:0:a00:1::1",
    ],
)
def test_private_addresses_are_inside(ip: str) -> None:
    assert not outside.is_outside(ip)


def test_public_addresses_are_outside() -> None:
    assert outside.is_outside("93.184.215.14")
    assert outside.is_outside("2606:2800:21f:cb07:6820:80da:af6b:8b2c")


async def ask(url: str) -> None:
    async with (
        aiohttp.ClientSession(
            connector=outside.connector(), timeout=aiohttp.ClientTimeout(total=3)
        ) as session,
        session.get(url),
    ):
        pass


@pytest.fixture
def listener() -> Any:
    """A server on this machine; that nobody connects to it is the promise."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        yield server


def nobody_came(listener: socket.socket) -> bool:
    try:
        listener.accept()
    except BlockingIOError:
        return True
    return False


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
def test_no_connection_is_opened_inside(listener: Any, host: str) -> None:
    url = f"http://{host}:{listener.getsockname()[1]}/"

    with pytest.raises(aiohttp.ClientError) as refused:
        asyncio.run(ask(url))

    assert outside.was_inside(refused.value)
    assert nobody_came(listener)


def test_a_name_that_turns_inside_between_two_looks_is_refused(
    listener: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: public when somebody looks, private when it is connected to."""
    port = listener.getsockname()[1]

    class Rebinding(aiohttp.abc.AbstractResolver):
        async def resolve(self, *args: Any, **kwargs: Any) -> Any:
            return [
                {
                    "hostname": "rebinding.example",
                    "host": "127.0.0.1",
                    "port": port,
                    "family": socket.AF_INET,
                    "proto": 0,
                    "flags": 0,
                }
            ]

        async def close(self) -> None:
            """Nothing is open."""

    monkeypatch.setattr(outside, "_Outside", lambda executor: Rebinding())

    with pytest.raises(aiohttp.ClientError) as refused:
        asyncio.run(ask(f"http://rebinding.example:{port}/"))

    assert outside.was_inside(refused.value)
    assert nobody_came(listener)


def test_one_private_answer_among_public_ones_is_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def both(host: str, port: int, family: int) -> list[Any]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", port)),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.8", port)),
        ]

    monkeypatch.setattr(outside, "look_up", both)

    with pytest.raises(aiohttp.ClientError) as refused:
        asyncio.run(ask("http://two.example/"))

    assert outside.was_inside(refused.value)
