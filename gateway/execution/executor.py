"""Runs an operation over a schema that it is given; knows neither its types nor its sources."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, cast

import strawberry
from graphql import ExecutionResult

from gateway.execution.answer import AnswerObject
from gateway.execution.documents import Documents, ReadDocument
from gateway.execution.errors import let_go, show_errors
from gateway.execution.limits import USUAL_LIMITS, DocumentLimits
from gateway.execution.run import Counts, PlanRun, Reading


@dataclass(frozen=True, slots=True)
class Ask:
    """What a request asks of the graph."""

    query: str
    variables: dict[str, Any] | None = None
    operation_name: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it. `ran`: the operation was executed, so that `data` is part of the answer, also when it is null."""

    data: AnswerObject | dict[str, Any] | None
    """What is encoded as the data; a dict where graphql-core executed the operation."""
    errors: list[dict[str, object]]
    ran: bool


class Executor:
    """Executes operations of one schema.

    `absent`: what the schema's default resolver, which reads attributes, shows as null when an attribute has it.
    """

    def __init__(
        self, schema: strawberry.Schema, *, absent: object = None, limits: DocumentLimits = USUAL_LIMITS, counts: Counts | None = None
    ) -> None:
        self._schema = schema._schema  # noqa: SLF001  (Strawberry's own is around it)
        self._absent = absent
        self._documents = Documents(self._schema, limits)
        self.counts = counts or Counts()

    def read(self, query: str) -> ReadDocument:
        """Read a document. Raises `LimitExceeded`."""
        return self._documents.read(query)

    async def run(self, ask: Ask, context: object, request_id: str) -> Result:
        """Execute one operation; every failure is an entry of `errors`, shown as the caller may see it."""
        return await self.run_read(self.read(ask.query), ask, context, request_id)

    async def run_read(self, document: ReadDocument, ask: Ask, context: object, request_id: str, reading: Reading | None = None) -> Result:
        """Execute one operation of a document that was read; `reading` is told which fields are waited for, where a plan is made."""
        run = self._run_of(document, ask, context, reading)
        result = run if isinstance(run, ExecutionResult) else await _outcome(run)
        errors = result.errors or ()
        ran = result.data is not None or any(error.path for error in errors)
        shown = show_errors(errors, request_id) if errors else []
        let_go(errors)
        return Result(cast("AnswerObject | dict[str, Any] | None", result.data), shown, ran)

    def _run_of(self, document: ReadDocument, ask: Ask, context: object, reading: Reading | None) -> PlanRun | ExecutionResult:
        """Begin an execution; what is no operation of the schema has its result at once."""
        if document.node is None or document.errors:
            return ExecutionResult(None, list(document.errors))
        run = PlanRun.build(
            self._schema,
            document.node,
            context_value=context,
            raw_variable_values=ask.variables,
            operation_name=ask.operation_name,
            hide_suggestions=True,
            plans=document.plans(ask.operation_name),
            absent=self._absent,
            counts=self.counts,
            reading=reading,
        )
        return ExecutionResult(None, run) if isinstance(run, list) else cast("PlanRun", run)


async def _outcome(run: PlanRun) -> ExecutionResult:
    try:
        executing = run.execute_operation()
        result = await executing if inspect.isawaitable(executing) else executing
    finally:
        run.let_go()
    return cast("ExecutionResult", result)  # nothing is deferred
