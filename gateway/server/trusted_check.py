"""Says of documents, before anybody asks for them, whether they can be answered, and what they cost at worst."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.errors import LimitExceeded
from gateway.execution import DocumentLimits, NamedOperation, facts_of, operations_of
from gateway.loaders import SourceSet
from gateway.schema import CostModel, Explainer, InvalidDocument, Weighed
from gateway.server.trusted_manifest import show_id


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a document is refused; `code` as `errors[].extensions` has it, one line a mistake."""

    code: str
    mistakes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """One operation of a document; `operation` None: the whole document is refused."""

    document_id: str
    operation: NamedOperation | None
    found: Weighed | Refusal

    @property
    def shown_id(self) -> str:
        """The id as a line may have it."""
        return show_id(self.document_id)


@dataclass(frozen=True, slots=True)
class DocumentCheck:
    """Checks documents against a graph and the limits on what is asked of it."""

    explainer: Explainer
    limits: DocumentLimits

    def mistakes_in(self, documents: Mapping[str, str]) -> Iterator[str]:
        """Give a line for each document that can never be answered, with the first mistake in it."""
        for document_id, text in documents.items():
            found = self._operations_in(text)
            if isinstance(found, Refusal):
                yield f"{show_id(document_id)}: {found.mistakes[0]}"

    def weigh(self, documents: Mapping[str, str], costs: CostModel, sources: SourceSet) -> Iterator[Checked]:
        """Say of each operation what it costs over some sources; variables are not known, so the most they can ask for counts."""
        for document_id, text in documents.items():
            found = self._operations_in(text)
            if isinstance(found, Refusal):
                yield Checked(document_id, None, found)
            else:
                yield from (Checked(document_id, operation, _weighed(costs, text, sources, operation)) for operation in found)

    def _operations_in(self, text: str) -> tuple[NamedOperation, ...] | Refusal:
        """Give the operations of a document, or why it can never be answered."""
        try:
            document = facts_of(text, None, self.limits).document
            operations = () if document is None else operations_of(document)
            # Validation looks at the whole document, whichever operation is named.
            self.explainer.think(text if document is None else document, operation_name=operations[0].name if operations else None)
        except InvalidDocument as error:
            return Refusal("GRAPHQL_VALIDATION_FAILED", error.mistakes)
        except LimitExceeded as error:
            return Refusal(error.limit, (error.message,))
        return operations


def _weighed(costs: CostModel, text: str, sources: SourceSet, operation: NamedOperation) -> Weighed | Refusal:
    try:
        return costs.weigh(text, sources, operation_name=operation.name)
    except LimitExceeded as error:
        return Refusal(error.limit, (error.message,))
