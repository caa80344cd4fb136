"""The one mutation of a document, as it is sent again and again with other variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from graphql import FieldNode, Node

from gateway.client.columns import columns_of, value_at
from gateway.client.document import Document, Field
from gateway.client.endpoint import Answer
from gateway.client.mistake import Mistake

_KEY: Final = "idempotencyKey"
_DRY_RUN: Final = "dryRun"


@dataclass(frozen=True, slots=True)
class Mutation:
    """What is sent for each row, and how its answer is read."""

    document: Document
    field: Field
    is_dry_run: bool
    text: str

    @property
    def key_variable(self) -> str | None:
        """Give the variable that the key is given by; None: it goes into the header."""
        return self.field.variable_of(_KEY)

    @property
    def own_variables(self) -> frozenset[str]:
        """Give the variables that no row has to give."""
        dry_run = self.field.variable_of(_DRY_RUN)
        return frozenset(name for name in (self.key_variable, dry_run) if name is not None)

    @property
    def required(self) -> list[str]:
        """Give the variables that each row has to give."""
        return [name for name in self.document.required if name not in self.own_variables]

    def body_of(self, variables: Mapping[str, object], key: str) -> dict[str, object]:
        """Make the request of a row."""
        own: dict[str, object] = {} if self.key_variable is None else {self.key_variable: key}
        dry_run = self.field.variable_of(_DRY_RUN)
        if dry_run is not None:
            own[dry_run] = self.is_dry_run
        name = {} if self.document.operation_name is None else {"operationName": self.document.operation_name}
        return {"query": self.text, "variables": {**variables, **own}, **name}

    def headers_of(self, key: str) -> dict[str, str]:
        """Make the headers of a row."""
        return {"idempotency-key": key} if self.key_variable is None else {}

    def payload_of(self, answer: Answer) -> dict[str, Any] | None:
        """Give what the mutation answered; None where it answered nothing."""
        payload = value_at(answer.data, (self.field.key,))
        return payload if isinstance(payload, dict) else None

    def told_in(self, payload: object, name: str) -> Any:  # noqa: ANN401  (as the graph has it)
        """Give a field of what it answered, whatever the document calls it; None: it is null, or not asked."""
        field = self.field.named(name)
        return None if field is None else value_at(payload, (field.key,))

    def user_errors_in(self, payload: object) -> list[dict[str, object]]:
        """Give what is wrong with the row, by the names of the graph."""
        field = self.field.named("userErrors")
        errors = None if field is None else value_at(payload, (field.key,))
        if field is None or not isinstance(errors, list):
            return []
        return [{inner.name: value_at(error, (inner.key,)) for inner in field.fields} for error in errors]

    def ids_in(self, payload: object) -> dict[str, object]:
        """Give the global ids in what it answered, by the path of what they are ids of."""
        found = {".".join(column.path[:-1]): column.value_in(payload) for column in columns_of(self.field.fields) if column.name == "id"}
        return {path: value for path, value in found.items() if value is not None}


def find_mutation(document: Document, shown_as: str, *, is_dry_run: bool) -> Mutation:
    """Find the mutation of a document. Raises `Mistake` with what is missing."""
    fields = [field for field in document.fields if field.name != "__typename"]
    if not document.is_mutation or len(fields) != 1:
        raise Mistake(f"{shown_as}: run needs a mutation with one field, so that each row is one write")
    field = fields[0]
    missing = [name for name in ("outcome", "userErrors") if field.named(name) is None]
    if missing:
        raise Mistake(f"{shown_as}: {field.key}: it lacks {' and '.join(missing)}: nobody would know what became of a row")
    if _KEY in field.arguments and field.variable_of(_KEY) is None:
        raise Mistake(f"{shown_as}: {field.key}: {_KEY} must be a variable, or left out: each row has a key of its own")
    must_rewrite = is_dry_run and field.variable_of(_DRY_RUN) is None
    return Mutation(document, field, is_dry_run, _as_dry_run(document.text, field.node) if must_rewrite else document.text)


def _as_dry_run(text: str, node: FieldNode) -> str:
    """Write the document with `dryRun: true`, and all else as it stands."""
    given = next((argument for argument in node.arguments or () if argument.name.value == _DRY_RUN), None)
    if given is not None:
        return _with(text, given, given, f"{_DRY_RUN}: true")
    if node.arguments:
        return _with(text, node.arguments[0], None, f"{_DRY_RUN}: true, ")
    return _with(text, node.name, node.name, f"{node.name.value}({_DRY_RUN}: true)")


def _with(text: str, start: Node, end: Node | None, new: str) -> str:
    """Lay text over what stands from the start of one node to the end of another; before the first where there is no other."""
    assert start.loc is not None  # noqa: S101  (the parser says where each is)  # nosec B101
    until = start.loc.start if end is None or end.loc is None else end.loc.end
    return f"{text[: start.loc.start]}{new}{text[until:]}"
