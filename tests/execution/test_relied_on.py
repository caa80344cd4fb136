"""What the execution by plans relies on of graphql-core and Strawberry, which is no public promise of theirs.

When one of these fails after an upgrade: read what changed there, and then `gateway/execution/` from `run.py` on.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final

import pytest
import strawberry
from graphql import GraphQLError, GraphQLSchema, OperationDefinitionNode, parse
from graphql.execution.collect_fields import FieldDetails, collect_fields
from graphql.execution.executor import CollectedErrors, Executor, invalid_return_type_error
from graphql.execution.values import get_argument_values
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import INFO_PARAMSPEC, PARENT_PARAMSPEC

from gateway.execution.run import PlanRun
from gateway.schema import build_schema
from tests.execution.small import SCHEMA

_CALLED: Final[list[tuple[Callable[..., Any], list[str]]]] = [
    (Executor.execute_operation, ["self", "serially"]),
    (Executor.build_response, ["self", "data"]),
    (Executor.complete_leaf_value, ["return_type", "result"]),
    (Executor.ensure_valid_runtime_type, ["self", "runtime_type_name", "return_type", "field_details_list", "info", "result"]),
    (Executor.collect_subfields, ["self", "return_type", "field_details_list"]),
    (StrawberryGraphQLCoreExecutionContext.build_resolve_info, ["self", "field_def", "field_nodes", "parent_type", "path"]),
    (invalid_return_type_error, ["return_type", "result", "field_details_list"]),
    (get_argument_values, ["type_def", "node", "variable_values", "fragment_variable_values", "hide_suggestions"]),
    (CollectedErrors.add, ["self", "error", "path"]),
    (CollectedErrors.has_nulled_position, ["self", "start_path"]),
    (GraphQLSchema.get_field, ["self", "parent_type", "field_name"]),
]
_ATTRIBUTES: Final = {
    "abort_signal", "collected_errors", "error_propagation", "field_resolver", "fragments", "hide_suggestions", "middleware_manager",
    "operation", "root_value", "schema", "type_resolver", "variable_values",
}  # fmt: skip
_OVERRIDDEN: Final = {"execute_operation"}


@pytest.mark.parametrize(("function", "parameters"), _CALLED, ids=lambda value: getattr(value, "__qualname__", None))
def test_what_is_called_takes_what_it_took(function: Callable[..., Any], parameters: list[str]) -> None:
    assert list(inspect.signature(function).parameters)[: len(parameters)] == parameters, f"{function.__qualname__} has other parameters"


def test_an_executor_has_the_attributes_that_are_read() -> None:
    run = StrawberryGraphQLCoreExecutionContext.build(SCHEMA, parse("query ($a: Boolean = true) { text @skip(if: $a) }"))
    assert not isinstance(run, list)
    missing = sorted(name for name in _ATTRIBUTES if not hasattr(run, name))
    assert missing == [], "graphql-core's executor has lost what plans read of it"
    assert dict(run.variable_values.coerced) == {"a": True}, "the coerced variables are elsewhere"


def test_only_what_is_meant_to_be_is_overridden() -> None:
    theirs = {name for base in PlanRun.__mro__[1:-1] for name in vars(base) if not name.startswith("__")}
    ours = {name for name in vars(PlanRun) if not name.startswith("__")}
    assert ours & theirs == _OVERRIDDEN, "a name of ours has become one of graphql-core's or Strawberry's"


def test_fields_are_collected_in_the_shape_that_plans_read() -> None:
    document = parse("{ text again: text ...F } fragment F on Query { text }")
    run = StrawberryGraphQLCoreExecutionContext.build(SCHEMA, document)
    operation = document.definitions[0]
    assert not isinstance(run, list)
    assert isinstance(operation, OperationDefinitionNode)
    assert SCHEMA.query_type is not None
    collected = collect_fields(SCHEMA, run.fragments, run.variable_values, SCHEMA.query_type, operation, True)  # noqa: FBT003  (positional)
    assert list(collected.grouped_field_set) == ["text", "again"]
    details = collected.grouped_field_set["text"]
    assert [type(each) for each in details] == [FieldDetails, FieldDetails]
    assert [each.node.name.value for each in details] == ["text", "text"]
    assert collected.new_defer_usages == []


def test_errors_know_the_places_that_they_made_null() -> None:
    errors, place = CollectedErrors(), Path(Path(None, "items", "Query"), 0, None)
    errors.add(GraphQLError("no"), place)
    assert errors.has_nulled_position(Path(place, "name", "Item"))
    assert not errors.has_nulled_position(Path(None, "items", "Query"))
    errors.add(GraphQLError("no"), Path(place, "name", "Item"))
    assert len(errors.errors) == 1, "an error below a place that is null is told now"


def _fields(schema: GraphQLSchema) -> dict[str, Any]:
    named = {name: each for name, each in schema.type_map.items() if hasattr(each, "fields") and not name.startswith("__")}
    found = {f"{name}.{key}": definition for name, each in named.items() for key, definition in each.fields.items()}
    return {name: definition for name, definition in found.items() if hasattr(definition, "args")}


def test_every_field_of_the_graph_carries_strawberrys_definition_of_it() -> None:
    for schema in (SCHEMA, build_schema()._schema):  # noqa: SLF001  (Strawberry's own is around it)
        strangers = [name for name, each in _fields(schema).items() if not isinstance(_ours(each), StrawberryField)]
        assert strangers == [], "a field's extensions no longer have `strawberry-definition`"


def _ours(definition: Any) -> Any:  # noqa: ANN401  (Strawberry's field)
    return definition.extensions.get("strawberry-definition")


def test_a_field_without_resolver_is_basic_and_graphql_core_is_told_that_it_is_a_default() -> None:
    fields = _fields(SCHEMA)
    assert _ours(fields["Item.name"]).is_basic_field
    assert not _ours(fields["Item.own"]).is_basic_field
    assert getattr(fields["Item.name"].resolve, "_is_default", False), "Strawberry marks its default resolvers otherwise"
    assert not getattr(fields["Item.own"].resolve, "_is_default", False)


def test_a_field_says_what_its_resolver_takes_and_what_is_around_it() -> None:
    fields = {name: _ours(each) for name, each in _fields(SCHEMA).items()}
    parent, info = (fields["Item.many"].base_resolver.reserved_parameters[spec] for spec in (PARENT_PARAMSPEC, INFO_PARAMSPEC))
    assert (parent.name, info.name) == ("root", "info")
    assert fields["Item.own"].base_resolver.reserved_parameters[INFO_PARAMSPEC] is None
    assert inspect.isfunction(fields["Item.own"].base_resolver.wrapped_func)
    assert [type(each).__name__ for each in fields["Item.loud"].extensions] == ["Loud"]
    assert [each.__name__ for each in fields["Item.guarded"].permission_classes] == ["OnlyKnown"]
    assert list(fields["Item.many"].metadata) == ["bulk"]
    assert fields["Item.name"].python_name == "name"


def test_an_info_is_made_of_graphql_cores_and_the_field() -> None:
    made = inspect.signature(strawberry.Info).parameters
    assert list(made)[:2] == ["_raw_info", "_field"], "strawberry.Info is made otherwise"
    assert "context" in dir(strawberry.Info)


def test_strawberry_gives_an_executor_nothing_that_plans_do_not_pass_on() -> None:
    taken = inspect.signature(StrawberryGraphQLCoreExecutionContext.__init__).parameters
    assert [each.kind.name for each in taken.values()] == ["POSITIONAL_OR_KEYWORD", "VAR_POSITIONAL", "VAR_KEYWORD"]
