"""What can be told from a document before it is executed."""

from __future__ import annotations

from dataclasses import dataclass

from graphql import BREAK, FieldNode, GraphQLSyntaxError, OperationDefinitionNode, OperationType, Visitor, parse, visit
from graphql.language.visitor import VisitorAction


@dataclass(frozen=True, slots=True)
class Facts:
    """Of one request: whether it asks about the schema, whether it says which operation will run, and whether that is a mutation."""

    asks_for_schema: bool = False
    is_mutation: bool = False
    names_one_operation: bool = True
    """False: there is none, or there are several and `operationName` does not choose."""


class _SchemaFinder(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.found = False

    def enter_field(self, node: FieldNode, *_: object) -> VisitorAction:
        """Stop at the first field that asks about the schema."""
        if node.name.value in {"__schema", "__type"}:
            self.found = True
            return BREAK
        return None


def facts_of(query: str, operation_name: str | None) -> Facts:
    """Look at a document; of what is no document nothing is told, the graph says why it is none."""
    try:
        document = parse(query)
    except (GraphQLSyntaxError, RecursionError):
        return Facts()
    finder = _SchemaFinder()
    visit(document, finder)
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    chosen = [node for node in operations if operation_name is None or (node.name is not None and node.name.value == operation_name)]
    is_mutation = any(node.operation is OperationType.MUTATION for node in chosen)
    return Facts(finder.found, is_mutation, names_one_operation=len(chosen) == 1)
