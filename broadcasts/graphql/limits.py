"""How much one request may ask for, told before any of it is looked up.

The cost of a field is 1; of a list, the cost of a row times the rows it may have. A
fragment is added up once, however often it is spread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
)

from broadcasts.graphql.paging import DEFAULT, MOST
from broadcasts.problems import Problem, bad_input

MOST_CHARACTERS: Final = 20_000
MOST_TOKENS: Final = 2_000
MOST_DEPTH: Final = 12
MOST_DEPTH_OF_SCHEMA: Final = 16
"""What GraphQL tools ask of a schema is deeper than any question about data."""
MOST_ALIASES: Final = 20
MOST_COST: Final = 10_000
MOST_CHANGES: Final = 5

PAGED: Final = frozenset({"broadcasts", "rows"})
LISTS: Final[Mapping[str, int]] = {
    "failuresByCause": 10,
    "causes": 10,
    "channels": 2,
    "skips": 3,
    "retries": 3,
    "runs": 3,
    "routes": 3,
    "fallbacks": 2,
    "flows": 50,
    "templates": 50,
    "integrations": 10,
}
"""Lists that are not paged, and how many rows they have as a rule."""
LOOK_UPS: Final[Mapping[str, int]] = {
    "causes": 1_500,
    "retryState": 200,
    "quota": 50,
    "chain": 10,
    "counters": 5,
}
"""Fields that cost more than the row they stand on."""


TOO_DEEP: Final = "The query is nested too deeply. Ask for less at once."


class Weight(NamedTuple):
    depth: int
    cost: int
    aliases: int
    width: int
    """Fields side by side at the top of it."""


NOTHING: Final = Weight(0, 0, 0, 0)


@dataclass
class Scale:
    """Weighs one operation with the values of its variables."""

    document: DocumentNode
    variables: Mapping[str, Any]
    _weights: dict[str, Weight] = field(default_factory=dict)
    _open: set[str] = field(default_factory=set)

    def weigh(self, operation: OperationDefinitionNode) -> Weight:
        self._defaults = {
            one.variable.name.value: one.default_value
            for one in operation.variable_definitions or ()
        }
        self._fragments = {
            one.name.value: one
            for one in self.document.definitions
            if isinstance(one, FragmentDefinitionNode)
        }
        return self._all(operation.selection_set)

    def _all(self, chosen: SelectionSetNode | None) -> Weight:
        weights = [self._one(one) for one in chosen.selections] if chosen else []
        return Weight(
            depth=max((one.depth for one in weights), default=0),
            cost=sum(one.cost for one in weights),
            aliases=sum(one.aliases for one in weights),
            width=sum(one.width for one in weights),
        )

    def _one(self, chosen: SelectionNode) -> Weight:
        match chosen:
            case FieldNode():
                return self._field(chosen)
            case InlineFragmentNode():
                return self._all(chosen.selection_set)
            case FragmentSpreadNode():
                return self._fragment(chosen.name.value)
        return NOTHING

    def _field(self, chosen: FieldNode) -> Weight:
        name = chosen.name.value
        if name in {"__schema", "__type"}:
            return self._of_schema(chosen)
        inner = self._all(chosen.selection_set)
        return Weight(
            depth=inner.depth + 1,
            cost=1 + LOOK_UPS.get(name, 0) + self._rows(chosen) * inner.cost,
            aliases=inner.aliases + (chosen.alias is not None),
            width=1,
        )

    def _of_schema(self, chosen: FieldNode) -> Weight:
        """Charge no rows, for there are none; only go no deeper than tools do."""
        inner = self._all(chosen.selection_set)
        if inner.depth >= MOST_DEPTH_OF_SCHEMA:
            raise _too_deep(inner.depth + 1, MOST_DEPTH_OF_SCHEMA)
        aliases = inner.aliases + (chosen.alias is not None)
        return Weight(depth=1, cost=500, aliases=aliases, width=1)

    def _fragment(self, name: str) -> Weight:
        found = self._fragments.get(name)
        if found is None:
            return NOTHING
        if name in self._open:
            raise bad_input(f"The fragment {name} contains itself.")
        if name not in self._weights:
            self._open.add(name)
            self._weights[name] = self._all(found.selection_set)
            self._open.remove(name)
        return self._weights[name]

    def _rows(self, chosen: FieldNode) -> int:
        name = chosen.name.value
        if name not in PAGED:
            return LISTS.get(name, 1)
        given = next(
            (one.value for one in chosen.arguments or () if one.name.value == "first"),
            None,
        )
        if isinstance(given, VariableNode):
            variable = given.name.value
            value = self.variables.get(variable)
            if variable in self.variables and isinstance(value, int):
                return max(1, min(value, MOST))
            given = self._defaults.get(variable)
        if isinstance(given, IntValueNode):
            return max(1, min(int(given.value), MOST))
        return DEFAULT


def check(
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
) -> None:
    """Refuse what asks for too much, and say what to leave out."""
    try:
        weight = Scale(document, variables).weigh(operation)
    except RecursionError:
        raise bad_input(
            "The query is nested too deeply. Ask for less at once."
        ) from None
    if weight.depth > MOST_DEPTH:
        raise _too_deep(weight.depth, MOST_DEPTH)
    if weight.aliases > MOST_ALIASES:
        raise bad_input(
            f"The query names {weight.aliases:,} aliases; {MOST_ALIASES} are allowed."
            " Send several requests."
        )
    if weight.cost > MOST_COST:
        raise bad_input(
            f"The query may cost {weight.cost:,}, and {MOST_COST:,} is the limit. Ask"
            " for smaller pages (first), or for fewer fields of each row."
        )
    is_change = operation.operation is OperationType.MUTATION
    if is_change and weight.width > MOST_CHANGES:
        raise bad_input(
            f"One request changes at most {MOST_CHANGES} things; this one"
            f" {weight.width:,}."
        )


def _too_deep(depth: int, most: int) -> Problem:
    return bad_input(
        f"The query is {depth} levels deep; {most} are allowed. Ask for the inner part"
        " by itself."
    )
