"""Valid operations over a whole schema, made from the schema itself, so that a new field is covered as soon as it is there.

A field's name in the answer says which field it is, of which type where names are not enough, and with which arguments: so whatever
selections meet, they merge.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, TypeGuard, TypeVar

from graphql import (
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    Undefined,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_enum_type,
    is_input_object_type,
    is_interface_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
    is_union_type,
)
from graphql.utilities.type_comparators import do_types_overlap
from hypothesis import strategies as st

T = TypeVar("T")
_MOST_FIELDS: Final = 40
_DEEPEST: Final = 7
_INTROSPECTION: Final = {"__schema": "__Schema", "__type": "__Type"}
_DEEPEST_INPUT: Final = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """An operation and its variables."""

    text: str
    variables: Mapping[str, Any]
    conditions: tuple[str, ...]
    """The variables that `@skip` and `@include` name."""


@dataclass(frozen=True, slots=True)
class Pools:
    """Values to choose from: by root field and name of the argument or input field, mostly; else by that name; else by the scalar."""

    by_root: Mapping[str, Sequence[object]]
    by_name: Mapping[str, Sequence[object]]
    by_type: Mapping[str, Sequence[object]]


class _Enum(str):
    __slots__ = ()


@cache
def _up_to(most: int) -> st.SearchStrategy[int]:
    return st.integers(0, most)


@dataclass
class _Writer:
    """Writes one operation, asking hypothesis for each choice."""

    draw: Callable[[st.SearchStrategy[int]], int]
    schema: GraphQLSchema
    pools: Pools
    root: str = ""
    """The root field whose arguments are written."""
    left: int = _MOST_FIELDS
    variables: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    conditions: list[str] = field(default_factory=list)
    fragments: dict[str, tuple[GraphQLNamedType, str]] = field(default_factory=dict)

    # ------------------------------------------------------------------ choices

    def chance(self, percent: int) -> bool:
        return self.draw(_up_to(99)) >= 100 - percent

    def pick(self, some: Sequence[T]) -> T:
        return some[self.draw(_up_to(len(some) - 1))]

    # ------------------------------------------------------------------ selections

    def operation(self, kind: str, roots: Sequence[str]) -> str:
        root = self.schema.mutation_type if kind == "mutation" else self.schema.query_type
        assert root is not None
        names = [self.pick(roots) for _ in range(1 + self.draw(_up_to(2)))]
        fields = [self.field(root, name, 1, is_mixed=False) for name in names]
        if self.chance(10):
            fields.append("__typename")
        if kind == "query" and self.chance(3):
            fields.append(self.introspection())
        if self.chance(10):
            fields.append(self.fragment(root, 1, names))
        declared = ", ".join(f"${name}: {text}" for name, text in self.variables.items())
        head = f"{kind} Asked({declared})" if declared else kind
        fragments = [f"fragment {name} on {on.name} {body}" for name, (on, body) in self.fragments.items()]
        return "\n".join([f"{head} {_braces(fields)}", *fragments])

    def selection(self, parent: GraphQLNamedType, depth: int, *, is_mixed: bool) -> str:
        mixed = is_mixed or is_abstract_type(parent)
        return _braces([self.item(parent, depth, is_mixed=mixed) for _ in range(1 + self.draw(_up_to(4)))])

    def item(self, parent: GraphQLNamedType, depth: int, *, is_mixed: bool) -> str:
        names = [] if is_union_type(parent) else self.fitting(parent, depth)
        choice = self.draw(_up_to(99))
        if choice < 5 or self.left <= 0 or depth > _DEEPEST:
            return f"{self.pick(['', 'a: '])}__typename{self.directives()}"
        if choice >= (50 if is_abstract_type(parent) else 90) or (not names and is_union_type(parent)):
            return self.fragment(parent, depth)
        return self.field(parent, self.pick(names), depth, is_mixed=is_mixed) if names else "__typename"

    def fitting(self, parent: Any, depth: int) -> list[str]:  # noqa: ANN401  (a type with fields)
        names = list(parent.fields)
        if depth >= _DEEPEST or self.left <= 3:
            return [name for name in names if not is_composite_type(get_named_type(parent.fields[name].type))]
        return names

    def field(self, parent: Any, name: str, depth: int, *, is_mixed: bool) -> str:  # noqa: ANN401  (as above)
        self.left -= 1
        self.root = name if depth == 1 else self.root
        definition: GraphQLField = parent.fields[name]
        given = self.arguments(definition)
        key = self.key(name, definition, given, is_mixed=is_mixed)
        named = get_named_type(definition.type)
        body = self.selection(named, depth + 1, is_mixed=is_mixed) if is_composite_type(named) else ""
        return f"{'' if key == name else f'{key}: '}{name}{given}{self.directives()} {body}".rstrip()

    def key(self, name: str, definition: GraphQLField, given: str, *, is_mixed: bool) -> str:
        parts = [name]
        if is_mixed and not _has_one_type(self.schema, name):
            parts.append(_short(str(definition.type)))
        if given:
            parts.append(_short(given))
        if self.chance(10):
            parts.append("2")
        return "_".join(parts)

    def directives(self) -> str:
        return "".join(f" @{name}(if: {self.condition()})" for name in ("skip", "include") if self.chance(6))

    def condition(self) -> str:
        if self.chance(40):
            return self.pick(["false", "true"])
        if self.conditions and self.chance(30):
            return f"${self.pick(self.conditions)}"
        text = self.pick(["Boolean!", "Boolean! = true", "Boolean = false"])
        value: object = self.pick([True, False])
        name = self.declare(text, value, may_be_left_out="=" in text)
        if text == "Boolean = false" and self.chance(3):
            self.values[name] = None
        self.conditions.append(name)
        return f"${name}"

    # ------------------------------------------------------------------ fragments

    def fragment(self, parent: GraphQLNamedType, depth: int, roots: Sequence[str] = ()) -> str:
        fitting = [name for name, (on, _) in self.fragments.items() if do_types_overlap(self.schema, _composite(parent), _composite(on))]
        if fitting and not roots and self.chance(40):
            return f"...{self.pick(fitting)}{self.directives()}"
        on = parent if roots else self.pick(_overlapping(self.schema, parent))
        body = _braces([self.field(on, name, depth, is_mixed=True) for name in roots]) if roots else ""
        body = body or self.selection(on, depth, is_mixed=True)
        if self.chance(40):
            name = f"F{len(self.fragments)}"
            self.fragments[name] = (on, body)
            return f"...{name}{self.directives()}"
        if on is parent and not is_abstract_type(parent) and self.chance(50):
            return f"...{self.directives()} {body}"
        return f"... on {on.name}{self.directives()} {body}"

    # ------------------------------------------------------------------ introspection

    def introspection(self) -> str:
        left, self.left = self.left, 6
        name = self.pick(sorted(_INTROSPECTION))
        below = self.schema.type_map[_INTROSPECTION[name]]
        given = '(name: "Invoice")' if name == "__type" else ""
        text = f"{name}{given} {self.selection(below, _DEEPEST - 3, is_mixed=True)}"
        self.left = left
        return text

    # ------------------------------------------------------------------ arguments

    def arguments(self, definition: GraphQLField) -> str:
        parts = []
        for name, argument in definition.args.items():
            is_required = is_non_null_type(argument.type) and argument.default_value is Undefined
            if is_required or self.chance(_HOW_OFTEN.get(name, 50)):
                has_default = argument.default_value is not Undefined
                parts.append(f"{name}: {self.literal(name, argument.type, self.value(name, argument.type), has_default=has_default)}")
        return f"({', '.join(parts)})" if parts else ""

    def value(self, name: str, of: GraphQLInputType, depth: int = 0) -> Any:  # noqa: ANN401  (a value as JSON has it)
        if is_non_null_type(of):
            return self.filled(name, of.of_type, depth)
        return None if self.chance(10) else self.filled(name, of, depth)

    def filled(self, name: str, of: Any, depth: int) -> Any:  # noqa: ANN401  (as above; a type that is not Non-Null)
        if is_list_type(of):
            return [self.value(name, of.of_type, depth + 1) for _ in range(self.draw(_up_to(_LONGEST.get(name, 2))))]
        if is_input_object_type(of):
            return {inner: self.value(inner, _present(of, inner), depth + 1) for inner in self.chosen(of, depth)}
        if is_enum_type(of):
            return _Enum(self.pick(list(of.values)))
        if of.name == "Boolean":
            return self.pick([False, True])
        at_root = self.pools.by_root.get(f"{self.root}.{name}:{of.name}")
        if at_root is not None and self.chance(80):
            return self.pick(at_root)
        by_name = self.pools.by_name.get(f"{name}:{of.name}")
        return self.pick(by_name if by_name is not None else self.pools.by_type[of.name])

    def chosen(self, of: GraphQLInputObjectType, depth: int) -> list[str]:
        if _is_one_of(of) and not self.chance(2):
            return [self.pick(list(of.fields))]
        return [name for name, inner in of.fields.items() if _is_required(inner) or self.chance(25 if depth < _DEEPEST_INPUT else 0)]

    def literal(self, name: str, of: Any, value: Any, *, has_default: bool = False) -> str:  # noqa: ANN401
        if self.chance(25):
            return f"${self.variable(name, of, value, has_default=has_default)}"
        inner = of.of_type if is_non_null_type(of) else of
        if value is not None and is_list_type(inner):
            return f"[{', '.join(self.literal(name, inner.of_type, item) for item in value)}]"
        if value is not None and is_input_object_type(inner):
            parts = (
                f"{key}: {self.literal(key, inner.fields[key].type, item, has_default=_has_default(inner, key))}"
                for key, item in value.items()
            )
            return f"{{{', '.join(parts)}}}"
        return _plain(value)

    def variable(self, name: str, of: Any, value: Any, *, has_default: bool) -> str:  # noqa: ANN401  (as above)
        text = str(of)
        if has_default and text.endswith("!") and self.chance(30):
            return self.declare(text[:-1], self.pick([value, value, None]), may_be_left_out=True)
        if self.chance(30):
            default = value if self.chance(50) else self.value(name, of)
            return self.declare(f"{text} = {_plain(default)}", value, may_be_left_out=True)
        return self.declare(text, value, may_be_left_out=not text.endswith("!"))

    def declare(self, text: str, value: Any, *, may_be_left_out: bool = False) -> str:  # noqa: ANN401  (as above)
        name = f"v{len(self.variables)}"
        self.variables[name] = text
        if not (may_be_left_out and self.chance(25)):
            self.values[name] = value
        return name


_HOW_OFTEN: Final = {"dryRun": 80, "idempotencyKey": 75, "filter": 35, "after": 15, "first": 40, "includeDeprecated": 10}
"""In how many of a hundred cases an argument is given that need not be."""
_LONGEST: Final = {"ids": 8, "lines": 1}


def _braces(items: Sequence[str]) -> str:
    return f"{{ {' '.join(items)} }}"


def _short(text: str) -> str:
    return f"{zlib.crc32(text.encode()):x}"


@cache
def _has_one_type(schema: GraphQLSchema, name: str) -> bool:
    types = [each.fields[name].type for each in schema.type_map.values() if _has_fields(each) and name in each.fields]
    return len(set(map(str, types))) == 1


def _has_fields(named: object) -> TypeGuard[GraphQLObjectType | GraphQLInterfaceType]:
    return is_object_type(named) or is_interface_type(named)


def _composite(named: GraphQLNamedType) -> Any:  # noqa: ANN401  (a type with selections)
    return named


@cache
def _overlapping(schema: GraphQLSchema, parent: GraphQLNamedType) -> list[Any]:
    """Give the types that a fragment on `parent` can be of; the type itself first."""
    found = [each for each in schema.type_map.values() if is_composite_type(each) and not each.name.startswith("__") and each is not parent]
    return [parent, *(each for each in found if do_types_overlap(schema, _composite(parent), each))]


def _is_required(inner: GraphQLInputField) -> bool:
    return is_non_null_type(inner.type) and inner.default_value is Undefined


def _has_default(of: GraphQLInputObjectType, name: str) -> bool:
    return of.fields[name].default_value is not Undefined


def _present(of: GraphQLInputObjectType, name: str) -> Any:  # noqa: ANN401  (an input type; of a OneOf it may not be null)
    inner = of.fields[name].type
    return GraphQLNonNull(inner) if _is_one_of(of) and not is_non_null_type(inner) else inner


def _is_one_of(of: GraphQLInputObjectType) -> bool:
    ours = of.extensions.get("strawberry-definition")  # which checks it itself, and does not tell graphql-core
    return of.is_one_of or bool(getattr(ours, "is_one_of", False))


def _plain(value: Any) -> str:  # noqa: ANN401  (a value as JSON has it)
    match value:
        case _Enum():
            return str(value)
        case dict():
            return f"{{{', '.join(f'{name}: {_plain(item)}' for name, item in value.items())}}}"
        case list():
            return f"[{', '.join(map(_plain, value))}]"
        case _:
            return json.dumps(value, ensure_ascii=False)


def operations(schema: GraphQLSchema, pools: Pools, kind: str, roots: Sequence[str]) -> st.SearchStrategy[Asked]:
    """Make operations of a kind (`query` or `mutation`) that ask some of these root fields, and their variables."""

    @st.composite
    def build(draw: Any) -> Asked:  # noqa: ANN401  (hypothesis's)
        writer = _Writer(draw, schema, pools)
        text = writer.operation(kind, roots)
        return Asked(text, dict(writer.values), tuple(writer.conditions))

    return build()
