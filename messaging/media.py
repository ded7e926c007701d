"""A new link for media: looked at before it is sent, without being lured inside.

The address that is really connected to is checked, so a name that points into
the own network is refused, whatever it pointed to a moment ago.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from django.conf import settings

from messaging.channels.contract import ContentKind
from messaging.models import Content

TIMEOUT_SECONDS = 8.0
MEGABYTE = 1024 * 1024
# Meta, "Supported media types and sizes" of the WhatsApp Cloud API.
LARGEST = {
    ContentKind.IMAGE: 5 * MEGABYTE,
    ContentKind.VIDEO: 16 * MEGABYTE,
    ContentKind.AUDIO: 16 * MEGABYTE,
    ContentKind.DOCUMENT: 100 * MEGABYTE,
}


class MediaError(Exception):
    """The link cannot be used; the text says why and what to do."""


def with_new_link(content: Content, url: str) -> Content:
    """Return a new content that differs from the original in its link only.

    Raises :class:`MediaError` when the link leads nowhere, inside, or to
    something that is not this kind of media.
    """
    if content.kind not in LARGEST:
        message = "Only images, videos, audio and documents have a link to replace."
        raise MediaError(message)
    check(url, ContentKind(content.kind))
    return Content.objects.create(
        organization_id=content.organization_id,
        kind=content.kind,
        name=content.name,
        payload={**content.payload, "url": url},
    )


def check(url: str, kind: ContentKind) -> None:
    """Ask the server of the link for its headers, and judge them."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        message = "Enter a full web address that begins with https://."
        raise MediaError(message)
    try:
        _refuse_inside(parts.hostname)
        status, headers = asyncio.run(_head(url))
    except _InsideError as error:
        message = (
            f"“{parts.hostname}” is an address inside a private network. Put the file"
            " where everybody can reach it."
        )
        raise MediaError(message) from error
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        message = (
            f"“{parts.hostname}” could not be reached. Open the link in a private"
            " browser window; when it loads there, try again."
        )
        raise MediaError(message) from error
    _judge(status, headers, kind)


def _judge(status: int, headers: dict[str, str], kind: ContentKind) -> None:
    if 300 <= status < 400:
        message = "The link leads on to another address. Enter that address instead."
        raise MediaError(message)
    if status != 200:
        message = f"The link answers with status {status} instead of the file."
        raise MediaError(message)
    found = headers.get("content-type", "").partition(";")[0].strip().lower()
    family = found.partition("/")[0]
    fits = kind is ContentKind.DOCUMENT or family == kind
    if not found or not fits or found == "text/html":
        message = f"The link leads to “{found or 'nothing named'}”, which is no {kind}."
        raise MediaError(message)
    size = headers.get("content-length", "")
    if size.isdecimal() and int(size) > LARGEST[kind]:
        limit = LARGEST[kind] // MEGABYTE
        message = (
            f"The file has {int(size) / MEGABYTE:.1f} MB; a {kind} may have {limit} MB"
            " at most. Make it smaller and enter the new link."
        )
        raise MediaError(message)


async def _head(url: str) -> tuple[int, dict[str, str]]:
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    connector = aiohttp.TCPConnector(resolver=_Outside(), use_dns_cache=False)
    async with (
        aiohttp.ClientSession(
            timeout=timeout, connector=connector, trust_env=False
        ) as session,
        session.head(url, allow_redirects=False) as answer,
    ):
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return answer.status, headers


class _InsideError(Exception):
    """The name leads into a private network."""


def _refuse_inside(host: str) -> None:
    """Refuse an address written as numbers: no resolver is asked for those."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return
    if not is_outside(host):
        raise _InsideError(host)


class _Outside(AbstractResolver):
    """Resolves names to public addresses only; what it returns is connected to."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, family=family
        )
        results = []
        for address_family, _, protocol, _, address in found:
            ip = str(address[0])
            if not is_outside(ip):
                raise _InsideError(ip)
            results.append(_result(host, ip, port, address_family, protocol))
        return results

    async def close(self) -> None:
        """Nothing is kept open."""


def is_outside(ip: str) -> bool:
    """Tell whether an address belongs to the public internet."""
    if settings.FETCH_FROM_PRIVATE_ADDRESSES:
        return True
    address = ipaddress.ip_address(ip.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        address = mapped
    return address.is_global and not address.is_multicast


def _result(host: str, ip: str, port: int, family: Any, protocol: int) -> ResolveResult:
    return ResolveResult(
        hostname=host,
        host=ip,
        port=port,
        family=family,
        proto=protocol,
        flags=socket.AI_NUMERICHOST,
    )
