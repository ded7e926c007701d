"""What both sides say: the rows of the database, and the lines of the logs.

Plain SQL over psycopg and plain JSON; nothing here knows the product's code.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

Row = dict[str, Any]

ARRIVED = ("delivered", "read")
LOST_ANSWERS = ("hang", "garbage", "close", "close_mid_body")
WITHOUT_RECEIPTS = ("telegram_bot", "smtp")
"""Kinds of integration whose providers say nothing later."""


@dataclass
class Evidence:
    """Everything the checker looks at. Built once, when all has come to rest."""

    connection: psycopg.Connection[Any]
    requests: list[Row]
    """Requests that the providers' stand-ins took or refused, oldest first."""
    notices: list[Row]
    """Receipts that they posted."""
    wishes: list[Row] = field(default_factory=list)
    """What people asked for."""

    def rows(self, query: str) -> list[Row]:
        with self.connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query.encode()).fetchall()

    @cached_property
    def attempts(self) -> dict[int, Row]:
        found = self.rows(
            """
            SELECT attempt.*, integration.kind,
                   message.contact_id,
                   coalesce(message.root_id, message.id) AS chain_id
            FROM messaging_attempt AS attempt
            JOIN messaging_integration AS integration
              ON integration.id = attempt.integration_id
            JOIN messaging_message AS message ON message.id = attempt.message_id
            ORDER BY attempt.id
            """
        )
        return {row["id"]: row for row in found}

    @cached_property
    def messages(self) -> dict[int, Row]:
        found = self.rows("SELECT * FROM messaging_message ORDER BY id")
        return {row["id"]: row for row in found}

    @cached_property
    def attempts_of(self) -> dict[int, list[Row]]:
        """The attempts of each message, in the order of their numbers."""
        found: defaultdict[int, list[Row]] = defaultdict(list)
        for row in sorted(self.attempts.values(), key=lambda one: one["number"]):
            found[row["message_id"]].append(row)
        return found

    @cached_property
    def told(self) -> dict[int, set[str]]:
        """What receipts on record said about each attempt: the states."""
        found: defaultdict[int, set[str]] = defaultdict(set)
        for row in self.rows(
            "SELECT reference, state FROM messaging_receipt WHERE kind = 'status'"
        ):
            number = row["reference"].partition(":")[0]
            if number.isdecimal():
                found[int(number)].add(row["state"])
        return found

    @cached_property
    def of_attempt(self) -> dict[int, list[Row]]:
        """The requests that came in for each attempt."""
        found: defaultdict[int, list[Row]] = defaultdict(list)
        for line in self.requests:
            number = line["reference"].partition(":")[0]
            if number.isdecimal():
                found[int(number)].append(line)
        return found

    def accepted_parts(self, attempt_id: int) -> set[int]:
        return {
            part_of(line)
            for line in self.of_attempt.get(attempt_id, [])
            if line["outcome"] == "accepted"
        }

    def is_last_part_told(self, attempt: Row) -> bool:
        """Whether a provider has told us anything of the last part of an attempt."""
        return (attempt["id"], attempt["parts"] - 1) in self._told_parts

    @cached_property
    def _told_parts(self) -> set[tuple[int, int]]:
        lines = {line["provider_id"]: line for line in self.requests}
        posted = {
            one["provider_id"] for one in self.notices if one["result"] == "posted"
        }
        return {
            (int(line["reference"].partition(":")[0]), part_of(line))
            for provider_id, line in lines.items()
            if provider_id in posted
        }

    @cached_property
    def risks_taken(self) -> set[int]:
        """Messages that somebody wanted again although they may have arrived."""
        found: set[int] = set()
        sources = set()
        for wish in self.wishes:
            if wish.get("accepts_duplicate"):
                found.update(wish.get("messages", ()))
                if wish["what"] == "retry":
                    sources.add(wish["broadcast"])
        found.update(
            row["id"]
            for row in self.messages.values()
            if row["broadcast_id"] in sources
        )
        return found


def part_of(line: Row) -> int:
    part = line["reference"].partition(":")[2]
    return int(part) if part.isdecimal() else 0


def is_in_doubt(line: Row) -> bool:
    """Whether the answer to this request got lost, so that nobody can tell."""
    lost = line["fault"] in LOST_ANSWERS
    return lost and (line["outcome"] == "accepted" or line["code"] == line["fault"])


def json_lines(path: Path) -> Iterator[Row]:
    """Yield the whole lines of a log; the last one may be torn."""
    if not path.exists():
        return
    for line in path.read_bytes().split(b"\n"):
        try:
            found = json.loads(line)
        except ValueError:
            continue
        yield found


def gather(url: str, sandbox_log: Path, people_log: Path) -> Evidence:
    """Read everything, in one snapshot of the database."""
    connection = psycopg.connect(url)
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    lines = list(json_lines(sandbox_log))
    return Evidence(
        connection,
        [line for line in lines if line["line"] == "request"],
        [line for line in lines if line["line"] == "receipt"],
        list(json_lines(people_log)),
    )
