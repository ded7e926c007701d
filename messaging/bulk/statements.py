"""The statements of a bulk resend, a file per verb in ``sql/``."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, Final

from django.core.exceptions import EmptyResultSet
from django.db import models

from messaging.dispatch import statements
from messaging.sql_files import SqlFiles, rows_of

FILES = SqlFiles(__file__)
PARTS_OF_ENGINE: Final = {
    "every part sent": "every_part_sent",
    "taken over": "taken_over_by",
    "waits since": "waits_since",
}
"""What the engine says in SQL, by the comments in whose places it is put."""


@functools.cache
def _text(verb: str) -> str:
    """Return a statement with the parts that several of them share put in."""
    text = FILES.text(verb)
    for comment, name in PARTS_OF_ENGINE.items():
        text = text.replace(f"/* {comment} */", statements.part(name))
    return (
        text.replace("/* facts */", _text("facts")) if "/* facts */" in text else text
    )


def _compiled(selection: models.QuerySet[Any, Any]) -> tuple[str, tuple[Any, ...]]:
    try:
        return selection.query.sql_with_params()
    except EmptyResultSet:
        # Django sees by itself that nothing can match, and compiles nothing.
        return "SELECT id FROM messaging_message WHERE false", ()


def rows(
    verb: str,
    parameters: Mapping[str, Any],
    selection: models.QuerySet[Any, Any] | None = None,
) -> list[dict[str, Any]]:
    """Run ``sql/<verb>.sql``; ``selection`` yields the ids it is about, if it asks."""
    text = _text(verb)
    values: dict[str, Any] = dict(parameters)
    if selection is not None:
        # The selection's own placeholders become named ones, like all others here.
        sql, positional = _compiled(selection)
        names = [f"selection_{number}" for number in range(len(positional))]
        values.update(zip(names, positional, strict=True))
        named = sql % tuple(f"%({name})s" for name in names)
        text = text.replace("/* selection */", named)
    return rows_of(text, values)
