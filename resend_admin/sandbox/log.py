"""The witness: an append-only file of what the stand-ins took and posted.

One JSON object per line. A line reaches the operating system before the answer
leaves, so nothing that a sender was told can be missing here, whichever process
is killed. Recipients and references stand in it, contents only as a digest.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ACCEPTED = "accepted"
REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One request that arrived.

    ``outcome`` is ``accepted`` or ``refused``. ``fate`` is what becomes of an
    accepted message: ``delivered``, ``failed`` (a receipt with ``code`` says so
    later) or ``silent`` (nobody ever hears). ``decided_by`` is ``number`` (a
    magic one), ``mix``, ``switch`` or ``request`` (it was malformed). ``fault`` is
    what went wrong with the answer on its way (see ``switches.Fault``), or "".
    """

    at: datetime
    channel: str
    account: str
    recipient: str
    reference: str
    provider_id: str
    digest: str
    outcome: str
    code: str = ""
    fate: str = ""
    decided_by: str = ""
    callback: str = ""
    fault: str = ""

    @property
    def accepted(self) -> bool:
        return self.outcome == ACCEPTED

    @property
    def part(self) -> str:
        """The part of a flow that the reference names, or ""."""
        return self.reference.partition(":")[2]

    def as_json(self) -> dict[str, Any]:
        return {
            "line": "request",
            "at": _to_text(self.at),
            "channel": self.channel,
            "account": self.account,
            "recipient": self.recipient,
            "reference": self.reference,
            "provider_id": self.provider_id,
            "digest": self.digest,
            "outcome": self.outcome,
            "code": self.code,
            "fate": self.fate,
            "decided_by": self.decided_by,
            "callback": self.callback,
            "fault": self.fault,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One receipt that was due. ``result``: ``posted``, ``dropped``, ``refused``."""

    at: datetime
    channel: str
    provider_id: str
    status: str
    result: str

    def as_json(self) -> dict[str, Any]:
        return {
            "line": "receipt",
            "at": _to_text(self.at),
            "channel": self.channel,
            "provider_id": self.provider_id,
            "status": self.status,
            "result": self.result,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A device was asked for something that is no message.

    ``verb`` is ``retry`` or ``history``; ``outcome`` is ``accepted`` when the device
    did it, whether or not its answer arrived.
    """

    at: datetime
    channel: str
    account: str
    verb: str
    chat: str
    sender: str
    message_ids: list[str]
    outcome: str
    code: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "line": "ask",
            "at": _to_text(self.at),
            "channel": self.channel,
            "account": self.account,
            "verb": self.verb,
            "chat": self.chat,
            "sender": self.sender,
            "message_ids": self.message_ids,
            "outcome": self.outcome,
            "code": self.code,
        }


Line = Entry | Notice | Ask
_LINES: Mapping[str, type[Line]] = {"request": Entry, "receipt": Notice, "ask": Ask}


class Log:
    """The open end of the file."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
        self._file = os.open(path, flags, 0o600)
        self._end_torn_line()

    def _end_torn_line(self) -> None:
        """Close a line that a killed process left unfinished."""
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")

    def write(self, *lines: Line) -> None:
        """Append lines; when this returns they outlive this process."""
        text = "".join(
            json.dumps(line.as_json(), separators=(",", ":")) + "\n" for line in lines
        )
        rest = memoryview(text.encode())
        while rest:
            rest = rest[os.write(self._file, rest) :]

    def close(self) -> None:
        os.close(self._file)


def lines(path: Path) -> Iterator[Line]:
    """Yield every whole line of a log, oldest first; a torn one is left out."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for raw in file:
            line = _understood(raw)
            if line is not None:
                yield line


def lines_since(path: Path, offset: int) -> tuple[list[dict[str, Any]], int]:
    """Return the lines after ``offset`` bytes, and the offset to go on from."""
    with path.open("rb") as file:
        file.seek(offset)
        block = file.read()
    whole = block[: block.rfind(b"\n") + 1]
    found = (_understood(raw) for raw in whole.splitlines())
    return [line.as_json() for line in found if line], offset + len(whole)


def read(path: Path) -> list[Entry]:
    """Return every request in a log, oldest first."""
    return [line for line in lines(path) if isinstance(line, Entry)]


def read_asks(path: Path) -> list[Ask]:
    """Return everything else that devices were asked for, oldest first."""
    return [line for line in lines(path) if isinstance(line, Ask)]


def read_notices(path: Path) -> list[Notice]:
    """Return every receipt in a log, oldest first."""
    return [line for line in lines(path) if isinstance(line, Notice)]


def accepted_twice(
    entries: Iterable[Entry], *, including_failed: bool = False
) -> list[list[Entry]]:
    """Return the groups of entries with which one person got one thing twice.

    The same thing is the same content, on the same channel, in the same part of a
    flow. An acceptance that a receipt took back as failed reached nobody and does
    not count, unless ``including_failed``.
    """
    groups: defaultdict[tuple[str, str, str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.accepted and (including_failed or entry.fate != "failed"):
            key = (entry.channel, entry.recipient, entry.digest, entry.part)
            groups[key].append(entry)
    return [group for group in groups.values() if len(group) > 1]


def digest_of(content: Any) -> str:
    """Return the SHA-256 of a content, whatever the order of its keys."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def now() -> datetime:
    return datetime.now(UTC)


def _to_text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _understood(raw: bytes) -> Line | None:
    try:
        fields = json.loads(raw)
        kind = fields.pop("line")
        fields["at"] = datetime.fromisoformat(fields["at"])
        return _LINES[kind](**fields)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
