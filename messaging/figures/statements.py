"""The statements of the figures, a file each in ``sql/``; they read counters only."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, Final

from messaging.sql_files import SqlFiles, rows_of

FILES = SqlFiles(__file__)

BY_DAY: Final = "messaging_dailyfigure"
"""Where figures of all broadcasts are added up already."""
OF_THESE: Final = "AND figure.broadcast_id = ANY (%(broadcast_ids)s::bigint[])"


def _part(name: str) -> str:
    return FILES.text(name).rstrip()


@functools.cache
def _text(name: str, *, of_broadcasts: bool) -> str:
    text = _part(name).replace("/* within the scope */", _part("scope"))
    source = _part("of_broadcasts") if of_broadcasts else BY_DAY
    return text.replace("/* figures */", source).replace(
        "/* of these broadcasts */", OF_THESE if of_broadcasts else ""
    )


def rows(name: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Run ``sql/<name>.sql`` and return its rows as dictionaries.

    With ``broadcast_ids`` the tallies of those broadcasts are read; without, what
    was added up by the day.
    """
    of_broadcasts = parameters.get("broadcast_ids") is not None
    return rows_of(_text(name, of_broadcasts=of_broadcasts), parameters)
