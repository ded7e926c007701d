"""Read the files of the error catalogue and refuse what is wrong in them.

A file names its ``channel`` and, for the texts that all channels share, the
``{provider}`` by the name a person knows. Below ``[codes.…]`` every table is
one cause. A code ``200-219`` stands for each number of that range, one that
ends in ``*`` for everything that begins so.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, Final

LONGEST_TITLE: Final = 48
LONGEST_LABEL: Final = 28
SHARED: Final = "shared.toml"
"""The causes that every channel knows, listed once."""

_TEXTS: Final = ("title", "diagnosis", "advice")
_KINDS: Final[Mapping[str, type]] = {
    "class": str,
    "title": str,
    "diagnosis": str,
    "advice": str,
    "label": str,
    "fix": str,
    "wait_seconds": int,
    "needs_person": bool,
    "aliases": list,
    "phrases": list,
}
_RANGE: Final = re.compile(r"(\d+)-(\d+)$")
_NEXT_SENTENCE: Final = re.compile(r"[.!?] [A-Z]")


class CatalogueError(Exception):
    """The data of the catalogue are wrong; names the file and the code."""


@dataclass(frozen=True, slots=True)
class Row:
    """One table of a file, checked for form but not yet for sense."""

    place: str
    code: str
    error_class: str
    title: str
    diagnosis: str
    advice: str
    label: str = ""
    fix: str = ""
    wait_seconds: int = 0
    needs_person: bool = False
    spellings: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Sheet:
    channel: str
    provider: str
    rows: tuple[Row, ...]


def read_rows(directory: Path) -> Iterator[Row]:
    """Yield the rows of all files; those all channels share, for each channel.

    Raise :class:`CatalogueError` for what cannot be read or has a wrong form.
    """
    shared: tuple[Row, ...] = ()
    providers: dict[str, str] = {}
    for path in sorted(directory.glob("*.toml")):
        sheet = _sheet(path)
        if path.name == SHARED:
            shared = sheet.rows
            providers[sheet.channel] = sheet.provider
            continue
        if sheet.provider:
            providers[sheet.channel] = sheet.provider
        yield from sheet.rows
    for channel, provider in providers.items():
        for row in shared:
            yield _localized(row, channel, provider)


def _sheet(path: Path) -> _Sheet:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"{path.name}: {error}") from error
    channel = document.get("channel")
    codes = document.get("codes")
    if not isinstance(channel, str) or not isinstance(codes, dict) or not codes:
        raise CatalogueError(f"{path.name}: needs a channel and codes")
    rows = tuple(_row(path.name, channel, own, table) for own, table in codes.items())
    return _Sheet(channel, str(document.get("provider", "")), rows)


def _row(name: str, channel: str, own: str, table: Any) -> Row:
    place = f"{name}, code {own}"
    if not isinstance(table, dict):
        raise CatalogueError(f"{place}: is not a table")
    for key, value in table.items():
        kind = _KINDS.get(key)
        if kind is None:
            raise CatalogueError(f"{place}: does not know {key!r}")
        if type(value) is not kind:
            raise CatalogueError(f"{place}: {key} has to be of type {kind.__name__}")
    for key in ("class", *_TEXTS):
        if not table.get(key):
            raise CatalogueError(f"{place}: {key} is missing")
    _check_texts(place, table)
    phrases = tuple(str(phrase) for phrase in table.get("phrases", ()))
    if phrases and ":" not in own:
        raise CatalogueError(f"{place}: phrases tell apart codes with a colon only")
    if any(phrase != phrase.lower() or "_" in phrase for phrase in phrases):
        raise CatalogueError(f"{place}: phrases are lower case, with spaces")
    aliases = tuple(str(alias) for alias in table.get("aliases", ()))
    numbers = (_numbers(place, spelling) for spelling in (own, *aliases))
    spellings = (*aliases, *chain.from_iterable(numbers))
    return Row(
        place=place,
        code=f"{channel}:{own}",
        error_class=table["class"],
        title=table["title"],
        diagnosis=table["diagnosis"],
        advice=table["advice"],
        label=table.get("label", ""),
        fix=table.get("fix", ""),
        wait_seconds=table.get("wait_seconds", 0),
        needs_person=table.get("needs_person", False),
        spellings=tuple(f"{channel}:{spelling}" for spelling in spellings),
        phrases=phrases,
    )


def _check_texts(place: str, table: Mapping[str, Any]) -> None:
    if len(table["title"]) > LONGEST_TITLE or table["title"].endswith("."):
        raise CatalogueError(
            f"{place}: a title is at most {LONGEST_TITLE} characters, no full stop"
        )
    if len(table.get("label", "")) > LONGEST_LABEL:
        raise CatalogueError(f"{place}: a label is at most {LONGEST_LABEL} characters")
    for key in ("diagnosis", "advice"):
        text = table[key]
        if not text.endswith(".") or _NEXT_SENTENCE.search(text):
            raise CatalogueError(f"{place}: {key} has to be one sentence")


def _numbers(place: str, own: str) -> tuple[str, ...]:
    """Return the single codes of a range such as ``200-219``, else nothing."""
    match = _RANGE.match(own)
    if match is None:
        return ()
    first, last = int(match[1]), int(match[2])
    if not first < last <= first + 999:
        raise CatalogueError(f"{place}: is not a range")
    return tuple(str(number) for number in range(first, last + 1))


def _localized(row: Row, channel: str, provider: str) -> Row:
    """Return a shared row for one channel, with its provider's name put in."""

    def moved(code: str) -> str:
        return f"{channel}:{code.partition(':')[2]}"

    def named(text: str) -> str:
        text = text.replace("{provider}", provider)
        return f"{text[0].upper()}{text[1:]}"

    title = named(row.title)
    if len(title) > LONGEST_TITLE:
        raise CatalogueError(f"{row.place}: the title is too long for {channel}")
    return replace(
        row,
        code=moved(row.code),
        title=title,
        diagnosis=named(row.diagnosis),
        advice=named(row.advice),
        spellings=tuple(moved(code) for code in row.spellings),
    )
