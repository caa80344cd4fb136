"""The operations of a document."""

from __future__ import annotations

from dataclasses import dataclass

from graphql import DocumentNode, OperationDefinitionNode


@dataclass(frozen=True, slots=True)
class NamedOperation:
    """One operation; `name` None: it has none. `kind`: query, mutation or subscription."""

    name: str | None
    kind: str


def operations_of(document: DocumentNode) -> tuple[NamedOperation, ...]:
    """Give the operations in the order of the document."""
    operations = (node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    return tuple(NamedOperation(None if node.name is None else node.name.value, node.operation.value) for node in operations)
