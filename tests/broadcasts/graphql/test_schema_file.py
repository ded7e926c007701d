"""The file of the schema is the schema, so that a review sees every change of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command
from graphql import build_schema

from broadcasts.graphql import schema
from broadcasts.management.commands import export_graphql_schema


def test_the_file_is_up_to_date() -> None:
    assert schema.FILE.read_text() == schema.written(), (
        f"The schema has changed. Run {schema.COMMAND} and look at what it writes."
    )


def test_the_command_writes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "schema.graphql"
    monkeypatch.setattr(export_graphql_schema, "FILE", file)

    call_command("export_graphql_schema")

    assert file.read_text() == schema.written()


def test_the_words_of_the_wire_are_those_of_the_vendor() -> None:
    built = build_schema(schema.FILE.read_text())
    assert built.mutation_type is not None
    assert built.query_type is not None
    retry = built.mutation_type.fields["retryFailedContacts"]

    assert {"broadcastId", "runAt", "contactIds"} <= set(retry.args)
    assert f"{retry.type}" == "Broadcast!"
    assert {"retryOfBroadcastId", "retries"} <= set(built.type_map["Broadcast"].fields)  # type: ignore[attr-defined]
    assert set(built.type_map["BroadcastStatus"].values) == {  # type: ignore[attr-defined]
        "DRAFT",
        "SCHEDULED",
        "SENDING",
        "COMPLETED",
        "CANCELLED",
        "FAILED",
    }
