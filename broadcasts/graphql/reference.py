"""The schema as people read it: what may be asked, what is done, and the types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    Undefined,
    ast_from_value,
    get_named_type,
    print_ast,
)

from broadcasts.graphql.schema import schema

WORDS: Final[Mapping[type[GraphQLNamedType], str]] = {
    GraphQLObjectType: "type",
    GraphQLInputObjectType: "input",
    GraphQLEnumType: "enum",
    GraphQLScalarType: "scalar",
}
BUILT_IN: Final = frozenset({"String", "Int", "Float", "Boolean", "ID"})


@dataclass(frozen=True, slots=True)
class Entry:
    """A field, an argument or a value: its name, and what it is of."""

    name: str
    type: str = ""
    type_name: str = ""
    """The type to look up; empty where there is nothing to read about it."""
    default: str = ""
    description: SafeString | str = ""
    arguments: Sequence[Entry] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """One type, with what it has."""

    name: str
    word: str
    description: SafeString
    entries: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class Reference:
    queries: Section
    mutations: Section
    types: Sequence[Section]


@cache
def reference() -> Reference:
    known = schema._schema.type_map
    names = [
        name
        for name in sorted(known)
        if not name.startswith("__")
        and name not in BUILT_IN
        and name not in {"Query", "Mutation"}
    ]
    return Reference(
        queries=_section(known["Query"]),
        mutations=_section(known["Mutation"]),
        types=[_section(known[name]) for name in names],
    )


def _section(found: GraphQLNamedType) -> Section:
    match found:
        case GraphQLObjectType() | GraphQLInputObjectType():
            entries = [_field(name, one) for name, one in found.fields.items()]
        case GraphQLEnumType():
            entries = [
                Entry(name, description=with_code(value.description or ""))
                for name, value in found.values.items()
            ]
        case _:
            entries = []
    word = next(word for kind, word in WORDS.items() if isinstance(found, kind))
    return Section(found.name, word, with_code(found.description or ""), entries)


def _field(name: str, field: GraphQLField | GraphQLInputField) -> Entry:
    arguments: Mapping[str, GraphQLArgument] = getattr(field, "args", {})
    return _entry(name, field, [_entry(inner, one) for inner, one in arguments.items()])


def _entry(
    name: str,
    found: GraphQLField | GraphQLInputField | GraphQLArgument,
    arguments: Sequence[Entry] = (),
) -> Entry:
    inner = get_named_type(found.type)
    return Entry(
        name=name,
        type=str(found.type),
        type_name="" if inner.name in BUILT_IN else inner.name,
        default=_default(found),
        description=with_code(found.description or ""),
        arguments=arguments,
    )


def _default(found: Any) -> str:
    """Return what holds where nothing is given; that it is nothing goes unsaid."""
    value = getattr(found, "default_value", Undefined)
    if value is Undefined or value is None:
        return ""
    node = ast_from_value(value, found.type)
    return print_ast(node) if node else ""


def with_code(text: str) -> SafeString:
    """Return a description in which what stands between backticks is code."""
    pieces = text.split("`")
    return format_html_join(
        "",
        "{}",
        (
            (format_html("<code>{}</code>", piece) if place % 2 else piece,)
            for place, piece in enumerate(pieces)
        ),
    )
