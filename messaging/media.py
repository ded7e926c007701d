"""A new link for media: looked at before it is sent, without being lured inside."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import aiohttp

from messaging import outside
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
    changed = with_link(content, url)
    changed.save()
    return changed


def with_link(content: Content, url: str) -> Content:
    """Return the content with another link, not looked at and not saved."""
    return Content(
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
        outside.refuse_inside(parts.hostname)
        status, headers = asyncio.run(_head(url))
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise MediaError(_why_not(parts.hostname, error)) from error
    _judge(status, headers, kind)


def _why_not(host: str, error: Exception) -> str:
    if outside.was_inside(error):
        return (
            f"“{host}” is an address inside a private network. Put the file where"
            " everybody can reach it."
        )
    return (
        f"“{host}” could not be reached. Open the link in a private browser window;"
        " when it loads there, try again."
    )


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
    async with (
        aiohttp.ClientSession(
            timeout=timeout, connector=outside.connector(), trust_env=False
        ) as session,
        session.head(url, allow_redirects=False) as answer,
    ):
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return answer.status, headers
