"""README's recipe for Apollo Client against the graph: as the graph grows, so must the recipe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_introspection_type,
    is_list_type,
    is_object_type,
    is_scalar_type,
    is_specified_scalar_type,
)

from tests.test_readme import example

SCHEMA = build_schema((Path(__file__).parents[2] / "schema.graphql").read_text(encoding="utf-8"))
OBJECTS = [type_ for type_ in SCHEMA.type_map.values() if is_object_type(type_) and not is_introspection_type(type_)]
REPLACED = {"SourceCode"}
"""Means something only as a whole: a new code must not keep the label of the last one."""


def objects_of(field: GraphQLField) -> Iterator[GraphQLObjectType]:
    """Give the types that one object at this place may have."""
    if is_list_type(get_nullable_type(field.type)):
        return
    named = get_named_type(field.type)
    if is_abstract_type(named):
        yield from SCHEMA.get_possible_types(named)
    elif is_object_type(named):
        yield named


def is_value(type_: GraphQLObjectType) -> bool:
    return "id" not in type_.fields and "pageInfo" not in type_.fields


def test_every_value_in_an_object_with_an_id_is_merged() -> None:
    waiting = [type_ for type_ in OBJECTS if "id" in type_.fields]
    values: set[GraphQLObjectType] = set()
    while waiting:
        found = {inner for field in waiting.pop().fields.values() for inner in objects_of(field) if is_value(inner)}
        waiting += found - values
        values |= found

    assert set(re.findall(r"(\w+): value,", example("apollo"))) == {type_.name for type_ in values} - REPLACED


def test_every_list_of_pages_is_kept_by_all_that_chooses_its_rows() -> None:
    connections = [
        (name, *(argument for argument in field.args if argument not in {"first", "after"}))
        for type_ in OBJECTS
        for name, field in type_.fields.items()
        if get_named_type(field.type).name.endswith("Connection")
    ]
    kept = [(name, *re.findall(r"\w+", keys)) for name, keys in re.findall(r"(\w+): pages\((.*?)\)", example("apollo"))]

    assert sorted(kept) == sorted(connections)


def test_every_scalar_has_a_type_of_typescript() -> None:
    own = {type_.name for type_ in SCHEMA.type_map.values() if is_scalar_type(type_) and not is_specified_scalar_type(type_)}

    assert set(re.findall(r'(\w+): "(?:string|unknown)",', example("codegen"))) == own
