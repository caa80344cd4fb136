"""What a document costs at worst, before it is asked: calls by source and operation, and the fields that cause them. Calls nobody.

The estimate is of a request that finds nothing kept from earlier. What a failure costs on top (a retry, a new token, another way to
the same) is not in it. Where a number cannot be known beforehand, as the upstream's list is as long as it is, the least is
counted and the entry says so: `open_ended`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import strawberry
from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    get_variable_values,
    parse,
    validate,
    value_from_ast_untyped,
)

from gateway.errors import InvalidInput
from gateway.loaders import By, Calls, Demand, LinkRules, Need, SourceSet
from gateway.model import Kind
from gateway.schema.demands import Cause, Thought, Walk

_HOPS: Final = frozenset({Need.CURRENCY, Need.PARTY, Need.ROUNDING})
"""What may be asked of an order for the sake of another object."""


class InvalidDocument(InvalidInput):
    """The document, or its variables, cannot be executed; each of `mistakes` is one line, with line and column where it has them."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = tuple(mistakes)


@dataclass(frozen=True, slots=True)
class UpstreamCalls:
    """The calls of one operation of one source; `fields` are the places of the answer that cause them."""

    source: str
    operation: str
    calls: int
    open_ended: bool
    fields: tuple[str, ...]

    def to_plain(self) -> dict[str, object]:
        """Give it as JSON has it."""
        return {
            "source": self.source,
            "operation": self.operation,
            "calls": self.calls,
            "openEnded": self.open_ended,
            "fields": list(self.fields),
        }


@dataclass(frozen=True, slots=True)
class Explanation:
    """All calls, in the order of the configuration. `total` leaves out those that are made in the place of others."""

    entries: tuple[UpstreamCalls, ...]
    total: int

    @property
    def open_ended(self) -> bool:
        """Say whether there may be more."""
        return any(entry.open_ended for entry in self.entries)

    def to_plain(self) -> dict[str, object]:
        """Give it as JSON has it."""
        return {"total": self.total, "openEnded": self.open_ended, "calls": [entry.to_plain() for entry in self.entries]}


class Explainer:
    """Explains documents of one schema."""

    def __init__(self, schema: strawberry.Schema, *, max_nodes: int, link_rules: LinkRules) -> None:
        self._schema: GraphQLSchema = schema._schema  # noqa: SLF001  (Strawberry offers no other way to the types)
        self.max_nodes = max_nodes
        self._link_rules = link_rules

    def explain(
        self, query: str, sources: SourceSet, *, variables: Mapping[str, Any] | None = None, operation_name: str | None = None
    ) -> Explanation:
        """Say what an operation costs; `variables` None: nobody knows them. Raises `InvalidDocument`."""
        return self.explain_thought(self.think(query, variables=variables, operation_name=operation_name), sources)

    def think(self, query: str | DocumentNode, *, variables: Mapping[str, Any] | None = None, operation_name: str | None = None) -> Thought:
        """Read and validate an operation; `variables` None: nobody knows them. Raises `InvalidDocument`."""
        return self.think_of(self._read(query), variables=variables, operation_name=operation_name)

    def think_of(self, document: DocumentNode, *, variables: Mapping[str, Any] | None, operation_name: str | None) -> Thought:
        """Take an operation of a document that is valid; `variables` None: nobody knows them. Raises `InvalidDocument`."""
        operation = _chosen(document, operation_name)
        fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
        return Thought(self._schema, fragments, operation, {} if variables is None else self._values(operation, variables))

    def explain_thought(self, thought: Thought, sources: SourceSet, *, most_causes: int | None = None) -> Explanation:
        """Say what an operation costs that was read already. Raises `LimitExceeded` where more than `most_causes` fields cause calls."""
        return _add_up(Walk(thought, sources, self.max_nodes, self._link_rules, most_causes).run(), sources)

    def _read(self, query: str | DocumentNode) -> DocumentNode:
        try:
            document = parse(query) if isinstance(query, str) else query
            errors = validate(self._schema, document)
        except GraphQLError as error:
            raise InvalidDocument([_line(error)]) from None
        if errors:
            raise InvalidDocument([_line(error) for error in errors])
        return document

    def _values(self, operation: OperationDefinitionNode, given: Mapping[str, Any]) -> dict[str, Any]:
        """Give the variables as JSON has them, defaults filled in, null for those left out."""
        definitions = operation.variable_definitions or ()
        coerced = get_variable_values(self._schema, definitions, dict(given))
        if isinstance(coerced, list):
            raise InvalidDocument([_line(error) for error in coerced])
        values: dict[str, Any] = {}
        for definition in definitions:
            name, default = definition.variable.name.value, definition.default_value
            values[name] = given[name] if name in given else None if default is None else value_from_ast_untyped(default)
        return values


