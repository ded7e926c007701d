"""The inside of a CSV file of members: is each cell what its column promises?"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from phonenumbers import NumberParseException, PhoneNumberFormat

LENGTHS = {
    "external_id": 100,
    "name": 200,
    "email": 254,
    "telegram_chat_id": 32,
    "language": 10,
}
MOST_TAGS = 50
TAG_LENGTH = 50
SHOWN_VALUE = 100

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_CHAT = re.compile(r"-?[0-9]+|@[A-Za-z][A-Za-z0-9_]{4,31}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
_SPREADSHEET = re.compile(r"[0-9][.,]?[0-9]*[eE]\+?[0-9]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class BadCell(Exception):  # noqa: N818 - a finding about a file, not a fault.
    """Why a cell cannot be taken."""


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why a row was left out. ``line`` counts from 1, the header included."""

    line: int
    column: str
    value: str
    reason: str


def read_cells(cells: Mapping[str, str], default_region: str) -> dict[str, Any]:
    """Return the values of a row as the database wants them.

    Raises :class:`BadRow` for the first cell that is wrong.
    """
    values: dict[str, Any] = {}
    # The country decides how a phone number without its prefix is read.
    for column in sorted(cells, key=_ORDER.index):
        cell = cells[column]
        try:
            _require_fitting(column, cell)
            region = values.get("country") or default_region
            values[column] = _READERS[column](cell, region)
        except BadCell as problem:
            raise BadRow(column, cell, str(problem)) from None
    return values


class BadRow(Exception):  # noqa: N818 - the same.
    """Which cell of a row is wrong, and why."""

    def __init__(self, column: str, value: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.value = value
        self.reason = reason

    def at(self, line: int) -> RowProblem:
        return RowProblem(line, self.column, self.value[:SHOWN_VALUE], self.reason)


def region_named(name: str) -> str:
    """Return an ISO 3166 code in capitals. Raise :class:`BadCell` for others."""
    code = name.upper()
    if code and code not in phonenumbers.SUPPORTED_REGIONS:
        raise BadCell("This is no ISO 3166 country code; write for example GH.")
    return code


def _require_fitting(column: str, cell: str) -> None:
    longest = LENGTHS.get(column)
    if longest is not None and len(cell) > longest:
        raise BadCell(f"This has {len(cell)} characters; at most {longest} fit.")
    if _CONTROL.search(cell):
        raise BadCell("This has a line break or another control character in it.")


def _external_id(cell: str, region: str) -> str:
    if not cell:
        raise BadCell("Every member needs an external_id.")
    return cell


def _text(cell: str, region: str) -> str:
    return cell


def _phone(cell: str, region: str) -> str:
    if not cell:
        return ""
    if _SPREADSHEET.fullmatch(cell):
        raise BadCell(
            "A spreadsheet turned this number into a power of ten. Format the column"
            " as text and export it again."
        )
    try:
        number = phonenumbers.parse(cell, region or None)
    except NumberParseException as error:
        raise BadCell(_unreadable(error, region)) from None
    if number.extension:
        raise BadCell("A number with an extension gets no messages.")
    if not phonenumbers.is_valid_number(number):
        raise BadCell(_no_such_number(number))
    written = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    if not _E164.fullmatch(written):
        raise BadCell("This number is too short or too long.")
    return written


def _unreadable(error: NumberParseException, region: str) -> str:
    if error.error_type == NumberParseException.INVALID_COUNTRY_CODE and not region:
        return (
            "The country of this number is not known: write it with a plus and its"
            " country code, or fill in the country."
        )
    return "This is no phone number."


def _no_such_number(number: phonenumbers.PhoneNumber) -> str:
    match phonenumbers.is_possible_number_with_reason(number):
        case phonenumbers.ValidationResult.TOO_SHORT:
            return "This number is too short for its country."
        case phonenumbers.ValidationResult.TOO_LONG:
            return "This number is too long for its country."
    return "No such number exists in its country."


def _email(cell: str, region: str) -> str:
    if cell:
        try:
            validate_email(cell)
        except ValidationError:
            raise BadCell("This is no e-mail address.") from None
    return cell


def _chat(cell: str, region: str) -> str:
    if cell and not _CHAT.fullmatch(cell):
        raise BadCell("A Telegram chat is a number, or a name that begins with @.")
    return cell


def _country(cell: str, region: str) -> str:
    return region_named(cell)


def _language(cell: str, region: str) -> str:
    if cell and not _LANGUAGE.fullmatch(cell):
        raise BadCell("This is no language code; write for example en or pt-BR.")
    return cell.replace("_", "-")


def _tags(cell: str, region: str) -> list[str]:
    tags = list(dict.fromkeys(one.strip() for one in cell.split(";") if one.strip()))
    if len(tags) > MOST_TAGS:
        raise BadCell(f"There are {len(tags)} tags; at most {MOST_TAGS} fit.")
    for tag in tags:
        if len(tag) > TAG_LENGTH:
            raise BadCell(
                f"The tag “{tag[:20]}…” is longer than {TAG_LENGTH} characters."
            )
    return tags


_READERS: Mapping[str, Callable[[str, str], Any]] = {
    "external_id": _external_id,
    "country": _country,
    "phone": _phone,
    "name": _text,
    "email": _email,
    "telegram_chat_id": _chat,
    "language": _language,
    "tags": _tags,
}
_ORDER = tuple(_READERS)
