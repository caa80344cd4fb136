"""What a query asks below a field, so that only what is asked for gets fetched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, cast

from graphql import (
    BooleanValueNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLResolveInfo,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
)

from gateway.schema.context import Info

RawInfo: TypeAlias = GraphQLResolveInfo[Any]


def asked_of(info: Info, type_name: str) -> frozenset[str]:
    """Give the names of the fields that are asked of objects of a type below this field; `origin.raw` counts as a name."""
    raw_info = info._raw_info  # noqa: SLF001  (Strawberry offers no other way to the nodes)
    key = (type_name, *(id(node) for node in raw_info.field_nodes))
    cached = info.context.asked.get(key)
    if cached is None:
        cached = frozenset(_names(raw_info, raw_info.field_nodes, type_name))
        info.context.asked[key] = cached
    return cached


def _names(info: RawInfo, nodes: Iterable[FieldNode], type_name: str) -> Iterator[str]:
    for node in nodes:
        for field in fields_below(info, node.selection_set, type_name):
            yield field.name.value
            if field.name.value == "origin":
                yield from (f"origin.{inner.name.value}" for inner in fields_below(info, field.selection_set, "Origin"))


def fields_below(info: RawInfo, selection_set: SelectionSetNode | None, type_name: str) -> Iterator[FieldNode]:
    """Give the field nodes that apply to a type: fragments opened, `@skip` and `@include` obeyed."""
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


def _applies(info: RawInfo, condition: str, type_name: str) -> bool:
    if condition == type_name:
        return True
    abstract, concrete = info.schema.get_type(condition), info.schema.get_type(type_name)
    return isinstance(concrete, GraphQLObjectType) and info.schema.is_sub_type(cast("Any", abstract), concrete)


def _is_included(info: RawInfo, node: SelectionNode) -> bool:
    if not node.directives:
        return True
    return not _condition(info, node, "skip", absent=False) and _condition(info, node, "include", absent=True)


def _condition(info: RawInfo, node: SelectionNode, name: str, *, absent: bool) -> bool:
    """Read the one argument of `@skip` or `@include`: the operation is valid, so it is a boolean or a variable that has one."""
    arguments = next((directive.arguments for directive in node.directives or () if directive.name.value == name), None)
    match arguments[0].value if arguments else None:
        case BooleanValueNode(value=value):
            return value
        case VariableNode(name=variable):
            return bool(_variables(info).get(variable.value))
        case _:
            return absent


def _variables(info: RawInfo) -> Mapping[str, Any]:
    values: Any = info.variable_values  # Strawberry gives them plain, graphql-core beside where each came from
    plain: Mapping[str, Any] = getattr(values, "coerced", values)
    return plain


def root_fields(info: Info) -> Sequence[FieldNode]:
    """Give the root fields of the operation that is being executed."""
    raw_info = info._raw_info  # noqa: SLF001  (as above)
    return list(fields_below(raw_info, raw_info.operation.selection_set, raw_info.parent_type.name))
