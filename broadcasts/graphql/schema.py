"""The schema, put together; and as text, for the file that is kept of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

import strawberry
from django.conf import settings
from graphql import (
    DocumentNode,
    GraphQLError,
    Source,
    StringValueNode,
    Visitor,
    parse,
    validate,
    visit,
)
from graphql.language import VisitorAction
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.types.execution import ExecutionContext

from broadcasts.graphql.limits import MOST_TOKENS
from broadcasts.graphql.mutations import Mutation
from broadcasts.graphql.queries import Query
from broadcasts.graphql.scalars import DATE_TIME
from messaging.api.bodies import is_storable

MOST_ERRORS: Final = 10
FILE: Final = Path(settings.BASE_DIR) / "docs" / "schema.graphql"
COMMAND: Final = "python manage.py export_graphql_schema"
HEAD: Final = f"# The schema of /graphql. Written by `{COMMAND}`.\n\n"


class Checked(SchemaExtension):
    """Takes the document that was parsed, weighed and validated before."""

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        context.graphql_document = read(context.query or "")
        yield

    def on_validate(self) -> Iterator[None]:
        self.execution_context.pre_execution_errors = []
        yield


class Schema(strawberry.Schema):
    def process_errors(
        self,
        errors: list[GraphQLError],
        execution_context: ExecutionContext | None = None,
    ) -> None:
        """Leave it to the door: a refusal in words is no fault to log."""


schema = Schema(
    query=Query,
    mutation=Mutation,
    extensions=[Checked],
    config=StrawberryConfig(scalar_map={datetime: DATE_TIME}),
)


@lru_cache(maxsize=256)
def read(query: str) -> DocumentNode:
    """Parse a query. Raise ``GraphQLError`` for what is none, or is too long."""
    document = parse(
        Source(query, "the query"), no_location=False, max_tokens=MOST_TOKENS
    )
    visit(document, _Texts())
    return document


class _Texts(Visitor):
    """Refuses what no column of text can hold, as the bodies of other doors do."""

    def enter_string_value(self, node: StringValueNode, *_: object) -> VisitorAction:
        if not is_storable(node.value):
            message = "A text contains a character that cannot be stored."
            raise GraphQLError(message, node)
        return None


@lru_cache(maxsize=256)
def faults(query: str) -> tuple[GraphQLError, ...]:
    """Return what is wrong with a query that can be parsed; nothing, as a rule."""
    return tuple(validate(schema._schema, read(query), max_errors=MOST_ERRORS))


def written() -> str:
    """Return the schema as the file has it."""
    return f"{HEAD}{schema.as_str()}\n"
