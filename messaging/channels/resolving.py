"""From the name of a host to a connection, by whichever of its addresses answers."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import aiohappyeyeballs

from messaging.channels.answering import Exchange

if TYPE_CHECKING:
    from messaging.channels.client import Origin

KEPT_SECONDS: Final = 60.0
"""How long the addresses of a host are remembered."""
NEXT_ADDRESS_SECONDS: Final = 0.25
"""After so long the next address is tried as well (RFC 8305)."""


class Addresses:
    """The addresses of hosts; many who ask at a time are answered by one look-up."""

    def __init__(self) -> None:
        self._known: dict[
            Origin, tuple[float, asyncio.Task[Sequence[aiohappyeyeballs.AddrInfoType]]]
        ] = {}

    async def of(self, origin: Origin) -> Sequence[aiohappyeyeballs.AddrInfoType]:
        """Return the addresses of a host; raise ``OSError`` if it has none."""
        loop = asyncio.get_running_loop()
        until, task = self._known.get(origin, (0.0, None))
        if task is None or until < loop.time():
            task = loop.create_task(_look_up(origin))
            self._known[origin] = (loop.time() + KEPT_SECONDS, task)
        try:
            return await asyncio.shield(task)
        except Exception:
            # Not for a minute: the next message asks again.
            if self._known.get(origin, (0.0, None))[1] is task:
                del self._known[origin]
            raise

    def forget(self) -> None:
        """End look-ups that nobody waits for any more."""
        for _, task in self._known.values():
            task.cancel()
        self._known.clear()


async def _look_up(origin: Origin) -> Sequence[aiohappyeyeballs.AddrInfoType]:
    return await asyncio.get_running_loop().getaddrinfo(
        origin.host, origin.port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
    )


async def connect(
    addresses: Addresses, origin: Origin, tls: ssl.SSLContext | None
) -> Exchange:
    """Connect; raise ``OSError`` if nobody is there, or is not who it should be."""
    found = await addresses.of(origin)
    loop = asyncio.get_running_loop()
    ends = await aiohappyeyeballs.start_connection(
        found, happy_eyeballs_delay=NEXT_ADDRESS_SECONDS, loop=loop
    )
    try:
        _, exchange = await loop.create_connection(
            Exchange,
            sock=ends,
            ssl=tls,
            server_hostname=origin.host if tls else None,
        )
    except BaseException:
        ends.close()
        raise
    return exchange
