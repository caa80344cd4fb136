"""A document as its author wrote it: the operation that is meant, its variables, and what it selects, fragments laid in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSyntaxError,
    InlineFragmentNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    TypeNode,
    ValueNode,
    VariableDefinitionNode,
    VariableNode,
    parse,
)

from gateway.client.mistake import Mistake

_Fragments = Mapping[str, FragmentDefinitionNode]
_NO_FRAGMENTS: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Field:
    """A selected field. `key` is its name in the answer; without `fields` it is a leaf."""

    key: str
    name: str
    arguments: Mapping[str, ValueNode]
    fields: tuple[Field, ...]
    node: FieldNode
    """Where it stands; the first of several."""

    def named(self, name: str) -> Field | None:
        """Give the first field below it with this name in the graph; None: it is not selected."""
        return next((field for field in self.fields if field.name == name), None)

    def variable_of(self, argument: str) -> str | None:
        """Give the variable that an argument is fed by; None: it is not given, or not by a variable."""
        value = self.arguments.get(argument)
        return value.name.value if isinstance(value, VariableNode) else None


@dataclass(frozen=True, slots=True)
class Document:
    """One operation of a document."""

    text: str
    operation_name: str | None
    """As it must be named in a request; None where the document has but one."""
    is_mutation: bool
    variables: Mapping[str, TypeNode]
    required: tuple[str, ...]
    """Variables that must be given."""
    fields: tuple[Field, ...]


def read_document(text: str, shown_as: str, operation_name: str | None = None) -> Document:
    """Read a document; `shown_as` is what it is called in messages. Raises `Mistake`."""
    try:
        definitions = parse(text).definitions
    except GraphQLSyntaxError as error:
        place = "".join(f"{location.line}:{location.column}: " for location in error.locations or ())
        raise Mistake(f"{shown_as}:{place}{error.message}") from None
    fragments = {item.name.value: item for item in definitions if isinstance(item, FragmentDefinitionNode)}
    operations = [item for item in definitions if isinstance(item, OperationDefinitionNode)]
    operation = _choose(operations, shown_as, operation_name)
    return Document(
        text=text,
        operation_name=operation_name,
        is_mutation=operation.operation is OperationType.MUTATION,
        variables={item.variable.name.value: item.type for item in operation.variable_definitions or ()},
        required=tuple(item.variable.name.value for item in operation.variable_definitions or () if _is_required(item)),
        fields=_select([operation.selection_set], fragments, _NO_FRAGMENTS),
    )


def _is_required(definition: VariableDefinitionNode) -> bool:
    return isinstance(definition.type, NonNullTypeNode) and definition.default_value is None


def _choose(operations: list[OperationDefinitionNode], shown_as: str, name: str | None) -> OperationDefinitionNode:
    found = [item for item in operations if name is None or (item.name is not None and item.name.value == name)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(item.name.value for item in operations if item.name is not None)
    if not operations:
        raise Mistake(f"{shown_as}: there is no operation in it")
    if name is not None:
        raise Mistake(f"{shown_as}: --operation {name}: there is no such operation{f', only {names}' if names else ''}")
    raise Mistake(f"{shown_as}: it has several operations; choose by --operation: {names}")


def _select(sets: Iterable[SelectionSetNode], fragments: _Fragments, within: frozenset[str]) -> tuple[Field, ...]:
    nodes: dict[str, list[tuple[FieldNode, frozenset[str]]]] = {}
    for selection_set in sets:
        for node, inside in _flat(selection_set, fragments, within):
            nodes.setdefault(node.name.value if node.alias is None else node.alias.value, []).append((node, inside))
    return tuple(_field(key, same, fragments) for key, same in nodes.items())


def _field(key: str, same: list[tuple[FieldNode, frozenset[str]]], fragments: _Fragments) -> Field:
    """Make one field of all selections with its key, as an answer merges them."""
    first = same[0][0]
    inside = frozenset[str]().union(*(names for _, names in same))
    sets = [node.selection_set for node, _ in same if node.selection_set is not None]
    arguments = {argument.name.value: argument.value for argument in first.arguments or ()}
    return Field(key, first.name.value, arguments, _select(sets, fragments, inside), first)


def _flat(selection_set: SelectionSetNode, fragments: _Fragments, within: frozenset[str]) -> Iterator[tuple[FieldNode, frozenset[str]]]:
    """Give fields with the fragments around them. What is in itself, or is not there, is left for the gateway to refuse."""
    for node in selection_set.selections:
        if isinstance(node, FieldNode):
            yield node, within
        elif isinstance(node, InlineFragmentNode):
            yield from _flat(node.selection_set, fragments, within)
        elif isinstance(node, FragmentSpreadNode) and node.name.value not in within:
            fragment = fragments.get(node.name.value)
            if fragment is not None:
                yield from _flat(fragment.selection_set, fragments, within | {node.name.value})
