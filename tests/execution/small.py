"""A small graph whose root is whatever a test gives, for what the gateway's own graph has not."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import SimpleNamespace
from typing import Any, Final, NewType, cast

import strawberry
from graphql import ExecutionResult, OperationDefinitionNode, parse
from strawberry.extensions import FieldExtension
from strawberry.permission import BasePermission
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from gateway.execution.compiling import Plans
from gateway.execution.run import Counts, PlanRun
from tests.plain import plain

Odd = NewType("Odd", object)
"""A scalar that shows nothing of 0, and fails on -1."""


class Absent(Enum):
    """What is shown as null."""

    ABSENT = "absent"


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Loud(FieldExtension):
    def resolve(self, next_: Callable[..., Any], source: Any, info: strawberry.Info[Any, Any], **arguments: Any) -> Any:  # noqa: ANN401
        return f"{next_(source, info, **arguments)}!"


class OnlyKnown(BasePermission):
    message = "not for you"

    def has_permission(self, source: Any, info: strawberry.Info[Any, Any], **_arguments: Any) -> bool:  # noqa: ANN401  (Strawberry's)
        del info
        return bool(source.name == "known")


def _own(root: strawberry.Parent[Any]) -> Any:  # noqa: ANN401  (here and below: the annotation of the field is its type)
    return root.own() if callable(root.own) else root.own


async def _one_of_many(root: strawberry.Parent[Any], info: strawberry.Info[Any, Any]) -> Any:  # noqa: ANN401
    column = info.context([root], info)
    return (await column if inspect.isawaitable(column) else column)[0]


def _many(roots: Any, info: strawberry.Info[Any, Any]) -> Any:  # noqa: ANN401
    return info.context(roots, info)


@strawberry.type
class Item:
    name: str
    note: str | None
    own: str | None = strawberry.field(resolver=_own)
    sure: str = strawberry.field(resolver=_own)
    loud: str | None = strawberry.field(resolver=_own, extensions=[Loud()])
    guarded: str | None = strawberry.field(resolver=_own, permission_classes=[OnlyKnown])
    many: str | None = strawberry.field(resolver=_one_of_many, metadata={"bulk": _many})
    inner: Item | None


@strawberry.type
class Picky:
    name: str

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:  # noqa: ANN401  (graphql-core's protocol)
        return bool(obj.name != "other")


@strawberry.type
class Query:
    item: Item | None
    picky: list[Picky | None] | None
    strict: Item
    items: list[Item | None] | None
    all_items: list[Item] | None
    grid: list[list[Item]] | None
    loose: list[list[Item | None] | None] | None
    deep: list[list[list[str]] | None] | None
    words: list[str | None] | None
    colour: Colour | None
    number: int | None
    ratio: float | None
    text: str | None
    odd: Odd | None


def _first(root: strawberry.Parent[Any]) -> Any:  # noqa: ANN401
    return root.first()


def _second(root: strawberry.Parent[Any]) -> Any:  # noqa: ANN401
    return root.second()


@strawberry.type
class Mutation:
    first: Item = strawberry.field(resolver=_first)
    second: Item | None = strawberry.field(resolver=_second)


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def ticks(self) -> AsyncIterator[int]:
        yield 1


def _show(value: object) -> object:
    if value == -1:
        raise ValueError("it is odd")
    return value or None


def _read(parent: object, name: str) -> object:
    value = getattr(parent, name)
    return None if value is Absent.ABSENT else value


_GRAPH: Final = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    config=StrawberryConfig(default_resolver=_read, scalar_map={Odd: strawberry.scalar(name="Odd", serialize=_show)}),
)
SCHEMA: Final = _GRAPH._schema  # noqa: SLF001  (Strawberry's own is around it)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an execution. `errors`: path and message of each."""

    data: dict[str, Any] | None
    errors: list[tuple[list[str | int] | None, str]]


def item(name: str | None = "a", **more: object) -> Any:  # noqa: ANN401  (as good as an Item)
    return SimpleNamespace(name=name, **{"note": None, "own": None, "inner": None, **more})


def plans_of(query: str, operation: str | None = None) -> Plans:
    document = parse(query)
    nodes = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    return Plans(document, next(node for node in nodes if operation is None or (node.name and node.name.value == operation)))


async def by_plan(
    query: str,
    root: object = None,
    *,
    context: object = None,
    variables: Mapping[str, Any] | None = None,
    plans: Plans | None = None,
    counts: Counts | None = None,
    operation: str | None = None,
    **how: Any,  # noqa: ANN401  (graphql-core's)
) -> Answer:
    """Execute by a plan; fails where that was not possible, unless `counts` is given."""
    counted = counts or Counts()
    used = plans or plans_of(query, operation)
    answer = await _execute(PlanRun, query, root, context, variables, operation, plans=used, absent=Absent.ABSENT, counts=counted, **how)
    assert counts is not None or (counted.planned, counted.fallbacks) == (1, 0)
    return answer


async def by_core(query: str, root: object = None, *, context: object = None, variables: Mapping[str, Any] | None = None) -> Answer:
    """Execute by graphql-core."""
    return await _execute(StrawberryGraphQLCoreExecutionContext, query, root, context, variables, None)


async def by_both(query: str, root: Callable[[], object], *, context: object = None) -> Answer:
    """Execute both ways, each with a root of its own; fails where they differ, in the order of keys and errors too."""
    ours = await by_plan(query, root(), context=context)
    assert repr(ours) == repr(await by_core(query, root(), context=context))
    return ours


async def _execute(
    executor: type[StrawberryGraphQLCoreExecutionContext],
    query: str,
    root: object,
    context: object,
    variables: Mapping[str, Any] | None,
    operation: str | None,
    **how: Any,  # noqa: ANN401
) -> Answer:
    run = executor.build(
        SCHEMA,
        parse(query),
        root_value=root,
        context_value=context,
        raw_variable_values=dict(variables or {}),
        operation_name=operation,
        **how,
    )
    assert not isinstance(run, list), run
    executing = run.execute_operation()
    result = cast("ExecutionResult", await executing if inspect.isawaitable(executing) else executing)
    return Answer(plain(result.data), [(error.path, error.message) for error in result.errors or ()])


async def later(value: object, turns: int = 1) -> Any:  # noqa: ANN401  (the value)
    """Give a value, or raise it, after some turns of the loop."""
    for _ in range(turns):
        await asyncio.sleep(0)
    if isinstance(value, Exception):
        raise value
    return value


def awaiting(value: object, turns: int = 1) -> Callable[[], Awaitable[Any]]:
    return lambda: later(value, turns)
