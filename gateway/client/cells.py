"""The cells of a table as variables: columns are dotted paths, and each text becomes what the graph declares there.

An empty cell gives nothing, which is not null: a text column cannot say null, another one says it as `null`. Lists are columns with
places (`orders.0.number`), or JSON in one cell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Final

import msgspec
from graphql import (
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLSchema,
    GraphQLType,
    ListTypeNode,
    NamedTypeNode,
    NonNullTypeNode,
    TypeNode,
    build_schema,
    print_ast,
    specified_scalar_types,
)

from gateway.client import json_text
from gateway.client.mistake import Mistake

_TEXTS: Final = frozenset({"String", "ID"})
_TRUTHS: Final = {"true": True, "false": False}
_Path = tuple[str, ...]


class Cells:
    """Turns cells into variables. `sdl` gives the graph's types, and is asked only where a document's own do not tell."""

    def __init__(self, variables: Mapping[str, TypeNode], sdl: Callable[[], str]) -> None:
        self._variables = variables
        self._sdl = sdl
        self._types: dict[str, GraphQLType] = {}

    def to_variables(self, cells: Mapping[str, object]) -> dict[str, object]:
        """Make the variables of a row. Raises `Mistake`, naming the column."""
        tree: dict[str, Any] = {}
        for column, text in cells.items():
            kind = self._type_of(column)
            if text != "":
                _lay(tree, column.split("."), _value(column, str(text), kind), column)
        return {name: self._with_lists(value, (name,)) for name, value in tree.items()}

    def _type_of(self, column: str) -> GraphQLType:
        if column not in self._types:
            self._types[column] = self._find(tuple(column.split(".")), column)
        return self._types[column]

    def _find(self, path: _Path, column: str) -> GraphQLType:
        """Follow a path into the types. Raises `Mistake` where no field takes the column."""
        node = self._variables.get(path[0])
        if node is None:
            raise Mistake(f"the column {column}: no variable takes it")
        kind = self._declared(node)
        for place, step in enumerate(path[1:], start=1):
            kind = _below(kind, step)
            if kind is None:
                raise Mistake(f"the column {column}: there is no {step} below ${'.'.join(path[:place])}")
        if kind is None:
            raise Mistake(f"the column {column}: the graph has no type {print_ast(node)}")
        return kind

    def _declared(self, node: TypeNode) -> GraphQLType | None:
        """Give the type that a document names; None: there is none."""
        match node:
            case NamedTypeNode(name=name):
                return specified_scalar_types.get(name.value) or self._schema.get_type(name.value)
            case NonNullTypeNode(type=inner):
                return self._declared(inner)
            case ListTypeNode(type=inner):
                item = self._declared(inner)
                return None if item is None else GraphQLList(item)
        return None

    @cached_property
    def _schema(self) -> GraphQLSchema:
        return build_schema(self._sdl())

    def _with_lists(self, value: Any, path: _Path) -> Any:  # noqa: ANN401  (any JSON)
        """Turn what is laid at places into lists."""
        if not isinstance(value, _Branch):
            return value
        filled = {step: self._with_lists(inner, (*path, step)) for step, inner in value.items()}
        if isinstance(_nullable(self._find(path, ".".join(path))), GraphQLList):
            return [filled[step] for step in sorted(filled, key=int)]
        return filled


class _Branch(dict[str, Any]):
    """What columns laid; a cell of JSON stays what it is."""


def _lay(tree: dict[str, Any], steps: list[str], value: object, column: str) -> None:
    for step in steps[:-1]:
        tree = tree.setdefault(step, _Branch())
        if not isinstance(tree, _Branch):
            raise Mistake(f"the column {column}: another column gives all of what it is a part of")
    if steps[-1] in tree:
        raise Mistake(f"the column {column}: another column gives a part of it")
    tree[steps[-1]] = value


def _nullable(kind: GraphQLType | None) -> GraphQLType | None:
    return kind.of_type if isinstance(kind, GraphQLNonNull) else kind


def _below(kind: GraphQLType | None, step: str) -> GraphQLType | None:
    """Give the type of a field, or of an item of a list; None: there is none."""
    found = _nullable(kind)
    if isinstance(found, GraphQLInputObjectType):
        field = found.fields.get(step)
        return None if field is None else field.type
    is_place = step.isascii() and step.isdigit()
    return found.of_type if isinstance(found, GraphQLList) and is_place else None


def _value(column: str, text: str, kind: GraphQLType) -> object:
    """Read a cell. Raises `Mistake`, naming the column."""
    found = _nullable(kind)
    name = found.name if isinstance(found, GraphQLNamedType) else ""
    if name in _TEXTS:
        return text
    if text == "null":
        return None
    if name == "Boolean":
        return _truth(column, text)
    if name in {"Int", "Float"} or isinstance(found, GraphQLList | GraphQLInputObjectType):
        return _json(column, text, found)
    return text


def _truth(column: str, text: str) -> bool:
    if text.lower() not in _TRUTHS:
        raise Mistake(f"the column {column}: {text!r} is neither true nor false")
    return _TRUTHS[text.lower()]


def _json(column: str, text: str, kind: GraphQLType | None) -> object:
    try:
        value = json_text.read(text)
    except ValueError:
        value = None
    if isinstance(kind, GraphQLList):
        fits, name = isinstance(value, list), "JSON list"
    elif isinstance(kind, GraphQLInputObjectType):
        fits, name = isinstance(value, dict), "JSON object"
    else:
        fits, name = isinstance(value, int | msgspec.Raw) and not isinstance(value, bool), "number"
    if not fits:
        raise Mistake(f"the column {column}: {text!r} is no {name}")
    return value
