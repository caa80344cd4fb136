"""The SDL of the graph as a subgraph of an Apollo Federation: with the keys of its objects, and what other subgraphs may give, too.

https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/reference/subgraph-spec
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import strawberry
from graphql import (
    ConstDirectiveNode,
    DefinitionNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    ObjectTypeDefinitionNode,
    get_named_type,
    parse,
    print_ast,
)

from gateway.schema.naming import ROOTS, own_name
from gateway.schema.representations import ENTITIES, KEYS

VERSION: Final = "2.3"
"""The lowest that has all of this, so that whatever composes takes it."""
_LINK: Final = f'extend schema @link(url: "https://specs.apollo.dev/federation/v{VERSION}", import: ["@key", "@shareable"])'
_KEYS: Final = " ".join(f'@key(fields: "{key}")' for key in KEYS)
_NODE: Final = "Node"


def print_subgraph(graph: strawberry.Schema) -> str:
    """Print the SDL for those who compose, ending in a line feed."""
    schema: GraphQLSchema = graph._schema  # noqa: SLF001  (Strawberry offers no other way to the types)
    link, *defined = (*parse(_LINK).definitions, *parse(graph.as_str()).definitions)
    definitions = (link, *(_marked(definition, schema) for definition in defined))
    return "\n\n".join(print_ast(definition) for definition in definitions) + "\n"


def _marked(definition: DefinitionNode, schema: GraphQLSchema) -> DefinitionNode:
    """Add the directives of the federation to the definition of a type."""
    named = schema.get_type(definition.name.value) if isinstance(definition, ObjectTypeDefinitionNode) else None
    if not isinstance(definition, ObjectTypeDefinitionNode) or not isinstance(named, GraphQLObjectType):
        return definition
    directives = _KEYS if own_name(named) in ENTITIES else "@shareable" if is_value(named, schema) else ""
    return replace(definition, directives=(*(definition.directives or ()), *_parsed(directives)))


def _parsed(directives: str) -> tuple[ConstDirectiveNode, ...]:
    (holder,) = parse(f"type T {directives}").definitions
    return holder.directives or () if isinstance(holder, ObjectTypeDefinitionNode) else ()


def is_value(named: GraphQLObjectType, schema: GraphQLSchema) -> bool:
    """Say whether objects of a type are worth what stands in them: nothing below them has an id, or is asked with arguments."""
    below = list(_below(named, schema))
    return named.name not in ROOTS and all(not _has_id(each) and not _takes_arguments(each) for each in below)


def _below(named: GraphQLObjectType, schema: GraphQLSchema) -> Iterator[GraphQLObjectType | GraphQLInterfaceType]:
    """Give a type and all that its objects may lead to."""
    known: set[str] = set()
    open_types: list[object] = [named]
    while open_types:
        each = open_types.pop()
        if isinstance(each, GraphQLUnionType):
            open_types.extend(schema.get_possible_types(each))
        elif isinstance(each, GraphQLObjectType | GraphQLInterfaceType) and each.name not in known:
            known.add(each.name)
            open_types.extend(get_named_type(field.type) for field in each.fields.values())
            yield each


def _has_id(named: GraphQLObjectType | GraphQLInterfaceType) -> bool:
    return _NODE in {own_name(each) for each in (named, *named.interfaces)}


def _takes_arguments(named: GraphQLObjectType | GraphQLInterfaceType) -> bool:
    return any(field.args for field in named.fields.values())
