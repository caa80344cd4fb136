"""One operation over one world, executed by a plan or by graphql-core, and what can be compared of it."""

from __future__ import annotations

import inspect
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from graphql import DocumentNode, ExecutionResult, GraphQLError, OperationDefinitionNode, execute, located_error, parse
from graphql.execution.executor import CollectedErrors
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from gateway.execution.compiling import Plans
from gateway.execution.errors import show_errors
from gateway.execution.failures import Position
from gateway.execution.run import Counts, PlanRun
from gateway.journal import Journal
from gateway.loaders import Loaders
from gateway.model import UNREAD, Caller
from gateway.mutations import Writes
from gateway.schema import Context, build_schema
from gateway.sources.base import SourceSet
from tests.execution.documents import Asked
from tests.execution.worlds import World, sources_of
from tests.fakes import FakeClock, make_scope
from tests.plain import plain

SCHEMA: Final = build_schema()._schema  # noqa: SLF001  (Strawberry's own is around it)
Place: TypeAlias = tuple[str | int, ...] | None
"""A path; None: the whole answer."""
_SEED: Final = 'mutation { createInvoiceFromOrder(order: {native: {source: "a", id: "o1"}}, idempotencyKey: "SEED") { outcome } }'


class Told(CollectedErrors):
    """Collects errors, and which place each has made null. `found`: all that has failed in an execution by a plan."""

    def __init__(self) -> None:
        super().__init__()
        self.pairs: list[tuple[Place, GraphQLError]] = []
        self.found: list[tuple[Position, Exception]] = []

    def add(self, error: GraphQLError, path: Path | None) -> None:
        if not self.has_nulled_position(path):
            self.pairs.append((_place(path), error))
        super().add(error, path)


class CoreRun(StrawberryGraphQLCoreExecutionContext):
    """graphql-core's execution, which tells what it has made null."""

    def __init__(self, *args: Any, told: Told, **kwargs: Any) -> None:  # noqa: ANN401  (graphql-core's)
        super().__init__(*args, **kwargs)
        self.collected_errors = told


class OurRun(PlanRun):
    """The execution by a plan, which tells what it has made null, and all that has failed."""

    def __init__(self, *args: Any, told: Told, **kwargs: Any) -> None:  # noqa: ANN401  (as above)
        super().__init__(*args, **kwargs)
        self.collected_errors = told
        self._completion.failures._found = told.found  # noqa: SLF001  (nothing else has those that are not told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of an execution. `errors`: as shown, by what each made null; the outermost alone (`_outermost`)."""

    data: Any
    errors: dict[Place, str]
    told: list[str]
    """All errors as shown, in their order."""
    calls: Counter[tuple[object, ...]]
    batches: Counter[str]
    is_cut: bool
    """Whether a null has taken anything away beside the field that failed: what is there then may not have been read."""
    candidates: dict[Place, list[str]]
    """Of an execution by a plan: all errors that would have made a place null, in the order of the answer."""


async def run_core(asked: Asked, document: DocumentNode, world: World) -> Outcome:
    """Execute by graphql-core."""
    return await _run(asked, document, world, executor_class=CoreRun)


async def run_plan(asked: Asked, document: DocumentNode, world: World, plans: Plans, counts: Counts) -> Outcome:
    """Execute by a plan."""
    return await _run(asked, document, world, executor_class=OurRun, plans=plans, absent=UNREAD, counts=counts)


def plans_of(document: DocumentNode) -> Plans:
    """Make the plans of the only operation of a document."""
    return Plans(document, next(node for node in document.definitions if isinstance(node, OperationDefinitionNode)))


async def _run(asked: Asked, document: DocumentNode, world: World, **how: Any) -> Outcome:  # noqa: ANN401  (graphql-core's)
    sources, told = sources_of(world), Told()
    async with _writes(asked) as writes:
        if '"SEED"' in asked.text:
            await _execute(parse(_SEED), _context(World(), Loaders(SourceSet(sources_of(World())), make_scope()), writes))
        loaders = Loaders(SourceSet(sources), make_scope())
        result = await _execute(document, _context(world, loaders, writes), asked.variables, told=told, **how)
        await loaders.aclose()
    calls = sum((source.calls for source in sources), Counter[tuple[object, ...]]())
    batches = sum((source.batches for source in sources), Counter[str]())
    pairs = told.pairs
    return Outcome(
        data=plain(result.data),
        errors={place: _shown(error) for place, error in _outermost(pairs)},
        told=[_shown(error) for error in result.errors or ()],
        calls=calls,
        batches=batches,
        is_cut=any(place is None or list(place) != error.path for place, error in pairs),
        candidates=_candidates(told.found),
    )


async def _execute(document: DocumentNode, context: Context, variables: Mapping[str, Any] | None = None, **how: Any) -> ExecutionResult:  # noqa: ANN401
    how.setdefault("executor_class", StrawberryGraphQLCoreExecutionContext)
    result = execute(SCHEMA, document, context_value=context, variable_values=dict(variables or {}), hide_suggestions=True, **how)
    return await result if inspect.isawaitable(result) else result


def _context(world: World, loaders: Loaders, writes: Writes) -> Context:
    return Context(
        caller=Caller("test", world.permissions),
        loaders=loaders,
        writes=writes,
        request_id="test",
        max_nodes=7,
        idempotency_header=world.idempotency_header,
        link_rules=world.link_rules,
        sign_document=lambda invoice_id, seconds: f"/signed/{invoice_id}/{seconds}",
    )


@asynccontextmanager
async def _writes(asked: Asked) -> AsyncIterator[Writes]:
    """Give what writes over an empty journal; one that nobody opened where nobody asks."""
    clock = FakeClock()
    journal = Journal("sqlite://", now=clock.now)
    if "mutation" not in asked.text and "attempt" not in asked.text:
        yield Writes(journal, clock)
        return
    await journal.open()
    writes = Writes(journal, clock)
    yield writes
    await writes.aclose()
    await journal.aclose()


# ------------------------------------------------------------------ errors


def _place(path: Path | None) -> Place:
    return None if path is None else tuple(path.as_list())


def _shown(error: GraphQLError) -> str:
    (shown,) = show_errors([error], "test")
    return json.dumps(shown)


def _is_below(place: Place, other: Place) -> bool:
    return place != other and (other is None or (place is not None and place[: len(other)] == other))


def _outermost(pairs: list[tuple[Place, GraphQLError]]) -> list[tuple[Place, GraphQLError]]:
    """Leave out what made a place null that is below another that is null: whether that is told is a matter of who was first."""
    return [(place, error) for place, error in pairs if not any(_is_below(place, other) for other, _ in pairs)]


def _candidates(found: list[tuple[Position, Exception]]) -> dict[Place, list[str]]:
    by_place: dict[Place, list[str]] = {}
    for position, error in sorted(found, key=lambda each: each[0].order):
        nulled = position.nulled()
        place = None if nulled is None else _place(nulled.path)
        shown = _shown(located_error(error, position.field.nodes, position.path.as_list()))
        by_place.setdefault(place, []).append(shown)
    return by_place
