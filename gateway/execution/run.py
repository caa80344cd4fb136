"""Executes an operation by its plan: level by level, each field for all objects of its level at once.

graphql-core goes field by field and object by object, with a coroutine for each that waits. A list of a hundred objects is here one
column a field: read at once, completed at once, and waited for once.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, cast

import strawberry
from graphql import ExecutionResult, GraphQLResolveInfo, OperationType
from graphql.pyutils import AwaitableOrValue, Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from gateway.execution.awaiting import Column, Waits, all_done, are_awaitable, each_awaited
from gateway.execution.compiling import CannotPlan, Plans
from gateway.execution.completing import Completion
from gateway.execution.plan import FieldPlan, ObjectPlan
from gateway.execution.rows import Rows

_LOG: Final = logging.getLogger("gateway")
Reading: TypeAlias = Callable[[str], AbstractContextManager[object]]
"""Told the path of a field, without places in lists; what it gives is entered while that field is waited for."""


@dataclass(slots=True)
class Counts:
    """How many operations were executed by plan, and how many fell back to graphql-core."""

    planned: int = 0
    fallbacks: int = 0


class PlanRun(StrawberryGraphQLCoreExecutionContext):
    """One execution: by plan, and where none can be made by graphql-core."""

    def __init__(
        self,
        *args: Any,  # noqa: ANN401
        plans: Plans | None,
        absent: object = None,
        counts: Counts | None = None,
        reading: Reading | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(*args, **kwargs)
        self._plans = plans
        self._counts = counts or Counts()
        self._reading = reading
        self._completion = Completion(self, absent)
        self._infos: dict[int, strawberry.Info[Any, Any]] = {}

    def execute_operation(self, serially: bool | None = None) -> AwaitableOrValue[Any]:  # noqa: FBT001  (graphql-core's)
        """Execute the operation."""
        try:
            plan = self._plan()
        except CannotPlan as reason:
            self._counts.fallbacks += 1
            _LOG.debug("no plan is made of an operation: %s", reason)
            return super().execute_operation(serially)
        self._counts.planned += 1
        rows = Rows(plan, [self.root_value])
        if self.operation.operation is OperationType.MUTATION:
            return self._one_after_another(rows)
        waits: Waits = []
        self.fill(rows, waits)
        return self._when_done(rows, waits) if waits else self._finished(rows)

    def _plan(self) -> ObjectPlan:
        if self.abort_signal is not None or self.middleware_manager is not None:
            raise CannotPlan("it has an abort signal or middleware")
        if self._plans is None:
            raise CannotPlan("nobody says which operation it is")
        return self._plans.find(self)

    # ------------------------------------------------------------------ rows

    def fill(self, rows: Rows, waits: Waits) -> None:
        """Read all fields of some rows; those that have to be waited for are null until then."""
        columns = [self._column(rows, field, waits) for field in rows.plan.fields]
        make = rows.plan.answer
        rows.outs = list(map(make, *columns)) if columns else [make() for _ in rows.sources]  # none where all that was asked is skipped

    def _column(self, rows: Rows, field: FieldPlan, waits: Waits) -> Sequence[object]:
        raw = field.reader.read(self, field, rows)
        if isinstance(raw, list):
            kinds = set(map(type, raw))
            if not are_awaitable(kinds):
                return self._completion.complete(field, rows, raw, kinds, waits)
            raw = each_awaited(raw)
        waits.append(self._later(rows, field, self.told(rows, field, raw)))
        return [None] * len(rows.sources)

    def told(self, rows: Rows, field: FieldPlan, awaited: Awaitable[Column]) -> Awaitable[Column]:
        """Give what waits for a column and says so to whoever wants to know."""
        return awaited if self._reading is None else self._told(self._reading(rows.path_of_all(field)), awaited)

    async def _told(self, reading: AbstractContextManager[object], awaited: Awaitable[Column]) -> Column:
        with reading:
            return await awaited

    async def _later(self, rows: Rows, field: FieldPlan, awaited: Awaitable[Column]) -> None:
        """Wait for a column, and put it where it belongs."""
        try:
            raw = list(await awaited)
        except Exception as error:  # noqa: BLE001  (each object's field failed)
            raw = [error] * len(rows.sources)
        waits: Waits = []
        column = self._completion.complete(field, rows, raw, set(map(type, raw)), waits)
        for out, value in zip(rows.outs, column, strict=True):
            setattr(out, field.attribute, value)
        await all_done(waits)

    # ------------------------------------------------------------------ the whole

    async def _when_done(self, rows: Rows, waits: Waits) -> ExecutionResult:
        await all_done(waits)
        return self._finished(rows)

    async def _one_after_another(self, rows: Rows) -> ExecutionResult:
        """Carry out the fields of a mutation, each with all that is asked below it before the next begins."""
        (out,) = rows.outs = [rows.plan.answer(*[None] * len(rows.plan.fields))]
        for field in rows.plan.fields:
            waits: Waits = []
            (value,) = self._column(rows, field, waits)
            setattr(out, field.attribute, value)
            await all_done(waits)
            if self._completion.failures.takes_all(propagates=self.error_propagation):
                break  # nothing more is written when the answer is lost already, as graphql-core has it
        return self._finished(rows)

    def _finished(self, rows: Rows) -> ExecutionResult:
        is_there = self._completion.failures.settle(self.collected_errors, propagates=self.error_propagation)
        data = cast("dict[str, Any] | None", rows.outs[0] if is_there else None)  # it is only handed on
        return cast("ExecutionResult", self.build_response(data))  # nothing is deferred

    def let_go(self) -> None:
        """Let go of all it holds, once the execution is over.

        It and the infos it made refer to each other, and to all that the request has loaded: a cycle that only the collector
        would find, among everything else that is alive.
        """
        vars(self).clear()

    # ------------------------------------------------------------------ infos

    def info_of(self, field: FieldPlan) -> strawberry.Info[Any, Any]:
        """Give the info that all objects of a field share; its path has no indices."""
        info = self._infos.get(id(field))
        if info is None:
            ours = (field.definition.extensions or {}).get("strawberry-definition")
            path = Path(None, field.key, field.parent_type.name)
            raw = self.build_resolve_info(field.definition, field.nodes, field.parent_type, path)
            info = self._infos[id(field)] = strawberry.Info(_raw_info=raw, _field=ours)  # type: ignore[arg-type]  # none: of a resolved type
        return info

    def raw_info_of(self, field: FieldPlan) -> GraphQLResolveInfo[Any]:
        """Give the info that all objects of a field share as graphql-core has it."""
        return self.info_of(field)._raw_info  # noqa: SLF001  (Strawberry's is around it)
