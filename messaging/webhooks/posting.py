"""Post: make one try. Every answer becomes a value; nothing here raises for what
an endpoint does, and nothing here touches the database."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import aiohttp

from messaging import outside
from messaging.webhooks import bodies, signing
from messaging.webhooks.claiming import Claimed

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS: Final = 5.0
ANSWER_LIMIT: Final = 2_000
"""Bytes of an answer that are read and kept."""
ASKS_FOR_PAUSE: Final = frozenset({429, 503})
GONE: Final = 410
FIXED_HEADERS: Final = {
    "Content-Type": "application/json",
    "User-Agent": "Resend-Admin-Webhooks/1",
    "Accept-Encoding": "identity",
}


@dataclass(frozen=True, slots=True)
class Told:
    """How one try went. ``error`` is empty when it was delivered; else see words."""

    delivery_id: int
    endpoint_id: int
    claim: uuid.UUID
    try_count: int
    run_tries: int
    error: str = ""
    http_status: int | None = None
    answer: str = ""
    moment: datetime | None = None
    signature: str = ""
    duration_ms: int | None = None
    retry_after: float = 0.0

    @property
    def is_delivered(self) -> bool:
        return not self.error


def session(executor: Executor) -> aiohttp.ClientSession:
    """Open the way to the endpoints; belongs into a running loop."""
    return aiohttp.ClientSession(
        connector=outside.connector(executor),
        timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
    )


async def post(way: aiohttp.ClientSession, claimed: Claimed) -> Told:
    """Make one try."""
    try:
        return await _post(way, claimed)
    except Exception:
        # A fault of ours must not take the other tries of the round along.
        logger.exception("A delivery broke", extra={"delivery_id": claimed.delivery_id})
        return _told(claimed, error="broken")


async def _post(way: aiohttp.ClientSession, claimed: Claimed) -> Told:
    moment = datetime.now(UTC)
    started = time.monotonic()
    body = bodies.body(claimed.event_type, claimed.created_at, claimed.data)
    headers = signing.headers(claimed.webhook_id, moment, body, claimed.signers)
    status, answer, retry_after, error = None, "", 0.0, ""
    try:
        async with way.post(
            claimed.url,
            data=body.encode(),
            headers={**FIXED_HEADERS, **headers},
            allow_redirects=False,
        ) as response:
            status = response.status
            error = _verdict(status)
            if status in ASKS_FOR_PAUSE:
                retry_after = seconds_of(response.headers, moment)
            answer = await _read(response)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as trouble:
        # The status is the answer, even where the body is cut off.
        error = error if status else _trouble(trouble)
    return _told(
        claimed,
        error=error,
        http_status=status,
        answer=answer,
        moment=moment,
        signature=headers["webhook-signature"],
        duration_ms=round((time.monotonic() - started) * 1000),
        retry_after=retry_after,
    )


def _told(claimed: Claimed, **how: Any) -> Told:
    return Told(
        delivery_id=claimed.delivery_id,
        endpoint_id=claimed.endpoint_id,
        claim=claimed.claim,
        try_count=claimed.try_count,
        run_tries=claimed.run_tries,
        **how,
    )


async def _read(response: aiohttp.ClientResponse) -> str:
    """Return the beginning of an answer; the rest is left unread."""
    read = b""
    while len(read) < ANSWER_LIMIT:
        piece = await response.content.read(ANSWER_LIMIT - len(read))
        if not piece:
            break
        read += piece
    else:
        response.close()
    return read.decode("utf-8", "replace").replace("\x00", "")


def _verdict(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return "redirect"
    return {GONE: "gone", 429: "rate_limited"}.get(status, "status")


def _trouble(trouble: Exception) -> str:
    if outside.was_inside(trouble):
        return "inside"
    match trouble:
        case TimeoutError():
            return "timeout"
        case aiohttp.ClientConnectorDNSError():
            return "dns"
        case aiohttp.ClientSSLError():
            return "tls"
        case aiohttp.ClientConnectorError():
            return "unreachable"
    return "broken"


def seconds_of(headers: Mapping[str, str], now: datetime) -> float:
    """Return what ``Retry-After`` asks for, in seconds or by the date; 0 if nothing."""
    text = headers.get("Retry-After", "").strip()
    if text.isdecimal() and len(text) < 10:
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return max(0.0, (until.astimezone(UTC) - now).total_seconds())
