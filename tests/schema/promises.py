"""What the graph has promised to those who use its last release, and what they have to be told of it since."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from graphql import (
    REMOVE,
    DocumentNode,
    GraphQLNamedType,
    GraphQLSchema,
    Node,
    VisitorAction,
    build_ast_schema,
    is_introspection_type,
    is_object_type,
    is_specified_scalar_type,
    parse,
    visit,
)
from graphql import Visitor as SyntaxVisitor
from graphql.utilities import BreakingChangeType, find_breaking_changes

REMOVALS: Final = frozenset(
    {
        BreakingChangeType.ARG_REMOVED,
        BreakingChangeType.FIELD_REMOVED,
        BreakingChangeType.TYPE_REMOVED,
        BreakingChangeType.VALUE_REMOVED_FROM_ENUM,
    }
)
"""What a deprecation announces. Narrowing has none: clients notice it only when a value they count on is not there."""


def broken_promises(released: str, now: str) -> list[str]:
    """Give a line for each client of the released SDL that breaks with this one; what the release deprecated may go, but not change."""
    document, ours = parse(released), schema_of(parse(now))
    kept = find_breaking_changes(_reachable(schema_of(_without_deprecated(document))), ours)
    found = [change for change in find_breaking_changes(schema_of(document), ours) if change.type not in REMOVALS or change in kept]
    return [f"{change.description} It breaks clients of the last release." for change in found]


def untold(released: str, now: str, changelog: str) -> list[str]:
    """Name what the graph gained, lost or deprecated since its release, unless the changelog has it, or its type, between backticks."""
    before, after = (dict(coordinates(schema_of(parse(sdl)))) for sdl in (released, now))
    changed = {name for name in {*before, *after} if before.get(name) is not after.get(name)}
    told = {name for name in changed if f"`{name}`" in changelog}
    return sorted(name for name in changed - told if name.split(".")[0] not in changed or "." not in name)


def schema_of(document: DocumentNode) -> GraphQLSchema:
    return build_ast_schema(document, assume_valid=True)


def coordinates(schema: GraphQLSchema) -> Iterator[tuple[str, bool]]:
    """Name all that a client can write down, and whether it is deprecated."""
    for type_ in schema.type_map.values():
        if not is_introspection_type(type_) and not is_specified_scalar_type(type_):
            yield type_.name, False
            yield from _members(type_)


def _members(type_: GraphQLNamedType) -> Iterator[tuple[str, bool]]:
    members = {**getattr(type_, "values", {}), **getattr(type_, "fields", {})}
    for name, member in members.items():
        yield f"{type_.name}.{name}", member.deprecation_reason is not None
        for argument, it in getattr(member, "args", {}).items():
            yield f"{type_.name}.{name}({argument}:)", it.deprecation_reason is not None


def _without_deprecated(document: DocumentNode) -> DocumentNode:
    stripped: DocumentNode = visit(document, _Undeprecated())
    return stripped


class _Undeprecated(SyntaxVisitor):
    def enter(self, node: Node, *_: object) -> VisitorAction:
        directives = getattr(node, "directives", None) or ()
        return REMOVE if any(directive.name.value == "deprecated" for directive in directives) else None


def _reachable(schema: GraphQLSchema) -> GraphQLSchema:
    """Leave out types that no query can get to or name."""
    known = GraphQLSchema(schema.query_type, schema.mutation_type, directives=schema.directives)
    while more := [type_ for type_ in schema.type_map.values() if type_.name not in known.type_map and _implements(type_, known)]:
        types = [*known.type_map.values(), *more]
        known = GraphQLSchema(schema.query_type, schema.mutation_type, types=types, directives=schema.directives)
    return known


def _implements(type_: GraphQLNamedType, schema: GraphQLSchema) -> bool:
    return is_object_type(type_) and any(interface.name in schema.type_map for interface in type_.interfaces)
