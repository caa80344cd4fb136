"""Ways to read one field of many objects at once."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, Protocol

from graphql import GraphQLField
from graphql.execution.values import get_argument_values
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import INFO_PARAMSPEC, PARENT_PARAMSPEC

from gateway.execution.awaiting import Column, each_awaited

if TYPE_CHECKING:
    from gateway.execution.plan import FieldPlan
    from gateway.execution.rows import Rows
    from gateway.execution.run import PlanRun

BULK: Final = "bulk"
"""Name in the metadata of a field of the function that resolves it for many objects: `(objects, info) -> values`, or an awaitable of them.

A value that is an exception fails at its own place. All objects share one `info`, which has no path.
"""


class Reader(Protocol):
    """Reads a field of all objects of some rows."""

    def read(self, run: PlanRun, plan: FieldPlan, rows: Rows) -> Column | Awaitable[Column]:
        """Give a value for each object. Raises nothing: what fails is a value."""


class TypeName:
    """`__typename`."""

    def read(self, _run: PlanRun, plan: FieldPlan, rows: Rows) -> Column:
        """Say the type of the objects, which is known."""
        return [plan.parent_type.name] * len(rows.sources)


class Attribute:
    """An attribute of the object: what the schema's default resolver would read."""

    def __init__(self, name: str) -> None:
        self._get = attrgetter(name)

    def read(self, _run: PlanRun, _plan: FieldPlan, rows: Rows) -> Column:
        """Read the attribute."""
        try:
            return list(map(self._get, rows.sources))
        except Exception:  # noqa: BLE001  (whose it is, is found out one by one)
            return [_tried(self._get, source) for source in rows.sources]


class Plain:
    """A resolver without arguments that takes the object, and perhaps the info."""

    def __init__(self, function: Callable[..., Any], *, takes_info: bool) -> None:
        self._function = function
        self._takes_info = takes_info

    def read(self, run: PlanRun, plan: FieldPlan, rows: Rows) -> Column:
        """Call the resolver for each object."""
        more = (run.info_of(plan),) if self._takes_info else ()
        return [_tried(self._function, source, *more) for source in rows.sources]


class Bulk:
    """A function that resolves many objects at once. Where it fails as a whole, each is asked for alone: none takes another along."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def read(self, run: PlanRun, plan: FieldPlan, rows: Rows) -> Column | Awaitable[Column]:
        """Call it once."""
        sources, info = rows.sources, run.info_of(plan)
        answer = _tried(self._function, sources, info)
        if isinstance(answer, Exception):  # whose it is, is found out one by one
            return self._one_by_one(sources, info, answer)
        return _of_length(answer, len(sources)) if isinstance(answer, list) else self._later(answer, sources, info)

    async def _later(self, awaited: Awaitable[Column], sources: Sequence[Any], info: object) -> Column:
        try:
            answer = await awaited
        except Exception as error:  # noqa: BLE001  (whose it is, is found out one by one)
            return await each_awaited(self._one_by_one(sources, info, error))
        return _of_length(answer, len(sources))

    def _one_by_one(self, sources: Sequence[Any], info: object, error: Exception) -> Column:
        return [error] if len(sources) == 1 else [_tried(self._only, source, info) for source in sources]

    def _only(self, source: object, info: object) -> Any:  # noqa: ANN401  (a value of the field, or what waits for it)
        answer = self._function([source], info)
        return _of_length(answer, 1)[0] if isinstance(answer, list) else _only_later(answer)


async def _only_later(awaited: Awaitable[Column]) -> Any:  # noqa: ANN401  (a value of the field)
    value = _of_length(await awaited, 1)[0]
    if isinstance(value, Exception):
        raise value
    return value


def _of_length(column: Column, length: int) -> Column:
    if len(column) == length:
        return column
    return [TypeError(f"a field of {length} objects was given {len(column)} values")] * length


class Resolver:
    """The resolver as graphql-core would call it: for each object, with arguments, and an info of its own."""

    def __init__(self, definition: GraphQLField) -> None:
        self._resolve = definition.resolve

    def read(self, run: PlanRun, plan: FieldPlan, rows: Rows) -> Column:
        """Call the resolver for each object."""
        arguments = _tried(_arguments, run, plan)
        if isinstance(arguments, Exception):  # each object's field failed
            return [arguments] * len(rows.sources)
        resolve = self._resolve or run.field_resolver
        infos = (
            run.build_resolve_info(plan.definition, plan.nodes, plan.parent_type, rows.path(row, plan)) for row in range(len(rows.sources))
        )
        return [_tried(resolve, source, info, **arguments) for source, info in zip(rows.sources, infos, strict=True)]


def _arguments(run: PlanRun, plan: FieldPlan) -> dict[str, Any]:
    if not plan.definition.args:
        return {}
    return get_argument_values(plan.definition, plan.nodes[0], run.variable_values, None, run.hide_suggestions)


def _tried(function: Callable[..., Any], *values: object, **arguments: object) -> Any:  # noqa: ANN401  (whatever it gives)
    try:
        return function(*values, **arguments)
    except Exception as error:  # noqa: BLE001  (it is the value of this field)
        return error


def reader_of(definition: GraphQLField) -> Reader:
    """Choose how to read a field."""
    ours: StrawberryField | None = (definition.extensions or {}).get("strawberry-definition")
    if ours is None or ours.extensions or ours.permission_classes or definition.args:
        return Resolver(definition)
    if BULK in ours.metadata:
        return Bulk(ours.metadata[BULK])
    if ours.is_basic_field:
        return Attribute(ours.python_name)
    return _plain(ours) or Resolver(definition)


def _plain(ours: StrawberryField) -> Plain | None:
    resolver = ours.base_resolver
    if resolver is None or not inspect.isfunction(resolver.wrapped_func):
        return None
    taken = list(inspect.signature(resolver.wrapped_func).parameters)
    known = {spec: parameter.name for spec, parameter in resolver.reserved_parameters.items() if parameter is not None}
    parent, info = known.get(PARENT_PARAMSPEC), known.get(INFO_PARAMSPEC)
    if parent is None or taken not in ([parent], [parent, info]):
        return None
    return Plain(resolver.wrapped_func, takes_info=len(taken) > 1)
