"""Fields that are resolved for many objects at once: what a list asks for is asked together, without a coroutine for each object."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeAlias

import strawberry

from gateway.model import UNREAD
from gateway.schema.context import Info

_BULK: Final = "bulk"
"""Where the executor looks for the function."""
Column: TypeAlias = list[Any]
"""A value for each object; an exception is the failure of that object's field alone."""
Resolve: TypeAlias = Callable[[Sequence[Any], Info], Column | Awaitable[Column]]


def bulk_field(resolve: Resolve, description: str | None = None) -> Any:  # noqa: ANN401  (as strawberry.field says)
    """Declare a field by the function that resolves it for many objects. It waits only where there is something to wait for."""

    async def resolve_one(root: strawberry.Parent[Any], info: Info) -> Any:  # noqa: ANN401  (the annotation of the field is its type)
        column = resolve([root], info)
        (value,) = column if isinstance(column, list) else await column
        return None if value is UNREAD else value

    return strawberry.field(resolver=resolve_one, description=description, metadata={_BULK: resolve})


def read_each(roots: Sequence[Any], name: str) -> Column:
    """Read an attribute of each object; UNREAD is shown as null."""
    return [_read(root, name) for root in roots]


def _read(root: object, name: str) -> object:
    try:
        return getattr(root, name)
    except Exception as failure:  # noqa: BLE001  (of a reference whose object could not be read; a failure of this field)
        return failure


def first_failure(values: Sequence[object]) -> Exception | None:
    """Give the first value that is a failure."""
    return next((value for value in values if isinstance(value, Exception)), None)
