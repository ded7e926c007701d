"""What every error code means for a person: its class, its cause, its cure.

The facts stand in ``errors/*.toml``, one table per code. They are read and
checked once, at import: a mistake in the data stops the start and names the
file and the code. A code is ``<channel>:<the provider's own word>``; our own
are ``resend_admin:<word>``.

Sources of the facts: Meta's "Error codes" page of the WhatsApp Business
Platform, the Telegram Bot API and the descriptions its server sends, Twilio's
error dictionary, RFC 5321, RFC 3463, RFC 5248 and RFC 7372 for e-mail.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Final

from messaging.channels.catalogue_files import CatalogueError, Row, read_rows

__all__ = [
    "CatalogueEntry",
    "CatalogueError",
    "ErrorClass",
    "Fix",
    "Tone",
    "Verdict",
    "entries",
    "lookup",
    "verdict",
]

DATA: Final = Path(__file__).with_name("errors")
SHOWN_DETAIL: Final = 300
"""Characters of a provider's own words that a diagnosis repeats."""


class ErrorClass(StrEnum):
    """What a failure means for the next try."""

    RETRY = "retry"
    """Send again as it is."""
    WAIT = "wait"
    """Send again as it is, but later."""
    FIX_FIRST = "fix_first"
    """Sending again helps once somebody has changed something."""
    NEVER = "never"
    """Sending to this address does not help."""
    UNKNOWN = "unknown"
    """Nobody can tell; a person decides."""


class Fix(StrEnum):
    """What has to be changed before a *fix first* error goes away."""

    TEMPLATE = "template"
    MEDIA = "media"
    INTEGRATION = "integration"
    CREDITS = "credits"
    CONTENT = "content"
    NUMBER = "number"
    ACCOUNT = "account"


class Tone(StrEnum):
    """The colour family of a pill."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"
    IDLE = "idle"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to "Will a retry help?", ready for a pill."""

    label: str
    tone: Tone
    icon: str


_VERDICTS: Final[Mapping[ErrorClass, Verdict]] = {
    ErrorClass.RETRY: Verdict("Likely", Tone.OK, "check"),
    ErrorClass.WAIT: Verdict("Later", Tone.WARN, "clock"),
    ErrorClass.FIX_FIRST: Verdict("Fix first", Tone.WARN, "wrench"),
    ErrorClass.NEVER: Verdict("No", Tone.BAD, "cross"),
    ErrorClass.UNKNOWN: Verdict("Unclear", Tone.IDLE, "question"),
}


def verdict(error_class: ErrorClass | str) -> Verdict:
    """Return the pill of a class. Raise ``ValueError`` for a class unheard of."""
    return _VERDICTS[ErrorClass(error_class)]


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One cause of failure, in a support agent's words.

    ``code`` is the catalogue's own spelling: looked up by an alias or through
    a family, an entry still carries the code under which it is listed, so that
    equal causes compare equal. ``wait_seconds`` is how long a *wait* error
    takes to pass, counted from the failure; 0 for every other class.
    ``needs_person`` forbids automatic tries although sending again would help.
    """

    code: str
    error_class: ErrorClass
    title: str
    diagnosis: str
    advice: str
    wait_seconds: int = 0
    fix: Fix | None = None
    label: str = ""
    needs_person: bool = False

    @property
    def verdict(self) -> Verdict:
        """The pill of this entry: its own words, its class's colour and icon."""
        general = _VERDICTS[self.error_class]
        if not self.label:
            return general
        return Verdict(self.label, general.tone, general.icon)


def entries() -> tuple[CatalogueEntry, ...]:
    """Return every listed cause once, in the order of the files."""
    return _ENTRIES


def lookup(code: str, detail: str = "") -> CatalogueEntry:
    """Return what ``code`` means; never fails.

    ``detail`` is the provider's own text. It tells apart causes for which a
    provider has one code only (all of Telegram's 400), and a code that is not
    listed shows it. Tried in turn: the code itself, the code without what
    stands behind its last colons, its family (``http_503`` is an ``http_5xx``;
    ``550-5.1.1`` is a ``5.1.1``, else any ``5.1.x``, else a ``550``, else any
    ``5xx``). What is left is of class *unknown*.
    """
    if code not in _PHRASES:
        entry = _BY_CODE.get(code)
        if entry is not None:
            return entry
    return _resolve(code, detail)


@lru_cache(maxsize=4096)
def _resolve(code: str, detail: str) -> CatalogueEntry:
    words = f"{code} {detail}".lower().replace("_", " ")
    for candidate in _candidates(code):
        for phrase, entry in _PHRASES.get(candidate, ()):
            if phrase in words:
                return entry
        found = _BY_CODE.get(candidate)
        if found is not None:
            return found
    return _unlisted(code, detail)


