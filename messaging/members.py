"""Members from a CSV file: good rows are written, bad rows are told one by one.

The file is the truth for the columns it has, and for these only: an empty cell
empties the value. Whoever is not in the file stays as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, BinaryIO

from django.core.files import File
from django.db import connection, transaction

from messaging import trail
from messaging.member_file import COLUMNS, ImportRefused, MemberFile, Record
from messaging.member_rows import (
    BadCell,
    BadRow,
    RowProblem,
    read_cells,
    region_named,
)
from messaging.models import AuditKind, Organization
from messaging.trail import Doer

__all__ = ["ImportRefused", "ImportResult", "RowProblem", "import_csv"]

BATCH = 2_000
"""Members per statement."""
KEPT_PROBLEMS = 1_000
"""Problems told one by one; of further ones only the number is known."""


@dataclass(slots=True)
class ImportResult:
    """What became of the rows of a file.

    ``problem_count`` rows were left out; the first of them are in ``problems``.
    ``ignored_columns`` are headings that mean nothing here.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    problem_count: int = 0
    problems: list[RowProblem] = field(default_factory=list)
    ignored_columns: tuple[str, ...] = ()

    def leave_out(self, problem: RowProblem) -> None:
        self.problem_count += 1
        if len(self.problems) < KEPT_PROBLEMS:
            self.problems.append(problem)


def import_csv(
    *,
    organization: Organization,
    file: BinaryIO | File[Any],
    by: Doer,
    default_region: str = "",
) -> ImportResult:
    """Create and update members of this organization, in batches.

    ``default_region`` (ISO 3166) is where phone numbers without a country code
    belong, if the row names no country. A row whose external_id stood in the file
    before is left out. Raises :class:`ImportRefused`, in words and before anything
    is written, for a file that cannot be read as a whole. Running the same file
    again, for example after a stop half-way, changes nothing twice.
    """
    try:
        region = region_named(default_region)
    except BadCell as problem:
        raise ImportRefused(str(problem)) from None
    members = MemberFile(file)
    result = ImportResult(ignored_columns=members.ignored)
    good = _good_rows(members, region, result)
    batch, is_first = list(islice(good, BATCH)), True
    while batch:
        following = list(islice(good, BATCH))
        with transaction.atomic():
            _write(organization, members.columns, batch, result)
            if not following:
                _record(organization, by, _sentence(result))
            elif is_first:
                _record(organization, by, "Began to import members from a large file.")
        batch, is_first = following, False
    return result


def _record(organization: Organization, by: Doer, sentence: str) -> None:
    trail.record(
        AuditKind.OTHER,
        sentence,
        organization_id=organization.pk,
        doer=by,
        link="/members/",
    )


def _sentence(result: ImportResult) -> str:
    return (
        f"Imported members from a file: {result.created:,} new, {result.updated:,}"
        f" changed, {result.unchanged:,} as they were."
    )


def _good_rows(
    members: MemberFile, region: str, result: ImportResult
) -> Iterator[dict[str, Any]]:
    """Yield what can be written; note the rest in the result."""
    lines: dict[str, int] = {}
    for record in members.records():
        problem = _duplicate(record, lines)
        if problem is None:
            try:
                yield read_cells(record.cells, region)
                continue
            except BadRow as bad:
                problem = bad.at(record.line)
        result.leave_out(problem)


def _duplicate(record: Record, lines: dict[str, int]) -> RowProblem | None:
    """Return why a row is left out before its cells are looked at, or nothing."""
    if record.problem:
        return RowProblem(record.line, "", "", record.problem)
    external_id = record.cells["external_id"]
    first = lines.setdefault(external_id, record.line)
    if not external_id or first == record.line:
        return None
    return RowProblem(
        record.line,
        "external_id",
        external_id,
        f"The same external_id stands in line {first} already.",
    )


def _write(
    organization: Organization,
    columns: Sequence[str],
    batch: list[dict[str, Any]],
    result: ImportResult,
) -> None:
    """Write one batch; rows that would change nothing are not touched."""
    with connection.cursor() as cursor:
        cursor.execute(
            _statement(columns),
            {
                "organization_id": organization.pk,
                **{name: [_cell(row, name) for row in batch] for name in COLUMNS},
            },
        )
        created = [row[0] for row in cursor.fetchall()]
    result.created += sum(created)
    result.updated += len(created) - sum(created)
    result.unchanged += len(batch) - len(created)


def _cell(row: dict[str, Any], column: str) -> str:
    """Tags travel as text, for an array of arrays cannot be ragged."""
    value = row.get(column, "")
    return ";".join(value) if column == "tags" else value


def _statement(columns: Sequence[str]) -> str:
    """Return the upsert. Only names that stand in this program become part of it."""
    changing = [name for name in COLUMNS if name in columns and name != "external_id"]
    assignments = ", ".join(f"{name} = excluded.{name}" for name in changing)
    present = ", ".join(f"member.{name}" for name in changing)
    coming = ", ".join(f"excluded.{name}" for name in changing)
    conflict = "DO NOTHING"
    if changing:
        conflict = (
            f"DO UPDATE SET {assignments}, updated_at = now()"
            f" WHERE ({present}) IS DISTINCT FROM ({coming})"
        )
    return f"""
        INSERT INTO messaging_contact AS member
            (organization_id, {", ".join(COLUMNS)}, opted_out_channels, created_at,
             updated_at)
        SELECT %(organization_id)s, {", ".join(_UNNESTED)}, '{{}}', now(), now()
        FROM unnest({", ".join(f"%({name})s::text[]" for name in COLUMNS)})
            AS file ({", ".join(COLUMNS)})
        ORDER BY external_id
        ON CONFLICT (organization_id, external_id) {conflict}
        RETURNING member.xmax = 0
    """  # noqa: S608


_UNNESTED = [
    "string_to_array(tags, ';')" if name == "tags" else name for name in COLUMNS
]
