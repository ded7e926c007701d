"""How an HTTP answer leaves, or fails to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from resend_admin.sandbox.desk import Verdict
from resend_admin.sandbox.switches import Fault

STOPPING = web.AppKey("stopping", asyncio.Event)
"""Set when the server stops, so that nothing hangs any longer."""

GARBAGE = b"<html><body>\xff\xfe upstream connect error \x00{{{"


async def answer(
    request: web.Request,
    verdict: Verdict,
    status: int,
    body: Mapping[str, Any],
    headers: Mapping[str, str] | None = None,
) -> web.StreamResponse:
    """Answer, unless a fault keeps the answer from leaving whole or in time."""
    response = json_response(status, body, headers)
    match verdict.fault:
        case None:
            return response
        case Fault.SLOW:
            await _stop_or(request, verdict.seconds)
        case Fault.HANG:
            await _stop_or(request, None)
            _close(request)
        case Fault.CLOSE:
            _close(request)
        case Fault.CLOSE_MID_BODY:
            return await _half(request, status, _encoded(body))
        case Fault.GARBAGE:
            return web.Response(body=GARBAGE, content_type="text/html")
    return response


def json_response(
    status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> web.Response:
    return web.Response(
        status=status,
        body=_encoded(body),
        content_type="application/json",
        charset="utf-8",
        headers=headers,
    )


def _encoded(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body).encode()


async def _stop_or(request: web.Request, seconds: float | None) -> None:
    """Wait for so many seconds (``None``: for ever), or until the server stops."""
    try:
        await asyncio.wait_for(request.app[STOPPING].wait(), seconds)
    except TimeoutError:
        return


def _close(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.close()


async def _half(request: web.Request, status: int, body: bytes) -> web.StreamResponse:
    """Send the head and half of the body, and close."""
    response = web.StreamResponse(status=status)
    response.content_type = "application/json"
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    _close(request)
    return response
