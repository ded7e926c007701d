"""Bodies that are no request: a clear answer, and never a fault of ours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from messaging.models import Attempt, KeptAnswer
from tests.messaging.api.callers import COMMUNICATIONS, RESEND, SEND, Caller, problem
from tests.messaging.api.conftest import Fail

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", [RESEND, SEND, f"{RESEND}/ra_whatsapp_1_abc123def"])
@pytest.mark.parametrize(
    "body",
    [
        "{",
        "nonsense",
        '{"messageId": "x"',
        '{"messageId": NaN}',
        '{"messageId": "a\\u0000b"}',
        '{"messageId": "\\ud800"}',
        '{"\\u0000": 1}',
        "[" * 30_000,
        '{"a":' * 10_000,
        b"\xff\xfe\xfa",
        '{"messageId": "x"}'.encode("utf-16"),
        '"text"',
        "[]",
        "12",
    ],
)
def test_what_is_no_json_object_is_400(
    writer: Caller, path: str, body: str | bytes
) -> None:
    assert problem(writer.post_raw(path, body), 400) == "invalid_request"


def test_a_field_that_stands_twice_is_400(writer: Caller) -> None:
    body = '{"messageId": "a", "messageId": "b"}'

    assert problem(writer.post_raw(RESEND, body), 400) == "duplicate_field"


@pytest.mark.parametrize(
    ("body", "field", "sentence"),
    [
        ({}, "messageId", "This field is required."),
        ({"messageId": 5}, "messageId", "This must be a text."),
        ({"messageId": True}, "messageId", "This must be a text."),
        ({"messageId": None}, "messageId", "This must be a text."),
        ({"messageId": ["x"]}, "messageId", "This must be a text."),
        ({"messageId": "x", "to": "1"}, "to", "This field is not supported."),
        ({"message_id": "x"}, "message_id", "This field is not supported."),
        (
            {"messageId": "x", "acceptDuplicate": "yes"},
            "acceptDuplicate",
            "This must be true or false.",
        ),
        (
            {"messageId": "x", "acceptDuplicate": 1},
            "acceptDuplicate",
            "This must be true or false.",
        ),
        (
            {"messageId": "x", "scheduleAt": "2026-02-30T10:00:00Z"},
            "scheduleAt",
            "There is no such day or hour.",
        ),
    ],
)
def test_a_wrong_field_is_named(
    writer: Caller, body: dict[str, Any], field: str, sentence: str
) -> None:
    response = writer.post(RESEND, body)

    assert problem(response, 400) == "invalid_request"
    assert {"field": field, "message": sentence} in response.json()["errors"]


@pytest.mark.parametrize(
    "at", ["tomorrow", "2026-01-01", "2026-01-01T10:00:00", 1767261600, "", "10:00Z"]
)
def test_a_time_is_written_in_full_with_its_zone(writer: Caller, at: Any) -> None:
    response = writer.post(RESEND, {"messageId": "x", "scheduleAt": at})

    assert problem(response, 400) == "invalid_request"
    assert [one["field"] for one in response.json()["errors"]] == ["scheduleAt"]


def test_a_reason_has_at_most_300_characters(writer: Caller) -> None:
    response = writer.post(RESEND, {"messageId": "x", "reason": "x" * 301})

    assert problem(response, 400) == "invalid_request"


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "",
    ],
)
def test_other_content_types_are_415(writer: Caller, content_type: str) -> None:
    body = '{"messageId": "x"}'

    first = writer.post_raw(RESEND, body, content_type)
    second = writer.post_raw(COMMUNICATIONS, body, content_type)

    assert problem(first, 415) == "unsupported_media_type"
    assert second.status_code == 415
    assert second.json()["errors"][0]["code"] == 415


def test_json_may_name_its_charset(failed: Fail, writer: Caller) -> None:
    body = json.dumps({"messageId": failed().public_id})
    response = writer.post_raw(RESEND, body, "application/json; charset=UTF-8")

    assert response.status_code == 200


def test_large_bodies_are_413_for_everybody(writer: Caller) -> None:
    body = json.dumps({"messageId": "x" * 70_000})

    first = writer.post_raw(RESEND, body)
    second = writer.post_raw(COMMUNICATIONS, body)
    stranger = Client().post(RESEND, body, content_type="application/json")

    assert problem(first, 413) == "body_too_large"
    assert second.status_code == 413
    assert list(second.json()) == ["warnings", "errors"]
    assert problem(stranger, 413) == "body_too_large"


def test_a_body_of_unknown_length_is_411(writer: Caller) -> None:
    response = Client().generic(
        "POST", RESEND, headers={"Transfer-Encoding": "chunked"}
    )

    assert problem(response, 411) == "length_required"


def test_a_body_that_is_missing_is_named(writer: Caller) -> None:
    response = writer.post(RESEND)

    assert problem(response, 400) == "invalid_request"
    assert response.json()["errors"] == [
        {"field": "body", "message": "This field is required."}
    ]


def test_a_body_just_below_the_limit_is_read(writer: Caller) -> None:
    body = json.dumps({"messageId": "x"}).ljust(64 * 1024)

    assert problem(writer.post_raw(RESEND, body), 404) == "message_not_found"


def test_the_path_needs_no_body_whatever_its_type(failed: Fail, writer: Caller) -> None:
    for content_type in ("", "text/plain", "application/json"):
        path = f"{RESEND}/{failed().public_id}"
        assert writer.post_raw(path, "", content_type).status_code == 200


def test_an_empty_object_does_for_the_path_too(failed: Fail, writer: Caller) -> None:
    for body in ("{}", "null"):
        path = f"{RESEND}/{failed().public_id}"
        assert writer.post_raw(path, body).status_code == 200


@pytest.mark.parametrize("key", ["", "a b", "ü", "x" * 256, "\x7f"])
def test_a_key_is_visible_ascii(failed: Fail, writer: Caller, key: str) -> None:
    response = writer.post(
        RESEND, {"messageId": failed().public_id}, Idempotency_Key=key
    )

    assert problem(response, 400) == "invalid_request"
    assert response.json()["errors"][0]["field"] == "Idempotency-Key"
    assert Attempt.objects.count() == 1
    assert KeptAnswer.objects.count() == 0
