"""What is written is JSON to everybody; what is JSON to somebody is read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from messaging.channels.http import json_object, json_request


@pytest.mark.parametrize(
    "value",
    [
        {"to": "+233240001111", "text": {"body": "Akwaaba, Ɛfua 🎉\n\0"}},
        {"number": 2**70, "share": 0.1, "none": None, "list": [True, -1]},
        {"half": "\ud800"},
        {},
    ],
)
def test_a_body_says_what_it_was_given(value: dict[str, Any]) -> None:
    request = json_request("https://provider.example/messages", value)
    assert json.loads(request.body) == value
    assert b": " not in request.body


@pytest.mark.parametrize(
    ("body", "read"),
    [
        (b'{"id": "wamid.1"}', {"id": "wamid.1"}),
        (b'{"id": "\\ud800"}', {"id": "\ud800"}),
        ('{"id": "é"}'.encode("utf-16"), {"id": "é"}),
        (b'\xef\xbb\xbf{"id": 1}', {"id": 1}),
        (b"[1]", None),
        (b"", None),
        (b"\xff\xfe\xfd", None),
        (b"<html>", None),
        (b"[" * 100_000, None),
        (b'{"a":' * 5_000, None),
    ],
)
def test_an_answer_is_read_by_whoever_can(
    body: bytes, read: dict[str, Any] | None
) -> None:
    assert json_object(body) == read
