"""Fetch a clip from its address: no further than the public internet, no more bytes
than are allowed."""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from messaging import outside
from messaging.audio.transcoding import AudioError

MOST_BYTES: Final = 16 * 1024 * 1024
TIMEOUT_SECONDS: Final = 30.0


def fetch(url: str) -> bytes:
    """Return what stands at an address. Raises :class:`AudioError`."""
    host = _host_of(url)
    try:
        return asyncio.run(_fetched(url))
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        if outside.was_inside(error):
            why = "leads into a private network"
        else:
            why = "could not be reached"
        raise AudioError(f"“{host}” {why}.") from error


def _host_of(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_full = parts.scheme in {"http", "https"} and not parts.username
        host = parts.hostname if is_full else None
    except ValueError:
        host = None
    if not host:
        raise AudioError("audio_url must be a full address that begins with https://.")
    return host


async def _fetched(url: str) -> bytes:
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    async with (
        aiohttp.ClientSession(
            timeout=timeout, connector=outside.connector(), trust_env=False
        ) as session,
        session.get(url, allow_redirects=False) as answer,
    ):
        if answer.status != 200:
            raise AudioError(
                f"The address answers with status {answer.status} instead of the file."
            )
        pieces, size = [], 0
        async for piece in answer.content.iter_chunked(64 * 1024):
            size += len(piece)
            if size > MOST_BYTES:
                most = MOST_BYTES // 1024 // 1024
                raise AudioError(f"The file is larger than {most} MB.")
            pieces.append(piece)
    return b"".join(pieces)
