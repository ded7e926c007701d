"""The outside of a CSV file of members: encoding, delimiter, header, size."""

from __future__ import annotations

import codecs
import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from django.core.files import File

if TYPE_CHECKING:
    import _csv

LARGEST_FILE = 20 * 1024 * 1024
"""Bytes."""
MOST_ROWS = 200_000
DELIMITERS = (",", ";", "\t")

COLUMNS: dict[str, tuple[str, ...]] = {
    "external_id": ("externalid", "id", "memberid", "customerid", "contactid"),
    "name": ("fullname", "membername", "customername"),
    "phone": ("phonenumber", "mobile", "mobilenumber", "msisdn", "whatsapp", "tel"),
    "email": ("emailaddress", "mail"),
    "telegram_chat_id": ("telegramchatid", "telegram", "telegramid", "chatid"),
    "country": ("countrycode",),
    "language": ("languagecode", "locale", "lang"),
    "tags": ("tag", "labels", "segments"),
}
"""Each column with the other names it may have, in small letters only."""


class ImportRefused(Exception):  # noqa: N818 - a refusal in words, not a fault.
    """The file as a whole cannot be read; nothing was changed.

    The text says what is wrong and what to do.
    """


@dataclass(frozen=True, slots=True)
class Record:
    """One row of the file, by our names of its columns."""

    line: int
    cells: dict[str, str]
    problem: str = ""


class MemberFile:
    """A file that was looked through once, so that reading it again cannot fail.

    ``columns`` are those that it has, by our names; ``ignored`` are its headings
    that mean nothing here.
    """

    def __init__(self, file: BinaryIO | File[Any]) -> None:
        """Look through the file. Raise :class:`ImportRefused` in words."""
        self._file = file
        self._require_small()
        self._require_text()
        self._delimiter = self._guess_delimiter()
        headings = self._headings()
        self._by_position = {
            position: column
            for position, heading in enumerate(headings)
            if (column := column_named(heading))
        }
        self.columns = tuple(self._by_position.values())
        self.ignored = tuple(
            heading.strip()
            for position, heading in enumerate(headings)
            if position not in self._by_position and heading.strip()
        )
        self._width = len(headings)
        self._require_columns()
        self._require_few_rows()

    def records(self) -> Iterator[Record]:
        """Yield the rows below the header; empty lines are passed over."""
        reader = self._reader()
        next(reader)
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield self._record(line, cells)
            line = reader.line_num + 1

    def _record(self, line: int, cells: list[str]) -> Record:
        extra = [cell for cell in cells[self._width :] if cell.strip()]
        if extra or len(cells) < self._width:
            cell_word = "cell" if len(cells) == 1 else "cells"
            return Record(
                line,
                {},
                f"The row has {len(cells)} {cell_word}, the header has {self._width}."
                " Put text that contains the delimiter in double quotes.",
            )
        return Record(
            line,
            {
                column: cells[position].strip()
                for position, column in self._by_position.items()
            },
        )

    def _require_small(self) -> None:
        size = self._file.seek(0, os.SEEK_END)
        if size > LARGEST_FILE:
            raise ImportRefused(
                f"The file has {size / 1024 / 1024:.0f} MB; at most"
                f" {LARGEST_FILE // 1024 // 1024} MB are read at a time. Split it."
            )
        if not size:
            raise ImportRefused("The file is empty. Choose a CSV file with a header.")

    def _require_text(self) -> None:
        try:
            for line in self._lines():
                if "\0" in line:
                    raise _not_utf8()
        except UnicodeDecodeError:
            raise _not_utf8() from None

    def _guess_delimiter(self) -> str:
        """Take the delimiter that finds the most of our columns in the header."""
        first = next(self._lines())

        def columns_found(delimiter: str) -> int:
            headings = next(csv.reader([first], delimiter=delimiter), [])
            return sum(column_named(heading) is not None for heading in headings)

        return max(DELIMITERS, key=columns_found)

    def _headings(self) -> list[str]:
        try:
            return next(self._reader(), [])
        except csv.Error:
            raise ImportRefused(
                "The header cannot be read. Save the file as CSV in UTF-8."
            ) from None

    def _require_columns(self) -> None:
        if "external_id" not in self.columns:
            raise ImportRefused(
                "The header names no column external_id. The first line of the file"
                f" must name its columns; known are {', '.join(COLUMNS)}."
            )
        for column in COLUMNS:
            if self.columns.count(column) > 1:
                raise ImportRefused(
                    f"The header names the column {column} more than once."
                    " Keep one of them."
                )

    def _require_few_rows(self) -> None:
        number = 0
        reader = self._reader()
        try:
            for number, _ in enumerate(reader):
                if number > MOST_ROWS:
                    raise ImportRefused(
                        f"The file has more than {MOST_ROWS:,} rows. Split it."
                    )
        except csv.Error as error:
            raise ImportRefused(
                f"Line {reader.line_num} cannot be read as CSV ({error})."
                " Correct it and import the file again."
            ) from None
        if not number:
            raise ImportRefused("The file has a header and no rows below it.")

    def _lines(self) -> Iterator[str]:
        self._file.seek(0)
        return codecs.iterdecode(iter(self._file.readline, b""), "utf-8-sig")

    def _reader(self) -> _csv.Reader:
        return csv.reader(self._lines(), delimiter=self._delimiter, strict=True)


def column_named(heading: str) -> str | None:
    """Return our name of a column, however the file spells it."""
    return _SPELLINGS.get(_bare(heading))


def _bare(heading: str) -> str:
    return "".join(one for one in heading.lower() if one.isalnum())


_SPELLINGS = {
    spelling: column
    for column, others in COLUMNS.items()
    for spelling in (_bare(column), *others)
}


def _not_utf8() -> ImportRefused:
    return ImportRefused(
        "The file is not in UTF-8. Save it as “CSV UTF-8” and import it again."
    )
