"""Names of types. In a supergraph all but the roots may begin with a prefix; whoever thinks in the names of this code asks here.

What a federation itself names (`_Any`, `_Entity`, `_Service`) is never prefixed.
"""

from __future__ import annotations

from typing import Any, Final

from graphql import GraphQLNamedType, GraphQLSchema
from strawberry.schema.name_converter import NameConverter
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.enum import StrawberryEnumDefinition
from strawberry.types.union import StrawberryUnion

ROOTS: Final = frozenset({"Query", "Mutation"})
_DEFINITION: Final = GraphQLCoreConverter.DEFINITION_BACKREF


class Names(NameConverter):
    """Gives types their names in the graph."""

    def __init__(self, prefix: str = "") -> None:
        super().__init__()
        self._prefix = prefix

    def prefixed(self, own: str) -> str:
        """Give the name in the graph of a type that this code calls so."""
        return own if own in ROOTS or own.startswith("_") else self._prefix + own

    def from_object(self, object_type: StrawberryObjectDefinition) -> str:
        """Name an object, an interface or an input."""
        return self.prefixed(super().from_object(object_type))

    def from_enum(self, enum: StrawberryEnumDefinition) -> str:
        """Name an enum."""
        return self.prefixed(super().from_enum(enum))

    def from_union(self, union: StrawberryUnion) -> str:
        """Name a union."""
        return self.prefixed(super().from_union(union))


def own_name(named: GraphQLNamedType) -> str:
    """Give what this code calls an object type or an interface of the graph."""
    name: str = named.extensions[_DEFINITION].name
    return name


def type_of_own_name(schema: GraphQLSchema, own: str) -> GraphQLNamedType | None:
    """Give the type of the graph that this code calls so; None: there is none."""
    graph: Any = schema.extensions[_DEFINITION]
    names: Names = graph.config.name_converter
    return schema.get_type(names.prefixed(own))
