"""Paging by key: "Newer" and "Older" instead of page numbers.

A page costs one query for one row more than it shows, however deep it is, and no
row is counted. A row added meanwhile moves nothing between two pages.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import FieldError, ValidationError
from django.db.models import Field, Model, Q, QuerySet
from django.utils import timezone

Row = TypeVar("Row", bound=Model)

OLDER = "older"
NEWER = "newer"
_LONGEST_CURSOR = 600


@dataclass(frozen=True, slots=True)
class KeysetPage(Generic[Row]):
    """``newer`` and ``older`` are values for the URL parameters of these names;
    empty where there is no such page."""

    rows: list[Row]
    newer: str = ""
    older: str = ""

    @property
    def has_others(self) -> bool:
        return bool(self.newer or self.older)


Take = Callable[[QuerySet[Row], int], list[Row]]
"""Returns the first so many rows of a queryset that is in order."""


def first_rows(rows: QuerySet[Row], number: int) -> list[Row]:
    return list(rows[:number])


def keyset_page(
    queryset: QuerySet[Row],
    params: Mapping[str, str],
    order: Sequence[str] = ("-created_at", "-id"),
    size: int = 25,
    take: Take[Row] = first_rows,
) -> KeysetPage[Row]:
    """The page that ``params`` (a ``request.GET``) asks for.

    ``order`` names columns that are never null and, taken together, unique; ``a__b``
    reaches into a relation, which the queryset should select. A cursor that was
    tampered with, or that is of another list, shows the first page. ``take`` is for
    lists that know a shorter way to their first rows than PostgreSQL would find.
    """
    for parameter in (OLDER, NEWER):
        key = key_in(queryset.model, params.get(parameter, ""), order)
        if key is None:
            continue
        if parameter == OLDER:
            return _page_below(queryset, order, size, key, take)
        page = _page_above(queryset, order, size, key, take)
        # A short page on the way up means that the top is reached.
        if len(page.rows) == size:
            return page
        break
    return _page_below(queryset, order, size, None, take)


def _page_below(
    queryset: QuerySet[Row],
    order: Sequence[str],
    size: int,
    key: list[Any] | None,
    take: Take[Row],
) -> KeysetPage[Row]:
    below = queryset.filter(_behind(order, key)) if key is not None else queryset
    found = take(below.order_by(*order), size + 1)
    rows = found[:size]
    return KeysetPage(
        rows=rows,
        newer=cursor_of(rows[0], order) if rows and key is not None else "",
        older=cursor_of(rows[-1], order) if len(found) > size else "",
    )


def _page_above(
    queryset: QuerySet[Row],
    order: Sequence[str],
    size: int,
    key: list[Any],
    take: Take[Row],
) -> KeysetPage[Row]:
    upwards = [_turned(column) for column in order]
    above = queryset.filter(_behind(upwards, key)).order_by(*upwards)
    found = take(above, size + 1)
    rows = found[:size][::-1]
    return KeysetPage(
        rows=rows,
        newer=cursor_of(rows[0], order) if len(found) > size else "",
        older=cursor_of(rows[-1], order) if rows else "",
    )


def _turned(column: str) -> str:
    return column[1:] if column.startswith("-") else f"-{column}"


def _behind(order: Sequence[str], key: Sequence[Any]) -> Q:
    """Rows that come after ``key`` in ``order``.

    ``a <= x AND (a < x OR (a = x AND …))``: the first half is what an index on the
    leading column can jump to.
    """
    (column, value), *rest = zip(order, key, strict=True)
    name = column.removeprefix("-")
    comparison = "lt" if column.startswith("-") else "gt"
    beyond = Q(**{f"{name}__{comparison}": value})
    if not rest:
        return beyond
    tie = Q(**{name: value}) & _behind(order[1:], key[1:])
    return Q(**{f"{name}__{comparison}e": value}) & (beyond | tie)


def cursor_of(row: Model, order: Sequence[str]) -> str:
    """Return the place of a row in a list that is in this order."""
    values = [_written(_value(row, column.removeprefix("-"))) for column in order]
    text = json.dumps(values, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _value(row: Any, path: str) -> Any:
    for name in path.split("__"):
        row = getattr(row, name)
    return row


def _written(value: Any) -> int | str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value if isinstance(value, int) else str(value)


def key_in(model: type[Model], cursor: str, order: Sequence[str]) -> list[Any] | None:
    """The key in the cursor, each value of its column's type; else nothing."""
    if not cursor or len(cursor) > _LONGEST_CURSOR:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        values = json.loads(base64.urlsafe_b64decode(padded.encode()).decode())
        if not isinstance(values, list) or len(values) != len(order):
            return None
        fields = [_field(model, column.removeprefix("-")) for column in order]
        return [_typed(field, each) for field, each in zip(fields, values, strict=True)]
    except (
        binascii.Error,
        ValueError,
        TypeError,
        OverflowError,
        RecursionError,
        ValidationError,
    ):
        return None


def _field(model: type[Model], path: str) -> Field[Any, Any]:
    *relations, last = path.split("__")
    for name in relations:
        related = model._meta.get_field(name).related_model
        if related is None or isinstance(related, str):
            raise FieldError(f"{path} does not lead through relations")
        model = related
    found = model._meta.get_field(last) if last != "pk" else model._meta.pk
    if not isinstance(found, Field):
        raise FieldError(f"{path} is no column")
    return found


def _typed(field: Field[Any, Any], value: Any) -> Any:
    if not isinstance(value, int | str) or "\x00" in str(value):
        raise ValueError("not a value of a cursor")
    typed = field.to_python(value)
    if isinstance(typed, datetime):
        if timezone.is_naive(typed):
            raise ValueError("a moment without its zone")
        return typed.astimezone(UTC)
    if typed is None:
        raise ValueError("nothing to compare with")
    return typed
