"""Run a curl line of somebody's documentation, without curl."""

from __future__ import annotations

import http.client
import json
import shlex
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def run(line: str, timeout: float = 30.0) -> Answer:
    """Make the request that the line describes."""
    words = iter(shlex.split(line.replace("\\\n", " ")))
    assert next(words) == "curl"
    method, url, data, headers = "GET", "", b"", {}
    for word in words:
        match word:
            case "-X" | "--request":
                method = next(words)
            case "--url":
                url = next(words)
            case "-H" | "--header":
                name, _, value = next(words).partition(": ")
                headers[name] = value
            case "-d" | "--data":
                data = next(words).encode()
            case _:
                url = word
    return request(method, url, data, headers, timeout)


def request(
    method: str,
    url: str,
    data: bytes = b"",
    headers: dict[str, str] | None = None,
    timeout: float = 30.0,
) -> Answer:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=timeout)
    try:
        connection.request(method, parts.path, data or None, headers or {})
        response = connection.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read())
    finally:
        connection.close()
