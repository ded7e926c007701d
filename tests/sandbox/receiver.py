"""The other side: takes what the sandbox posts, and speaks to it over HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

PATIENCE = 10.0
"""Seconds after which something awaited has certainly not come."""


@dataclass(frozen=True)
class Posted:
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def statuses(self) -> list[dict[str, Any]]:
        """The statuses in a post of WhatsApp's."""
        (entry,) = self.json["entry"]
        (change,) = entry["changes"]
        found: list[dict[str, Any]] = change["value"]["statuses"]
        return found


class Receiver:
    """A web server that keeps every post. ``answers``: statuses to give first."""

    def __init__(self, port: int = 0) -> None:
        self.posts: list[Posted] = []
        self.answers: list[int] = []
        self._arrived = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def _handler(receiver) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): text for name, text in self.headers.items()}
                status = receiver.answers.pop(0) if receiver.answers else 200
                if status == 200:
                    with receiver._arrived:
                        receiver.posts.append(Posted(self.path, headers, body))
                        receiver._arrived.notify_all()
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                """Keep the test output clean."""

        return Handler

    def __enter__(self) -> Self:
        serve = self._server.serve_forever
        threading.Thread(target=serve, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait_until(self, enough: Callable[[list[Posted]], bool]) -> list[Posted]:
        """Wait for the posts that are enough, and return all there are."""
        with self._arrived:
            came = self._arrived.wait_for(lambda: enough(self.posts), PATIENCE)
            assert came, f"only {len(self.posts)} posts came: {self.posts}"
            return list(self.posts)

    def statuses(self, count: int) -> list[tuple[str, str]]:
        """Wait for ``count`` WhatsApp statuses; return (reference, status)."""

        def found(posts: list[Posted]) -> list[tuple[str, str]]:
            return [
                (status.get("biz_opaque_callback_data", ""), status["status"])
                for post in posts
                for status in post.statuses
            ]

        return found(self.wait_until(lambda posts: len(found(posts)) >= count))


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def call(
    method: str,
    url: str,
    *,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    timeout: float = PATIENCE,
) -> Answer:
    """Make one request and read the whole answer."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    connection = HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, body, dict(headers or {}))
        response: HTTPResponse = connection.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read())
    finally:
        connection.close()
