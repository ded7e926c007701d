"""Requests to addresses that people enter, without being lured inside.

What is really connected to is checked, at the moment of connecting: a name that
points into the own network is refused, whatever it pointed to a moment ago, and
so is an address written as numbers, for which nobody asks a resolver.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from concurrent.futures import Executor
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from django.conf import settings

IPv4 = ipaddress.IPv4Address
IPv6 = ipaddress.IPv6Address
# RFC 6052: the last four bytes are the address that a NAT64 connects to.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class InsideError(OSError):
    """The address leads into a private network."""


def is_outside(ip: str) -> bool:
    """Tell whether an address belongs to the public internet.

    An IPv6 address that carries an IPv4 one is as private as what it carries.
    """
    if settings.FETCH_FROM_PRIVATE_ADDRESSES:
        return True
    address = ipaddress.ip_address(ip.partition("%")[0])
    return all(
        one.is_global and not one.is_multicast for one in (address, *_carried(address))
    )


def _carried(address: IPv4 | IPv6) -> list[IPv4]:
    if isinstance(address, IPv4):
        return []
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        found.append(IPv4(int(address) & 0xFFFFFFFF))
    return [one for one in found if one is not None]


def refuse_inside(host: str) -> None:
    """Raise :class:`InsideError` for an address in numbers that is not outside."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return
    if not is_outside(host):
        raise InsideError(host)


def was_inside(error: BaseException | None) -> bool:
    """Tell whether a request failed because its address is not outside.

    The library wraps what is raised while it connects.
    """
    while error is not None:
        if isinstance(error, InsideError):
            return True
        error = getattr(error, "os_error", None) or error.__cause__
    return False


def connector(executor: Executor | None = None) -> aiohttp.TCPConnector:
    """Return a connector that reaches the public internet and nothing else.

    ``executor`` looks names up; without one, the loop's own does. Nothing is
    limited here: whoever uses it knows how much may be under way.
    """
    return aiohttp.TCPConnector(
        resolver=_Outside(executor),
        use_dns_cache=False,
        socket_factory=_open_socket,
        limit=0,
    )


def _open_socket(found: Any) -> socket.socket:
    """Open the socket of one connection, the last moment to refuse it."""
    family, kind, protocol, _, address = found
    if not is_outside(str(address[0])):
        raise InsideError(str(address[0]))
    return socket.socket(family=family, type=kind, proto=protocol)


class _Outside(AbstractResolver):
    """Resolves names to public addresses only; what it returns is connected to."""

    def __init__(self, executor: Executor | None) -> None:
        self._executor = executor

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._executor, look_up, host, port, int(family)
        )
        results = []
        for address_family, _, protocol, _, address in found:
            ip = str(address[0])
            if not is_outside(ip):
                raise InsideError(ip)
            results.append(_result(host, ip, port, address_family, protocol))
        return results

    async def close(self) -> None:
        """Nothing is kept open."""


def look_up(host: str, port: int, family: int) -> list[Any]:
    """Ask the system's resolver."""
    return socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)


def _result(host: str, ip: str, port: int, family: Any, protocol: int) -> ResolveResult:
    return ResolveResult(
        hostname=host,
        host=ip,
        port=port,
        family=family,
        proto=protocol,
        flags=socket.AI_NUMERICHOST,
    )
