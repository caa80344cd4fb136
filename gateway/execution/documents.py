"""Documents that were read before: parsed, measured, validated and planned once, however often they are asked.

Whoever writes values into the text of a document sends another one each time. Such documents must not push out those that come again:
a document is kept from its second time on, and of those that were seen once only a hash is known.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, Final

from graphql import DocumentNode, GraphQLError, GraphQLSchema, GraphQLSyntaxError, validate

from gateway.execution.compiling import Plans, conditions
from gateway.execution.document import Facts, facts_about, operations_named
from gateway.execution.limits import USUAL_LIMITS, DocumentLimits, check_size, parse_within

MAX_CHARACTERS: Final = 400_000
"""Of all documents that are kept; each takes about 100 bytes a character, with its plans."""
MAX_SEEN: Final = 10_000


class ReadDocument:
    """One document. `kept`: what others found out about it, by keys of their own; it is forgotten with the document."""

    def __init__(self, schema: GraphQLSchema, node: DocumentNode | None, error: GraphQLError | None, *, asks_for_schema: bool) -> None:
        self._schema = schema
        self.node = node
        """None: it is no document."""
        self._asks_for_schema = asks_for_schema
        self._errors: tuple[GraphQLError, ...] | None = None if error is None else (error,)
        self._facts: dict[str | None, Facts] = {}
        self._plans: dict[str | None, Plans] = {}
        self.kept: dict[Hashable, Any] = {}
        self.is_conditional = node is not None and bool(conditions(node))
        """Whether variables say what of it is skipped."""

    @property
    def errors(self) -> tuple[GraphQLError, ...]:
        """Why it cannot be executed; nothing where it can."""
        if self._errors is None:
            self._errors = () if self.node is None else tuple(validate(self._schema, self.node, hide_suggestions=True))
        return self._errors

    def facts(self, operation_name: str | None) -> Facts:
        """Look at it; of what is no document nothing is told."""
        if self.node is None:
            return Facts()
        known = self._facts.get(operation_name)
        if known is None:
            known = facts_about(self.node, operation_name, asks_for_schema=self._asks_for_schema)
            if known.names_one_operation:  # other names are without end
                self._facts[operation_name] = known
        return known

    def plans(self, operation_name: str | None) -> Plans | None:
        """Give the plans of an operation; None where the name does not say which one."""
        known = self._plans.get(operation_name)
        if known is None and self.node is not None:
            chosen = operations_named(self.node, operation_name)
            if len(chosen) == 1:
                known = self._plans[operation_name] = Plans(self.node, chosen[0])
        return known


class Documents:
    """The documents of one schema. The latest used are kept."""

    def __init__(self, schema: GraphQLSchema, limits: DocumentLimits = USUAL_LIMITS, *, max_characters: int = MAX_CHARACTERS) -> None:
        self._schema = schema
        self._limits = limits
        self._max_characters = max_characters
        self._kept: OrderedDict[str, ReadDocument] = OrderedDict()
        self._characters = 0
        self._seen: OrderedDict[int, None] = OrderedDict()

    def read(self, query: str) -> ReadDocument:
        """Read a document, or give it as it was read before. Raises `LimitExceeded`."""
        known = self._kept.get(query)
        if known is not None:
            self._kept.move_to_end(query)
            return known
        document = self._read(query)
        if self._was_seen(query):
            self._keep(query, document)
        return document

    def _read(self, query: str) -> ReadDocument:
        try:
            node = parse_within(query, self._limits)
        except GraphQLSyntaxError as error:
            return ReadDocument(self._schema, None, error, asks_for_schema=False)
        size = check_size(node, self._limits)
        return ReadDocument(self._schema, node, None, asks_for_schema=size.asks_for_schema)

    def _was_seen(self, query: str) -> bool:
        """Say whether a document was seen before, and note that it was."""
        key = hash(query)
        was_seen = key in self._seen
        self._seen[key] = None
        self._seen.move_to_end(key)
        if len(self._seen) > MAX_SEEN:
            self._seen.popitem(last=False)
        return was_seen

    def _keep(self, query: str, document: ReadDocument) -> None:
        self._kept[query] = document
        self._characters += len(query)
        while self._characters > self._max_characters:
            pushed_out, _ = self._kept.popitem(last=False)
            self._characters -= len(pushed_out)
