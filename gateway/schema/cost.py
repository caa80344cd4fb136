"""What an operation costs at the most, as one number that a limit can be put on, before anything is executed. Calls nobody.

The weights are in the spirit of the IBM GraphQL Cost Directives specification. An object that has an id or stands in a list is 1, and a
list is as many as may be in it. Scalars are nothing, and so are the objects that are a part of another, such as its totals. Of types of
which an object has one alone the dearest counts. Each upstream call that may be made adds `CALL_WEIGHT`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    SelectionSetNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
    value_from_ast_untyped,
)

from gateway.errors import LimitExceeded
from gateway.loaders import ASSUMED_ORDERS, MAX_FIRST, SourceSet
from gateway.model import Operation
from gateway.schema.demands import Thought
from gateway.schema.explain import Explainer, Explanation
from gateway.schema.naming import own_name
from gateway.schema.paging import DEFAULT_FIRST
from gateway.schema.selection import fields_below

CALL_WEIGHT: Final = 1
ASSUMED_ITEMS: Final = 5
"""In a list whose length nobody knows beforehand, such as the lines of an invoice."""
_MAX_CAUSES: Final = 500
"""How many fields, for each source that each may ask, are looked at for the calls they cause; more are refused unseen."""
_NODE: Final = "Node"
_KEYS_OF: Final = {"nodes": "ids", "_entities": "representations"}


@dataclass(frozen=True, slots=True)
class Cost:
    """What one operation costs at the most; `limit` is the most that is taken. What is open-ended counts with its known part."""

    estimated: int
    limit: int
    upstream_calls_estimated: int

    def to_plain(self, upstream_calls_made: int) -> dict[str, object]:
        """Give it as `extensions.cost` has it, with the calls that were made after all."""
        return {
            "estimated": self.estimated,
            "limit": self.limit,
            "upstreamCallsEstimated": self.upstream_calls_estimated,
            "upstreamCallsMade": upstream_calls_made,
        }


@dataclass(frozen=True, slots=True)
class Weighed:
    """An operation's cost, and the upstream calls that are part of it."""

    cost: Cost
    explanation: Explanation


class CostModel:
    """Says what operations cost, and refuses those that cost too much."""

    def __init__(self, explainer: Explainer, *, max_cost: int, max_upstream_calls: int) -> None:
        self._explainer = explainer
        self._max_cost = max_cost
        self._max_upstream_calls = max_upstream_calls

    def weigh(
        self,
        query: str | DocumentNode,
        sources: SourceSet,
        *,
        variables: Mapping[str, Any] | None = None,
        operation_name: str | None = None,
    ) -> Weighed:
        """Say what an operation costs over some sources; `variables` None: nobody knows them.

        Raises `InvalidDocument`, and `LimitExceeded` for one that costs too much.
        """
        return self._weigh(self._explainer.think(query, variables=variables, operation_name=operation_name), sources)

    def check(
        self,
        document: DocumentNode,
        sources: SourceSet,
        *,
        variables: Mapping[str, Any],
        operation_name: str | None,
        kept: MutableMapping[Hashable, Any],
    ) -> None:
        """Refuse an operation of a valid document that costs too much; `kept` remembers for the next time what is found out.

        Where the most that any variables can ask for is within the limits, their values do not matter.
        Raises `InvalidDocument`, and `LimitExceeded`.
        """
        key = ("cost", operation_name, tuple(sources.keys))
        if key not in kept:
            kept[key] = self._never_exceeds(self._explainer.think_of(document, variables=None, operation_name=operation_name), sources)
        if not kept[key]:
            self._weigh(self._explainer.think_of(document, variables=variables, operation_name=operation_name), sources)

    def _never_exceeds(self, thought: Thought, sources: SourceSet) -> bool:
        try:
            self._weigh(thought, sources)
        except LimitExceeded:
            return False
        return True

    def _weigh(self, thought: Thought, sources: SourceSet) -> Weighed:
        objects = _Objects(thought, len(sources.keys), self._explainer.max_nodes).count()
        self._check_cost(objects)  # first, as it is quick whatever is asked
        explanation = self._explainer.explain_thought(thought, sources, most_causes=_MAX_CAUSES)
        self._check_calls(explanation)
        estimated = objects + CALL_WEIGHT * explanation.total
        self._check_cost(estimated)
        return Weighed(Cost(estimated, self._max_cost, explanation.total), explanation)

    def _check_cost(self, estimated: int) -> None:
        if estimated > self._max_cost:
            raise LimitExceeded("COST_LIMIT", f"the operation may cost {estimated}; at most {self._max_cost} are taken")

    def _check_calls(self, explanation: Explanation) -> None:
        if explanation.total > self._max_upstream_calls:
            dearest = max(explanation.entries, key=lambda entry: entry.calls)
            raise LimitExceeded(
                "UPSTREAM_CALL_LIMIT",
                f"the operation may need {explanation.total} upstream calls, {dearest.calls} of them for {', '.join(dearest.fields)} "
                f"of {dearest.source}; at most {self._max_upstream_calls} are taken",
            )


