"""CSV that is written row by row and opens safely in a spreadsheet.

A spreadsheet runs a cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line
break as a formula, also when a stranger chose the text (a member's name, say). Such
cells get a leading apostrophe, which a spreadsheet hides. Phone numbers with their
plus sign get one too. Real numbers stay as they are, negative ones included: the
program made them.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain, islice

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_ROWS_PER_CHUNK = 200


class _Line:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def stream_csv(
    filename: str, header: Sequence[str], rows: Iterable[Sequence[object]]
) -> StreamingHttpResponse:
    """``rows`` as a download in UTF-8 without a byte order mark.

    Memory stays the same however many rows come, if ``rows`` is lazy (for a queryset:
    ``.iterator()``). Moments are written in UTC with a ``Z``, nothing as an empty
    cell.
    """
    return StreamingHttpResponse(
        _chunks(chain([header], rows)),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": content_disposition_header(
                as_attachment=True, filename=filename
            ),
            "Cache-Control": "no-store",
        },
    )


def _chunks(rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    writer = csv.writer(_Line())
    remaining = iter(rows)
    while batch := list(islice(remaining, _ROWS_PER_CHUNK)):
        lines = (writer.writerow([safe_cell(cell) for cell in row]) for row in batch)
        yield "".join(lines).encode()


def safe_cell(value: object) -> str | int | float | Decimal:
    """What is written for ``value``; text that could run as a formula is defused."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return value
    text = str(value)
    return f"'{text}" if text.startswith(_DANGEROUS) else text
