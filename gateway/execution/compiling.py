"""From the selections of a document to plans. What graphql-core collects is collected by graphql-core."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLObjectType,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
)
from graphql.execution.collect_fields import FieldDetails, collect_fields
from graphql.execution.executor import Executor as CoreExecutor

from gateway.execution.answer import answer_type, attribute_at
from gateway.execution.plan import FieldPlan, ObjectPlan, leaf_of, unwrap
from gateway.execution.readers import Reader, TypeName, reader_of

Grouped: TypeAlias = dict[str, list[FieldDetails]]
"""The fields of a selection by their names in the answer, as graphql-core collects them."""
_MAX_PLANS: Final = 16
"""Of one operation: for each set of values of the variables that `@skip` and `@include` name. The latest used are kept."""


class CannotPlan(Exception):
    """An operation that no plan is made of; the message says why."""


class Plans:
    """The plans of one operation."""

    def __init__(self, document: DocumentNode, operation: OperationDefinitionNode) -> None:
        self._operation = operation
        self._conditions = sorted(conditions(document))
        self._plans: OrderedDict[tuple[object, ...], ObjectPlan] = OrderedDict()

    def find(self, run: CoreExecutor[Any]) -> ObjectPlan:
        """Give the plan for the variables of an execution, made now or before. Raises `CannotPlan`."""
        values = run.variable_values.coerced
        if any(values.get(name, True) is None for name in self._conditions):
            raise CannotPlan("a variable of @skip or @include is null")  # an error, at the places that it takes part in
        key = tuple(values.get(name) for name in self._conditions)
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = plan_root(run, self._operation)
            if len(self._plans) > _MAX_PLANS:
                self._plans.popitem(last=False)
        self._plans.move_to_end(key)
        return plan


def plan_root(run: CoreExecutor[Any], operation: OperationDefinitionNode) -> ObjectPlan:
    """Plan the root of an operation. Raises `CannotPlan`."""
    root = run.schema.get_root_type(operation.operation)
    if root is None or operation.operation is OperationType.SUBSCRIPTION:
        raise CannotPlan(f"it is a {operation.operation.value}")
    if operation.directives:
        raise CannotPlan(f"the operation has @{operation.directives[0].name.value}")
    collected = collect_fields(run.schema, run.fragments, run.variable_values, root, operation, run.hide_suggestions)
    if collected.new_defer_usages:
        raise CannotPlan("it defers fragments")
    return _plan_object(run, root, collected.grouped_field_set)


def plan_below(run: CoreExecutor[Any], field: FieldPlan, named: GraphQLObjectType) -> ObjectPlan:
    """Plan what is asked of the objects of a field that are of one type."""
    known = field.below.get(named.name)
    if known is None:
        grouped = run.collect_subfields(named, field.details).grouped_field_set
        known = field.below[named.name] = _plan_object(run, named, grouped)
    return known


def _plan_object(run: CoreExecutor[Any], named: GraphQLObjectType, grouped: Grouped) -> ObjectPlan:
    fields = tuple(_plan_field(run, named, place, key, details) for place, (key, details) in enumerate(grouped.items()))
    return ObjectPlan(named, answer_type(tuple(grouped)), fields)


def _plan_field(run: CoreExecutor[Any], parent: GraphQLObjectType, place: int, key: str, details: list[FieldDetails]) -> FieldPlan:
    nodes = [each.node for each in details]
    name = nodes[0].name.value
    definition = run.schema.get_field(parent, name)
    if definition is None:
        raise CannotPlan(f"{parent.name} has no field {name}")  # validation has refused it
    required, named = unwrap(definition.type)
    reader: Reader = TypeName() if name == "__typename" else reader_of(definition)
    leaf = leaf_of(named)
    plain = leaf.unchanged if leaf is not None and len(required) == 1 else None
    return FieldPlan(key, place, nodes, details, definition, parent, reader, required, named, leaf, plain, attribute_at(place))


def conditions(document: DocumentNode) -> set[str]:
    """Name the variables that say what is skipped or included, anywhere in a document."""
    names: set[str] = set()
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode):
            for selection in _selections(definition.selection_set):
                names.update(_named_by(selection))
    return names


def _selections(selection_set: SelectionSetNode) -> Iterator[SelectionNode]:
    for selection in selection_set.selections:
        yield selection
        if isinstance(selection, FieldNode | InlineFragmentNode) and selection.selection_set is not None:
            yield from _selections(selection.selection_set)


def _named_by(selection: SelectionNode) -> Sequence[str]:
    arguments = [argument.value for directive in selection.directives or () for argument in directive.arguments or ()]
    return [value.name.value for value in arguments if isinstance(value, VariableNode)]