@dataclass(frozen=True, slots=True)
class _Objects:
    """Counts the objects that an answer may have."""

    thought: Thought
    sources: int
    max_nodes: int

    def count(self) -> int:
        """Count those of the whole operation."""
        operation = self.thought.operation
        root = self.thought.schema.get_root_type(operation.operation)
        return 0 if root is None else self._below(root, [operation.selection_set], page=0)

    def _below(self, parent: GraphQLObjectType, selections: Sequence[SelectionSetNode | None], page: int) -> int:
        """Count the objects below one object; `page`: the rows of the connection it is, if it is one."""
        found: dict[str, list[FieldNode]] = {}
        for selection in selections:
            for node in fields_below(self.thought, selection, own_name(parent)):
                found.setdefault((node.alias or node.name).value, []).append(node)
        return sum(self._of_field(parent, nodes, page) for nodes in found.values())

    def _of_field(self, parent: GraphQLObjectType, nodes: Sequence[FieldNode], page: int) -> int:
        name = nodes[0].name.value
        known = parent.fields.get(name)
        if known is None:  # about the schema
            return 0
        types = _object_types(self.thought.schema, get_named_type(known.type))
        if not types:
            return 0
        below = [node.selection_set for node in nodes]
        rows = self._first(nodes[0]) if "first" in known.args else 0
        is_list = is_list_type(get_nullable_type(known.type))
        each = max((is_list or _has_id(each_type)) + self._below(each_type, below, rows) for each_type in types)
        return each * self._length(own_name(parent), nodes[0], page) if is_list else each

    def _length(self, parent: str, node: FieldNode, page: int) -> int:
        """Say how many a list has at the most, or is assumed to have."""
        match parent, node.name.value:
            case "Query", "nodes" | "_entities" as name:
                keys = self._argument(node, _KEYS_OF[name])
                return len(keys) if isinstance(keys, list) else self.max_nodes
            case _, "nodes" | "edges" if parent.endswith("Connection"):
                return page
            case ("Query", "sources") | (_, "sourceResults") | ("CustomerLinks", "nodes"):
                return self.sources
            case "Source", "capabilities":
                return len(Operation)
            case "Invoice", "orders":
                return ASSUMED_ORDERS
            case _:
                return ASSUMED_ITEMS

    def _first(self, node: FieldNode) -> int:
        first = self._argument(node, "first")
        if first is None:
            return DEFAULT_FIRST
        return min(max(first, 0), MAX_FIRST) if isinstance(first, int) else MAX_FIRST

    def _argument(self, node: FieldNode, name: str) -> Any:  # noqa: ANN401  (any JSON value; `Undefined`: not known)
        value = next((argument.value for argument in node.arguments or () if argument.name.value == name), None)
        return None if value is None else value_from_ast_untyped(value, dict(self.thought.variable_values))


def _has_id(named: GraphQLObjectType) -> bool:
    return any(own_name(interface) == _NODE for interface in named.interfaces)


def _object_types(schema: GraphQLSchema, named: object) -> Sequence[GraphQLObjectType]:
    """Give the types of which the objects of a field are; none where it has no objects."""
    match named:
        case GraphQLObjectType():
            return (named,)
        case GraphQLInterfaceType() | GraphQLUnionType():
            return schema.get_possible_types(named)
        case _:
            return ()