def _candidates(code: str) -> Iterator[str]:
    """Yield the spellings under which ``code`` may be listed, nearest first."""
    yield code
    channel, _, own = code.partition(":")
    stem = own
    while ":" in stem:
        stem = stem.rpartition(":")[0]
        yield f"{channel}:{stem}"
    if channel == "email":
        yield from (f"email:{family}" for family in _mail_families(own))
    status = _HTTP_STATUS.match(stem) if channel == "telegram" else None
    status = status or _HTTP_CODE.match(stem)
    if status is not None:
        yield f"{channel}:http_{status[1]}"
        yield f"{channel}:http_{status[1][0]}xx"
        yield f"any:http_{status[1][0]}xx"
    for prefix in _PREFIXES:
        if code.startswith(prefix):
            yield f"{prefix}*"
    # Credentials and lost lines read the same whatever stands before the colon.
    yield f"any:{own.rpartition(':')[2]}"


_HTTP_CODE: Final = re.compile(r"http_([45]\d\d)$")
_HTTP_STATUS: Final = re.compile(r"([45]\d\d)$")
_MAIL: Final = re.compile(
    r"(?P<basic>[245]\d\d)?[ :_-]*(?P<enhanced>[245]\.\d{1,3}\.\d{1,3})?"
)


def _mail_families(own: str) -> Iterator[str]:
    """Yield the enhanced status (RFC 3463), its subject, the basic reply."""
    match = _MAIL.match(own)
    assert match is not None, "every part of the pattern is optional"
    basic, enhanced = match["basic"], match["enhanced"]
    if enhanced:
        yield enhanced
        yield f"{enhanced.rpartition('.')[0]}.x"
    if basic:
        yield basic
    first = basic or enhanced
    if first:
        yield f"{first[0]}xx"


def _unlisted(code: str, detail: str) -> CatalogueEntry:
    said = " ".join(detail.split())
    if len(said) > SHOWN_DETAIL:
        said = f"{said[:SHOWN_DETAIL]}…"
    if said:
        diagnosis = f"The provider answered “{said}”, which is not in our list."
    elif code:
        diagnosis = f"The provider answered “{code}” without a word of explanation."
    else:
        diagnosis = "The provider gave no reason."
    return CatalogueEntry(
        code=code,
        error_class=ErrorClass.UNKNOWN,
        title=f"Unknown answer: {code or 'none'}",
        diagnosis=diagnosis,
        advice="Look the answer up at the provider before you send it again.",
    )


def _entry(row: Row) -> CatalogueEntry:
    """Turn a row into an entry. Raise ``CatalogueError`` for what cannot be."""
    try:
        error_class = ErrorClass(row.error_class)
        fix = Fix(row.fix) if row.fix else None
    except ValueError as error:
        raise CatalogueError(f"{row.place}: {error}") from error
    waits = error_class is ErrorClass.WAIT
    if waits != (row.wait_seconds > 0):
        raise CatalogueError(f"{row.place}: wait_seconds goes with class wait")
    if fix is not None and error_class is not ErrorClass.FIX_FIRST:
        raise CatalogueError(f"{row.place}: a fix goes with class fix_first")
    return CatalogueEntry(
        code=row.code,
        error_class=error_class,
        title=row.title,
        diagnosis=row.diagnosis,
        advice=row.advice,
        wait_seconds=row.wait_seconds,
        fix=fix,
        label=row.label,
        needs_person=row.needs_person,
    )


Phrases = dict[str, list[tuple[str, CatalogueEntry]]]


def _load(
    directory: Path,
) -> tuple[tuple[CatalogueEntry, ...], dict[str, CatalogueEntry], Phrases]:
    """Read a directory of data files.

    Return the entries, every spelling of a code, and the phrases that tell
    apart what shares one code. Raise ``CatalogueError`` for wrong data.
    """
    listed: list[CatalogueEntry] = []
    by_code: dict[str, CatalogueEntry] = {}
    phrases: Phrases = {}
    for row in read_rows(directory):
        entry = _entry(row)
        listed.append(entry)
        for spelling in (row.code, *row.spellings):
            if spelling in by_code:
                raise CatalogueError(f"{row.place}: {spelling} is listed twice")
            by_code[spelling] = entry
        stem = row.code.rpartition(":")[0]
        for phrase in row.phrases:
            phrases.setdefault(stem, []).append((phrase, entry))
    return tuple(listed), by_code, phrases


_ENTRIES, _BY_CODE, _PHRASES = _load(DATA)
_PREFIXES: Final = sorted(
    (code[:-1] for code in _BY_CODE if code.endswith("*")), key=len, reverse=True
)
