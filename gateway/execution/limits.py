"""What a document may be at the most, found out before validation, which can itself be the attack.

Fragments are opened where they stand, so that one that is used ten times counts ten times; the work is bounded by the tokens of the
document and by `fields`, whatever fragments do. What makes a document invalid, as a cycle or a fragment that is not there, is left to
validation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Final, NamedTuple, TypeAlias

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSyntaxError,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    parse,
)
from graphql.language.parser import MAX_NESTING_DEPTH

from gateway.errors import LimitExceeded

_ABOUT_THE_SCHEMA: Final = frozenset({"__schema", "__type"})
_TOO_DEEP: Final = "Syntax Error: Document is nested too deeply. Parsing aborted."


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """At most so many of each: in a document `characters`, `tokens`, `fields` and `overlaps`, in each operation the others.

    `depth`: fields in fields, and lists and objects in each other in one argument; below `__schema` and `__type` it is not limited here.
    `fields`: fields and fragments, wherever they are opened. `overlaps`: pairs of fields with the same name at the same place of the
    answer, as validation compares each pair.
    """

    characters: int = 15_000
    tokens: int = 2_000
    depth: int = 12
    aliases: int = 30
    root_fields: int = 20
    directives: int = 50
    fields: int = 2_000
    overlaps: int = 5_000


USUAL_LIMITS: Final = DocumentLimits()


@dataclass(slots=True)
class Size:
    """How large a document is, in the words of `DocumentLimits`; of operations the largest. The least, where measuring ended early."""

    depth: int = 0
    aliases: int = 0
    root_fields: int = 0
    directives: int = 0
    overlaps: int = 0
    fields: int = 0
    asks_for_schema: bool = False


# What each is called to the caller, by the code that says it; checked in this order.
_NAMED: Final = {
    "DEPTH_LIMIT": ("depth", "fields or values are nested {0} deep"),
    "ALIAS_LIMIT": ("aliases", "an operation has {0} aliases"),
    "ROOT_FIELD_LIMIT": ("root_fields", "an operation has {0} fields at its root"),
    "DIRECTIVE_LIMIT": ("directives", "an operation has {0} directives"),
    "OVERLAP_LIMIT": ("overlaps", "{0} pairs of fields have the same name at the same place"),
    "FIELD_LIMIT": ("fields", "the document has {0} fields and fragments, each counted wherever it is used"),
}


def parse_within(query: str, limits: DocumentLimits) -> DocumentNode:
    """Read a document. Raises `LimitExceeded` for one that is too long or nested too deeply to be read, and `GraphQLSyntaxError`."""
    if len(query) > limits.characters:
        raise _exceeded("DOCUMENT_TOO_LARGE", f"the document has {len(query)} characters", limits.characters)
    try:
        return parse(query, max_lexical_tokens=limits.tokens)
    except GraphQLSyntaxError as error:
        if error.message == _TOO_DEEP:
            raise _exceeded("DEPTH_LIMIT", f"the document is nested more than {MAX_NESTING_DEPTH} deep", limits.depth) from None
        if error.message == f"Syntax Error: Document contains more than {limits.tokens} tokens. Parsing aborted.":
            raise _exceeded("TOKEN_LIMIT", f"the document has {limits.tokens + 1} tokens or more", limits.tokens) from None
        raise


def check_size(document: DocumentNode, limits: DocumentLimits) -> Size:
    """Measure a document. Raises `LimitExceeded`, with a code for each limit."""
    size = measure(document, most_fields=limits.fields)
    is_whole = size.fields <= limits.fields
    for code, (name, what) in _NAMED.items():
        found, limit = getattr(size, name), getattr(limits, name)
        if found > limit:
            raise _exceeded(code, what.format(found if is_whole else f"at least {found}"), limit)
    return size


def measure(document: DocumentNode, *, most_fields: int) -> Size:
    """Measure a document, in as many steps as `Size.fields` says; ends at the first step after `most_fields`."""
    return _Measuring(document, most_fields).run()


def _exceeded(code: str, what: str, limit: int) -> LimitExceeded:
    return LimitExceeded(code, f"{what}; at most {limit} are taken")


@dataclass(slots=True)
class _Place:
    """A place of the answer: how many fields of the document stand there, and the places below it."""

    count: int = 0
    below: dict[str, _Place] = field(default_factory=dict)


class _Step(NamedTuple):
    """A selection that is to be looked at. `depth` None: it is below a field about the schema."""

    selection: SelectionNode
    place: _Place
    depth: int | None
    opened: frozenset[str]
    """The fragments it stands in: none is opened within itself."""


_Definition: TypeAlias = OperationDefinitionNode | FragmentDefinitionNode


class _Measuring:
    """Measures a document once."""

    def __init__(self, document: DocumentNode, most_fields: int) -> None:
        self._definitions = [node for node in document.definitions if isinstance(node, _Definition)]
        self._fragments = {node.name.value: node for node in self._definitions if isinstance(node, FragmentDefinitionNode)}
        self._most_fields = most_fields
        self._read: set[int] = set()
        """The definitions and fields whose own directives and values were read: values are as deep wherever they are opened."""
        self._whole = Size()
        self._one = Size()

    def run(self) -> Size:
        """Measure the operations, and then the fragments that none of them opened."""
        for definition in sorted(self._definitions, key=lambda node: isinstance(node, FragmentDefinitionNode)):
            if id(definition) not in self._read:
                self._one = Size()
                self._measure(definition)
                self._keep()
        return self._whole

    def _keep(self) -> None:
        """Add one operation to the whole: of what is limited in an operation the most counts, of the others the sum."""
        for name in (each.name for each in fields(Size)):
            one, whole = getattr(self._one, name), getattr(self._whole, name)
            setattr(self._whole, name, whole + one if name in {"fields", "overlaps"} else max(whole, one))

    def _measure(self, root: _Definition) -> None:
        self._open_definition(root)
        if isinstance(root, FragmentDefinitionNode):
            steps = [*_steps(root.selection_set, _Place(), 1, frozenset({root.name.value}))]  # what nobody opens is at no root
        else:
            steps = [*_steps(root.selection_set, _Place(), 0, frozenset())]
        most = self._most_fields - self._whole.fields
        while steps and self._one.fields <= most:
            step = steps.pop()
            self._one.fields += 1
            self._count_directives(step.selection.directives)
            steps.extend(self._below(step))

    def _open_definition(self, definition: _Definition) -> None:
        self._count_directives(definition.directives)
        for variable in definition.variable_definitions or ():
            self._count_directives(variable.directives)
        if id(definition) not in self._read:
            self._read.add(id(definition))
            defaults = [variable.default_value for variable in definition.variable_definitions or ()]
            self._one.depth = max(self._one.depth, _depth_of(value for value in defaults if value is not None))

    def _count_directives(self, directives: Sequence[DirectiveNode] | None) -> None:
        self._one.directives += len(directives or ())

    def _below(self, step: _Step) -> Iterator[_Step]:
        match step.selection:
            case FieldNode():
                return self._below_field(step.selection, step)
            case FragmentSpreadNode():
                return self._below_spread(step.selection, step)
            case InlineFragmentNode():
                return _steps(step.selection.selection_set, step.place, step.depth, step.opened)
            case _:
                return iter(())

    def _below_field(self, node: FieldNode, step: _Step) -> Iterator[_Step]:
        one, is_about_schema = self._one, node.name.value in _ABOUT_THE_SCHEMA
        place = step.place.below.setdefault((node.alias or node.name).value, _Place())
        one.overlaps += place.count
        place.count += 1
        one.aliases += node.alias is not None
        one.root_fields += step.depth == 0
        one.asks_for_schema |= is_about_schema
        depth = None if step.depth is None or is_about_schema else step.depth + 1
        one.depth = max(one.depth, depth or 0, self._depth_of_values(node))
        return _steps(node.selection_set, place, depth, step.opened)

    def _depth_of_values(self, node: FieldNode) -> int:
        if id(node) in self._read:
            return 0
        self._read.add(id(node))
        of_directives = (argument for directive in node.directives or () for argument in directive.arguments or ())
        return _depth_of(argument.value for argument in (*(node.arguments or ()), *of_directives))

    def _below_spread(self, node: FragmentSpreadNode, step: _Step) -> Iterator[_Step]:
        name = node.name.value
        fragment = self._fragments.get(name)
        if fragment is None or name in step.opened:
            return iter(())
        self._open_definition(fragment)
        return _steps(fragment.selection_set, step.place, step.depth, step.opened | {name})


def _steps(selection_set: SelectionSetNode | None, place: _Place, depth: int | None, opened: frozenset[str]) -> Iterator[_Step]:
    return (_Step(selection, place, depth, opened) for selection in (() if selection_set is None else selection_set.selections))


def _depth_of(values: Iterable[ValueNode]) -> int:
    """Say how deep lists and objects are nested."""
    deepest, level = 0, list(values)
    while level := [inner for value in level for inner in _inside(value)]:
        deepest += 1
    return deepest


def _inside(value: ValueNode) -> Iterable[ValueNode]:
    match value:
        case ListValueNode():
            return value.values
        case ObjectValueNode():
            return (item.value for item in value.fields)
        case _:
            return ()
