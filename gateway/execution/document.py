"""What can be told from a document before it is executed."""

from __future__ import annotations

from dataclasses import dataclass

from graphql import DocumentNode, GraphQLSyntaxError, OperationDefinitionNode, OperationType

from gateway.execution.limits import USUAL_LIMITS, DocumentLimits, check_size, parse_within


@dataclass(frozen=True, slots=True)
class NamedOperation:
    """One operation; `name` None: it has none. `kind`: query, mutation or subscription."""

    name: str | None
    kind: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Of one request: whether it asks about the schema, whether it says which operation will run, and whether that is a mutation."""

    asks_for_schema: bool = False
    is_mutation: bool = False
    names_one_operation: bool = True
    """False: there is none, or there are several and `operationName` does not choose."""
    document: DocumentNode | None = None
    """As it was read; None: it cannot be."""


def facts_of(query: str, operation_name: str | None, limits: DocumentLimits = USUAL_LIMITS) -> Facts:
    """Look at a document; of what is no document nothing is told, the graph says why it is none. Raises `LimitExceeded`."""
    try:
        document = parse_within(query, limits)
    except GraphQLSyntaxError:
        return Facts()
    size = check_size(document, limits)
    return facts_about(document, operation_name, asks_for_schema=size.asks_for_schema)


def facts_about(document: DocumentNode, operation_name: str | None, *, asks_for_schema: bool) -> Facts:
    """Look at a document that was read."""
    chosen = operations_named(document, operation_name)
    is_mutation = any(node.operation is OperationType.MUTATION for node in chosen)
    return Facts(asks_for_schema, is_mutation, names_one_operation=len(chosen) == 1, document=document)


def operations_named(document: DocumentNode, name: str | None) -> list[OperationDefinitionNode]:
    """Give the operations of a name; None: all of them."""
    operations = (node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    return [node for node in operations if name is None or (node.name is not None and node.name.value == name)]


def operations_of(document: DocumentNode) -> tuple[NamedOperation, ...]:
    """Give the operations in the order of the document."""
    operations = operations_named(document, None)
    return tuple(NamedOperation(None if node.name is None else node.name.value, node.operation.value) for node in operations)
