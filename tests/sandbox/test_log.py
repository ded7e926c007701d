from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from resend_admin.sandbox.log import (
    Entry,
    Log,
    Notice,
    accepted_twice,
    digest_of,
    lines_since,
    read,
    read_notices,
)

ENTRY = Entry(
    at=datetime(2026, 8, 1, 9, 30, tzinfo=UTC),
    channel="sms",
    account="AC1",
    recipient="+4915112341234",
    reference="7:0",
    provider_id="SM1",
    digest="d1",
    outcome="accepted",
    fate="delivered",
    decided_by="mix",
)
NOTICE = Notice(
    at=ENTRY.at, channel="sms", provider_id="SM1", status="sent", result="posted"
)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = Log(path)
    log.write(ENTRY, NOTICE)
    assert read(path) == [ENTRY]
    assert read_notices(path) == [NOTICE]
    log.close()


def test_a_torn_line_is_left_out_and_harms_no_later_one(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = Log(path)
    log.write(ENTRY)
    log.close()
    path.write_bytes(path.read_bytes() + b'{"line":"request","at":"20')
    assert read(path) == [ENTRY]
    log = Log(path)
    later = replace(ENTRY, provider_id="SM2")
    log.write(later)
    log.close()
    assert read(path) == [ENTRY, later]


def test_reading_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = Log(path)
    log.write(ENTRY)
    first, following = lines_since(path, 0)
    log.write(NOTICE)
    second, end = lines_since(path, following)
    log.close()
    assert [line["line"] for line in first] == ["request"]
    assert [line["line"] for line in second] == ["receipt"]
    assert lines_since(path, end) == ([], end)


def test_twice_is_the_same_content_to_the_same_person() -> None:
    again = replace(ENTRY, provider_id="SM2", reference="8:0")
    assert accepted_twice([ENTRY, again]) == [[ENTRY, again]]


def test_twice_is_not_another_person_channel_content_or_part() -> None:
    others = [
        replace(ENTRY, recipient="+4915112341235"),
        replace(ENTRY, channel="whatsapp"),
        replace(ENTRY, digest="d2"),
        replace(ENTRY, reference="7:1"),
    ]
    assert accepted_twice([ENTRY, *others]) == []


def test_twice_is_not_a_try_after_a_refused_or_failed_one() -> None:
    refused = replace(ENTRY, outcome="refused", fate="")
    failed = replace(ENTRY, fate="failed", code="30003")
    assert accepted_twice([refused, failed, ENTRY]) == []
    assert accepted_twice([failed, ENTRY], including_failed=True) == [[failed, ENTRY]]


def test_a_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    assert digest_of({"a": 1}) != digest_of({"a": 2})
