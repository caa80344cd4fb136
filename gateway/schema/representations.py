"""How another subgraph names an object: by the type and one of its keys, `id` or `origin { source { key } nativeId }`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from graphql import GraphQLObjectType, GraphQLSchema

from gateway.errors import InvalidInput
from gateway.model import Kind, Ref
from gateway.schema.naming import own_name

KEYS: Final = ("id", "origin { source { key } nativeId }")
ENTITIES: Final[Mapping[str, Kind]] = MappingProxyType({"Customer": Kind.CUSTOMER, "Order": Kind.ORDER, "Invoice": Kind.INVOICE})
"""The types that other subgraphs may name, and what their objects are."""


def to_kind_and_id(schema: GraphQLSchema, representation: object) -> tuple[Kind, str]:
    """Read a representation: of which kind the object is, and its global id, which nobody has looked at yet. Raises `InvalidInput`."""
    match representation:
        case {"__typename": str(name), "id": str(global_id)}:
            return _kind_of(schema, name), global_id
        case {"__typename": str(name), "origin": {"source": {"key": str(key)}, "nativeId": str(native_id)}}:
            kind = _kind_of(schema, name)
            return kind, Ref(key, kind, native_id).global_id
        case _:
            raise InvalidInput(f"representations: this is no object with __typename and {' or '.join(KEYS)}")


def _kind_of(schema: GraphQLSchema, name: str) -> Kind:
    named = schema.get_type(name)
    kind = ENTITIES.get(own_name(named)) if isinstance(named, GraphQLObjectType) and not name.startswith("__") else None
    if kind is None:
        raise InvalidInput("representations: the __typename is none of an object with keys")
    return kind
