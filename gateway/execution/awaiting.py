"""Waiting for many things at once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeAlias

Column: TypeAlias = list[Any]
"""A value for each object; one that is an exception is the failure of its field. Some may be awaitable."""
Waits: TypeAlias = list[Coroutine[Any, Any, None]]
"""What of the answer has to be waited for."""


def is_awaitable_type(kind: type[Any]) -> bool:
    """Say whether values of a type can be awaited."""
    return hasattr(kind, "__await__")


def are_awaitable(kinds: Iterable[type[Any]]) -> bool:
    """Say whether some of the values that are of these types must be waited for."""
    for kind in kinds:  # noqa: SIM110  (a generator takes three times as long, and this is asked of each column)
        if hasattr(kind, "__await__"):
            return True
    return False


async def each_awaited(column: Column) -> Column:
    """Wait for those of a column's values that must be waited for, all at once; one that fails becomes its failure."""
    waiting = [at for at, value in enumerate(column) if is_awaitable_type(type(value))]
    answers = await asyncio.gather(*(column[at] for at in waiting), return_exceptions=True)
    awaited = list(column)
    for at, answer in zip(waiting, answers, strict=True):
        awaited[at] = answer
    return awaited


async def all_done(waits: Waits) -> None:
    """Wait for all."""
    if len(waits) == 1:
        await waits[0]
    elif waits:
        await asyncio.gather(*waits)
