"""Lists by key: newest first, never counted, however deep they go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import strawberry
from django.db.models import Model

from broadcasts.problems import bad_input
from resend_admin.ui.keyset import cursor_of, key_in

DEFAULT = 25
MOST = 100
"""Rows that one page has at most."""
ORDER = ("-id",)

Node = TypeVar("Node")


@strawberry.type
class PageInfo:
    has_next_page: bool
    has_previous_page: bool = strawberry.field(
        description="Whether the page began behind a cursor."
    )
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type
class Edge(Generic[Node]):
    cursor: str = strawberry.field(description="For `after`; says nothing else.")
    node: Node


@strawberry.type
class Connection(Generic[Node]):
    edges: list[Edge[Node]]
    nodes: list[Node] = strawberry.field(description="The same without cursors.")
    page_info: PageInfo


@dataclass(frozen=True, slots=True)
class Window:
    """So many rows below a place. ``below`` is an id, or nothing for the top."""

    first: int
    below: int | None

    @classmethod
    def of(cls, model: type[Model], first: int, after: str | None) -> Window:
        """Return the window that was asked for, or refuse it in words."""
        check_first(first)
        if after is None:
            return cls(first, None)
        key = key_in(model, after, ORDER)
        if key is None:
            raise bad_input(
                "The cursor is none of this list. Leave after out to start at the top.",
                "after",
            )
        return cls(first, key[0])


def check_first(first: int) -> None:
    if not 1 <= first <= MOST:
        raise bad_input(f"Ask for 1 to {MOST} rows; first is {first}.", "first")


def connection(
    rows: Sequence[Model], nodes: Sequence[Node], window: Window
) -> Connection[Node]:
    """Return one page, of rows that were looked up with one more than it shows."""
    shown = list(zip(rows[: window.first], nodes, strict=False))
    edges = [Edge(cursor=cursor_of(row, ORDER), node=node) for row, node in shown]
    return Connection(
        edges=edges,
        nodes=[node for _, node in shown],
        page_info=PageInfo(
            has_next_page=len(rows) > window.first,
            has_previous_page=window.below is not None,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        ),
    )
