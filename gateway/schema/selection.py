"""What a query asks below a field, so that only what is asked for gets fetched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, cast

from graphql import (
    BooleanValueNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
)

from gateway.schema.context import Info
from gateway.schema.naming import type_of_own_name

RawInfo: TypeAlias = GraphQLResolveInfo[Any]


class Selecting(Protocol):
    """What must be known to read a selection: what an execution has of it, or one that is only thought of."""

    @property
    def schema(self) -> GraphQLSchema:
        """The graph."""

    @property
    def fragments(self) -> Mapping[str, Any]:
        """The fragments of the document, by name."""

    @property
    def variable_values(self) -> Any:  # noqa: ANN401  (plain, or as graphql-core keeps them)
        """The variables; one that is not there is not known."""


def asked_of(info: Info, type_name: str) -> frozenset[str]:
    """Give the names of the fields that are asked of objects of a type below this field; `origin.raw` counts as a name."""
    raw_info = info._raw_info  # noqa: SLF001  (Strawberry offers no other way to the nodes)
    key = (type_name, *(id(node) for node in raw_info.field_nodes))
    cached = info.context.asked.get(key)
    if cached is None:
        cached = frozenset(names_below(raw_info, raw_info.field_nodes, type_name))
        info.context.asked[key] = cached
    return cached


def names_below(info: Selecting, nodes: Iterable[FieldNode], type_name: str) -> Iterator[str]:
    """Give the names of the fields that are asked of objects of a type below some fields, as `asked_of` has them."""
    for node in nodes:
        for field in fields_below(info, node.selection_set, type_name):
            yield field.name.value
            if field.name.value == "origin":
                yield from (f"origin.{inner.name.value}" for inner in fields_below(info, field.selection_set, "Origin"))


def fields_below(info: Selecting, selection_set: SelectionSetNode | None, type_name: str) -> Iterator[FieldNode]:
    """Give the field nodes that apply to a type: fragments opened, `@skip` and `@include` obeyed as far as it is known what they say."""
    for selection in () if selection_set is None else selection_set.selections:
        if not _is_included(info, selection):
            continue
        match selection:
            case FieldNode():
                yield selection
            case InlineFragmentNode():
                condition = selection.type_condition
                if condition is None or _applies(info, condition.name.value, type_name):
                    yield from fields_below(info, selection.selection_set, type_name)
            case FragmentSpreadNode():
                fragment = info.fragments[selection.name.value]
                if _applies(info, fragment.type_condition.name.value, type_name):
                    yield from fields_below(info, fragment.selection_set, type_name)


def _applies(info: Selecting, condition: str, type_name: str) -> bool:
    abstract, concrete = info.schema.get_type(condition), type_of_own_name(info.schema, type_name)
    if abstract is concrete:
        return True
    return isinstance(concrete, GraphQLObjectType) and info.schema.is_sub_type(cast("Any", abstract), concrete)


def _is_included(info: Selecting, node: SelectionNode) -> bool:
    if not node.directives:
        return True
    return not _condition(info, node, "skip", absent=False) and _condition(info, node, "include", absent=True)


def _condition(info: Selecting, node: SelectionNode, name: str, *, absent: bool) -> bool:
    """Read the one argument of `@skip` or `@include`: a boolean, or a variable, which an execution always has."""
    arguments = next((directive.arguments for directive in node.directives or () if directive.name.value == name), None)
    match arguments[0].value if arguments else None:
        case BooleanValueNode(value=value):
            return value
        case VariableNode(name=variable):
            return bool(_variables(info).get(variable.value, absent))
        case _:
            return absent


def _variables(info: Selecting) -> Mapping[str, Any]:
    values: Any = info.variable_values  # Strawberry gives them plain, graphql-core beside where each came from
    plain: Mapping[str, Any] = getattr(values, "coerced", values)
    return plain


def root_fields(info: Info) -> Sequence[FieldNode]:
    """Give the root fields of the operation that is being executed."""
    raw_info = info._raw_info  # noqa: SLF001  (as above)
    return list(fields_below(raw_info, raw_info.operation.selection_set, raw_info.parent_type.name))
