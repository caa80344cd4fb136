"""What a selection is compiled to: which fields, how each is read for many objects at once, and how its values are completed.

A plan knows no variables beside those of `@skip` and `@include`: it serves every request that asks the same operation with the same
values of these.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from types import NoneType
from typing import TYPE_CHECKING, Any, Final

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLNamedOutputType,
    GraphQLObjectType,
    GraphQLOutputType,
    is_enum_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from graphql.execution.collect_fields import FieldDetails

from gateway.execution.answer import AnswerObject

if TYPE_CHECKING:
    from gateway.execution.readers import Reader

_AS_THEY_ARE: Final = {"String": str, "ID": str, "Boolean": bool}
"""Scalars whose values are shown as they are when they have this type."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """How the values of a scalar or an enum are shown. `unchanged`: values of these types are shown as they are."""

    unchanged: frozenset[type]
    show: Callable[[Any], object]


@dataclass(slots=True, eq=False)
class FieldPlan:
    """One field of the answer."""

    key: str
    place: int
    """Among the fields of its object."""
    nodes: list[FieldNode]
    details: list[FieldDetails]
    definition: GraphQLField
    parent_type: GraphQLObjectType
    reader: Reader
    required: tuple[bool, ...]
    """Whether it may not be null: the field itself, then the items of its list, and so on."""
    named: GraphQLNamedOutputType
    leaf: Leaf | None
    """None: its values are objects."""
    plain: frozenset[type] | None
    """Types of which its values are shown as they are; None: it has lists or objects."""
    attribute: str
    """Of the answer object, which holds its value."""
    below: dict[str, ObjectPlan] = field(default_factory=dict)
    """What is asked of its objects, by the name of their type; filled as types turn up."""


@dataclass(slots=True, eq=False)
class ObjectPlan:
    """What is asked of an object of one type, in the order of the answer."""

    type: GraphQLObjectType
    answer: Callable[..., AnswerObject]
    """Made of the values of its fields, in their order."""
    fields: tuple[FieldPlan, ...]


def unwrap(output: GraphQLOutputType) -> tuple[tuple[bool, ...], GraphQLNamedOutputType]:
    """Take a type apart: what may not be null, from outside in, and the named type inside."""
    required: list[bool] = []
    inner: Any = output
    while True:
        required.append(is_non_null_type(inner))
        inner = inner.of_type if required[-1] else inner
        if not is_list_type(inner):
            return tuple(required), inner
        inner = inner.of_type


class _EnumNames(dict[Any, object]):
    """The names of an enum's members, each looked up once."""

    def __init__(self, show: Callable[[Any], object]) -> None:
        super().__init__()
        self._show = show

    def __missing__(self, member: object) -> object:
        name = self._show(member)
        if isinstance(member, Enum):  # so that there are never more than members
            self[member] = name
        return name


def leaf_of(named: GraphQLNamedOutputType) -> Leaf | None:
    """Say how values of a type are shown; None where they are objects."""
    if not is_leaf_type(named):
        return None
    kept = _AS_THEY_ARE.get(named.name)
    unchanged = frozenset({NoneType} if kept is None else {NoneType, kept})
    show = _EnumNames(named.coerce_output_value).__getitem__ if is_enum_type(named) else named.coerce_output_value
    return Leaf(unchanged, show)
