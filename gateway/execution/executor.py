"""Runs an operation over a schema that it is given; knows neither its types nor its sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import strawberry

from gateway.execution.errors import show_errors


@dataclass(frozen=True, slots=True)
class Ask:
    """What a request asks of the graph."""

    query: str
    variables: dict[str, Any] | None = None
    operation_name: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it. `ran`: the operation was executed, so that `data` is part of the answer, also when it is null."""

    data: dict[str, Any] | None
    errors: list[dict[str, object]]
    ran: bool


class Executor:
    """Executes operations of one schema."""

    def __init__(self, schema: strawberry.Schema) -> None:
        self._schema = schema

    async def run(self, ask: Ask, context: object, request_id: str) -> Result:
        """Execute one operation; every failure is an entry of `errors`, shown as the caller may see it."""
        result = await self._schema.execute(
            ask.query, variable_values=ask.variables, context_value=context, operation_name=ask.operation_name
        )
        errors = result.errors or ()
        ran = result.data is not None or any(error.path for error in errors)
        return Result(result.data, show_errors(errors, request_id), ran)
