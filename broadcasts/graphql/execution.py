"""From a question to its answer, whoever brought it: a program, or the explorer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from graphql import (
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    get_operation_ast,
)

from broadcasts.graphql import errors, limits
from broadcasts.graphql.context import Caller
from broadcasts.graphql.schema import faults, read, schema
from messaging.api.problems import invalid


@dataclass(frozen=True, slots=True)
class Asked:
    """A query that was read, weighed and found valid, with its variables."""

    query: str
    variables: dict[str, Any]
    operation_name: str | None
    operation: OperationDefinitionNode

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Asked:
        """Raise what is wrong with a question, before anything is looked up."""
        query, variables = body.get("query"), body.get("variables")
        name = body.get("operationName")
        if not isinstance(query, str) or not query.strip():
            raise invalid("Send the query as text, under query.")
        if len(query) > limits.MOST_CHARACTERS:
            raise invalid(
                f"Shorten the query to {limits.MOST_CHARACTERS:,} characters; long"
                " lists belong into the variables."
            )
        if variables is not None and not isinstance(variables, dict):
            raise invalid("Send the variables as an object.")
        if name is not None and not isinstance(name, str):
            raise invalid("Send operationName as text.")
        operation = _operation(query, name, variables or {})
        return cls(query, variables or {}, name, operation)

    @property
    def is_change(self) -> bool:
        return self.operation.operation is OperationType.MUTATION


def _operation(
    query: str, name: str | None, variables: Mapping[str, Any]
) -> OperationDefinitionNode:
    try:
        document = read(query)
        operation = get_operation_ast(document, name)
        if operation is None:
            raise invalid("Name the operation to run, under operationName.")
        limits.check(document, operation, variables)
        found = faults(query)
    except GraphQLError as error:
        raise errors.Misread([error]) from error
    except RecursionError:
        raise invalid(limits.TOO_DEEP) from None
    if found:
        raise errors.Misread(found)
    return operation


@dataclass(frozen=True, slots=True)
class Told:
    """An answer: its HTTP status, and its body."""

    status: HTTPStatus
    body: dict[str, Any]


def execute(caller: Caller, asked: Asked) -> Told:
    result = schema.execute_sync(
        asked.query,
        variable_values=asked.variables,
        context_value=caller,
        operation_name=asked.operation_name,
    )
    body: dict[str, Any] = {}
    if result.errors:
        body["errors"] = [errors.told(one, caller.request) for one in result.errors]
    if result.data is None and not any(one.path for one in result.errors or ()):
        # Nothing was looked up or done: the variables do not fit.
        return Told(HTTPStatus.BAD_REQUEST, body)
    body["data"] = result.data
    return Told(HTTPStatus.OK, body)
