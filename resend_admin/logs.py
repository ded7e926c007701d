"""What stands in the log, and what must never stand there.

A line names rows by their numbers (``extra={"message_id": …}``) and says what
happened in fixed words. Addresses, contents, tokens and secrets stay out: the calls do
not name them, only known fields are written, and as a second line of defence the
formatters take out whatever looks like one. An exception is shown by its type and
where it came from; its text only when it is of a kind that never quotes data.
"""

from __future__ import annotations

import copy
import logging
import re
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from smtplib import SMTPException
from types import TracebackType
from typing import Any, Final

import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError
from kombu.exceptions import OperationalError as BrokerError
from pythonjsonlogger.json import JsonFormatter

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None]

CONTEXT: Final = (
    "organization_id",
    "integration_id",
    "broadcast_id",
    "bulk_resend_id",
    "message_id",
    "attempt_id",
    "receipt_id",
    "endpoint_id",
    "delivery_id",
    "request_id",
    "task",
    "status",
    "status_code",
    "code",
    "counts",
    "seconds",
)
"""The fields a line may carry; any other ``extra`` is left out."""
MOST_LINES: Final = 20
"""Lines about one thing that happened to many at once."""
LONGEST_VALUE: Final = 100
LONGEST_TEXT: Final = 300
SPEAKING: Final = (
    OperationalError,
    psycopg.OperationalError,
    BrokerError,
    OSError,
    ImproperlyConfigured,
)
"""Exceptions whose text names servers and settings, never messages."""

_HIDDEN: Final = "…"
_PATTERNS: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(pattern, re.IGNORECASE), instead)
    for pattern, instead in (
        (r"(://)[^/\s@]+@", rf"\1{_HIDDEN}@"),
        (r"\b(bearer|basic)\s+[\w.~+/=-]+", rf"\1 {_HIDDEN}"),
        (
            r"\b((?:\w*token|password|passwd|secret|\w*key|signature|sig|code)=)"
            r"[^&\s\"'<>]+",
            rf"\1{_HIDDEN}",
        ),
        (r"(?:\bbot)?(?<!\d)\d{5,}:[\w-]{20,}", _HIDDEN),
        (r"[\w.+-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+", _HIDDEN),
        (r"(?:\+|%2b)\d[\d ().-]{5,20}\d", _HIDDEN),
        (r"(?<![\w.,:-])\d{8,15}(?![\w:-])", _HIDDEN),
        (r"(?<![\w/.-])[\w-]{40,}(?![\w/.-])", _HIDDEN),
    )
)
_TOKEN: Final = re.compile(r"(\btoken=)[^&\s\"'<>]+", re.IGNORECASE)


def log_each(
    logger: logging.Logger,
    level: int,
    sentence: str,
    rows: Sequence[Mapping[str, object]],
) -> None:
    """Write a line for each, with its numbers; of very many the first ones only.

    What is left out is counted in a line of its own.
    """
    for row in rows[:MOST_LINES]:
        logger.log(level, sentence, extra=dict(row))
    if more := len(rows[MOST_LINES:]):
        logger.log(level, f"And more: {sentence}", extra={"counts": {"more": more}})


class HideTokens(logging.Filter):
    """Takes the tokens of embedded tabs out of addresses; each opens a member."""

    def filter(self, record: logging.LogRecord) -> bool:
        with suppress(TypeError, ValueError, KeyError):
            text = record.getMessage()
            if "token=" in text.lower():
                record.msg = _TOKEN.sub(r"\1…", text)
                record.args = ()
        return True


def redacted(text: str) -> str:
    """Take out what looks like an address of a person, a token or a secret."""
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


def named(error: BaseException) -> str:
    """Return an exception by its type, with its text if that quotes no data."""
    kind = type(error)
    name = kind.__qualname__
    if kind.__module__ != "builtins":
        name = f"{kind.__module__}.{name}"
    if isinstance(error, SPEAKING) and not isinstance(error, SMTPException):
        first = str(error).strip().partition("\n")[0]
        return f"{name}: {redacted(first)[:LONGEST_TEXT]}"
    return name