def _chosen(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    chosen = [node for node in operations if name is None or (node.name is not None and node.name.value == name)]
    if len(chosen) == 1:
        return chosen[0]
    names = ", ".join(node.name.value for node in operations if node.name is not None)
    raise InvalidDocument([f"one operation of the document must be named (there are: {names or 'none'})"])


def _line(error: GraphQLError) -> str:
    place = error.locations[0] if error.locations else None
    message = " ".join(error.message.split())
    return message if place is None else f"{place.line}:{place.column}: {message}"


# ------------------------------------------------------------------ adding up


@dataclass(slots=True)
class _Sum:
    """What is known of one operation so far."""

    each: int = 0
    once: int = 0
    instead: int = 0
    open_ended: bool = False
    fields: dict[str, None] = field(default_factory=dict)

    def add(self, calls: Calls, cause: Cause) -> None:
        if calls.once:
            self.once = max(self.once, calls.count)
        elif calls.instead:
            self.instead += calls.count * cause.times
        else:
            self.each += calls.count * cause.times
        self.open_ended |= calls.open_ended or (cause.open_ended and not calls.once)
        self.fields |= dict.fromkeys(cause.paths)

    @property
    def counted(self) -> int:
        return self.each + self.once


def _add_up(causes: Sequence[Cause], sources: SourceSet) -> Explanation:
    sums: dict[tuple[str, str], _Sum] = {}
    together = _together(causes)
    for cause in causes:
        for calls in _most(cause, together):
            if calls.count * cause.times:
                sums.setdefault((cause.source.profile.key, calls.operation), _Sum()).add(calls, cause)
    entries = [
        UpstreamCalls(key, operation, known.counted + known.instead, known.open_ended, tuple(known.fields))
        for (key, operation), known in sums.items()
    ]
    order = list(sources.keys)
    entries.sort(key=lambda entry: (order.index(entry.source), entry.operation))
    return Explanation(tuple(entries), sum(known.counted for known in sums.values()))


@dataclass(slots=True)
class _Asked:
    """What a document asks of one kind of object of one source: how many, and which attributes (None: all)."""

    count: int = 0
    fields: frozenset[str] | None = frozenset()

    def add(self, demand: Demand, times: int) -> None:
        self.count += demand.count * times
        self.fields = None if self.fields is None or demand.fields is None else self.fields | demand.fields


_Together = Mapping[tuple[str, Kind], _Asked]


def _together(causes: Iterable[Cause]) -> _Together:
    """Sum up the objects that are read by key: those asked in the same tick are one read, of all that is asked of any of them."""
    asked: dict[tuple[str, Kind], _Asked] = {}
    for cause in causes:
        for demand in cause.options:
            if demand.need in _HOPS or (demand.need is Need.RECORD and demand.by is not By.NUMBER and demand.fields != frozenset()):
                kind = Kind.ORDER if demand.need in _HOPS else demand.kind
                asked.setdefault((cause.source.profile.key, kind), _Asked()).add(demand, cause.times)
    return asked


def _most(cause: Cause, together: _Together) -> Iterable[Calls]:
    """Give the calls of a cause; of several options the most of each operation."""
    most: dict[str, Calls] = {}
    for demand in cause.options:
        for calls in _calls(cause, demand, together):
            before = most.get(calls.operation)
            if before is None or before.count < calls.count:
                most[calls.operation] = calls
    return most.values()


def _calls(cause: Cause, demand: Demand, together: _Together) -> tuple[Calls, ...]:
    known = together.get((cause.source.profile.key, demand.kind))
    alone = cause.source.worst_case(demand if known is None else replace(demand, among=known.count))
    if not alone or known is None or demand.need is not Need.RECORD or demand.by is By.NUMBER:
        return alone
    return cause.source.worst_case(replace(demand, fields=known.fields, among=known.count))


__all__ = ["Explainer", "Explanation", "InvalidDocument", "UpstreamCalls"]
