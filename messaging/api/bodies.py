"""Bodies are JSON objects in UTF-8 and nothing that PostgreSQL would choke on."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from django.http import HttpRequest
from ninja.parser import Parser

from messaging.api.problems import Problem, invalid

MOST_BYTES = 64 * 1024


def check_size(request: HttpRequest, most: int = MOST_BYTES) -> None:
    """Refuse a body that is too large, or may be, before any of it is read."""
    if "CONTENT_LENGTH" not in request.META and "Transfer-Encoding" in request.headers:
        raise Problem(
            411, "length_required", "Send the body in one piece, with its length."
        )
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if announced.isascii() and announced.isdigit() and int(announced) > most:
        raise Problem(413, "body_too_large", f"The body is larger than {most:,} bytes.")


class StrictParser(Parser):
    """Reads what is JSON beyond doubt: once per name, whole, and in UTF-8."""

    def parse_body(self, request: HttpRequest) -> Any:
        if request.content_type != "application/json":
            raise Problem(
                415, "unsupported_media_type", "Send the body as application/json."
            )
        return read_json(request.body)


def read_json(raw: bytes) -> Any:
    """Return what the text says; raise a :class:`Problem` for what is no JSON."""
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_no_number,
        )
        _check_text(value)
    except RecursionError:
        raise invalid("The body is nested too deeply.") from None
    except UnicodeDecodeError:
        raise invalid("The body is not text in UTF-8.") from None
    except ValueError as error:
        raise invalid(f"The body is not valid JSON: {_why(error)}.") from None
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise invalid("The body names a field twice.", code="duplicate_field")
    return value


def _no_number(word: str) -> NoReturn:
    message = f"{word} is no number in JSON"
    raise ValueError(message)


def _why(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos + 1}"
    return str(error)


def is_storable(text: str) -> bool:
    """Tell whether a column can hold it: no NUL, and no half of a character."""
    return "\x00" not in text and not any("\ud800" <= mark <= "\udfff" for mark in text)


def _check_text(value: Any) -> None:
    """Refuse what no column of text can hold."""
    match value:
        case str():
            if not is_storable(value):
                message = "a text contains a character that cannot be stored"
                raise ValueError(message)
        case list():
            for item in value:
                _check_text(item)
        case dict():
            for name, item in value.items():
                _check_text(name)
                _check_text(item)