class _Discreet(logging.Formatter):
    """Works on a copy of the record, so that other handlers see it as it was."""

    def discreet(self, record: logging.LogRecord) -> logging.LogRecord:
        record = copy.copy(record)
        text = redacted(_message(record))
        record.msg, record.args, record.message = text, (), text
        record.exc_text = None
        return record

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the library's name
        return "\n".join(_told(ei[1])) if ei and ei[1] is not None else ""


class Line(_Discreet):
    """One readable line, for a terminal: the context in brackets at its end."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        record = self.discreet(record)
        known = context_of(record)
        if known:
            facts = " ".join(f"{name}={value}" for name, value in known.items())
            record.msg = f"{record.msg} [{facts}]"
        return super().format(record)


class Json(_Discreet, JsonFormatter):
    """One JSON object per line, for programs that gather logs."""

    def __init__(self) -> None:
        JsonFormatter.__init__(self, "%(message)s", json_ensure_ascii=False)

    def format(self, record: logging.LogRecord) -> str:
        return JsonFormatter.format(self, self.discreet(record))

    def add_fields(
        self,
        log_data: dict[str, Any],
        record: logging.LogRecord,
        message_dict: dict[str, Any],
    ) -> None:
        moment = datetime.fromtimestamp(record.created, UTC)
        log_data["time"] = moment.isoformat(timespec="milliseconds")[:-6] + "Z"
        log_data["level"] = record.levelname
        log_data["logger"] = record.name
        log_data["message"] = record.message
        log_data |= context_of(record)
        log_data["process"] = record.process
        if record.exc_info and record.exc_info[1] is not None:
            log_data["error"] = named(record.exc_info[1])
            log_data["traceback"] = message_dict["exc_info"]


def context_of(record: logging.LogRecord) -> dict[str, Any]:
    """Return the known fields of a record, each of a harmless kind."""
    found = {name: getattr(record, name, None) for name in CONTEXT}
    return {
        name: _harmless(value) for name, value in found.items() if value is not None
    }


def _harmless(value: Any) -> Any:
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key)[:40]: _harmless(one) for key, one in value.items()}
    return redacted(str(value))[:LONGEST_VALUE]


def _message(record: logging.LogRecord) -> str:
    """Return the text, with each exception in it by its name alone."""
    args: Any = record.args
    if isinstance(args, Mapping):
        args = {key: _argument(value) for key, value in args.items()}
        if "exc" in args:
            # Celery quotes what a task raised, and its whole traceback.
            raised = record.exc_info[1] if record.exc_info else None
            args["exc"] = named(raised) if raised else _HIDDEN
            args["traceback"] = args["args"] = args["kwargs"] = _HIDDEN
    elif isinstance(args, tuple):
        args = tuple(_argument(value) for value in args)
    shown = _argument(record.msg)
    text = str(shown)
    # A line that does not fit its arguments is still worth its words.
    with suppress(TypeError, ValueError, KeyError):
        text = text % args if args else text
    if record.name == "asyncio":
        # It goes on with a picture of the task, and of what that raised.
        text = text.partition("\n")[0]
    return text


def _argument(value: Any) -> Any:
    return named(value) if isinstance(value, BaseException) else value


def _told(error: BaseException, depth: int = 0) -> Iterator[str]:
    """Yield where an exception came from, its causes first, in the usual order."""
    before = error.__cause__ or (
        None if error.__suppress_context__ else error.__context__
    )
    if before is not None and depth < 5:
        yield from _told(before, depth + 1)
        yield "Then:"
    yield "Traceback (most recent call last):"
    for frame in traceback.extract_tb(error.__traceback__):
        yield f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}'
        if frame.line:
            yield f"    {frame.line}"
    yield named(error)
