"""The graph over sources that keep their objects in memory."""

from __future__ import annotations

from typing import Any

from gateway.execution import Ask, Executor
from gateway.model import UNREAD, Caller, Permission
from gateway.schema import Context, build_schema
from tests.fakes import make_writes
from tests.loaders.memory_source import MemorySource, loaders_over
from tests.plain import plain

SCHEMA = build_schema()
EXECUTOR = Executor(SCHEMA, absent=UNREAD)
EVERYTHING = frozenset(Permission)


async def ask(
    query: str, *sources: MemorySource, permissions: frozenset[Permission] = EVERYTHING, **variables: object
) -> tuple[Any, list[dict[str, Any]]]:
    """Give data and errors."""
    context = Context(caller=Caller("test", permissions), loaders=loaders_over(*sources), writes=make_writes(), request_id="test")
    result = await EXECUTOR.run(Ask(query, variables), context, "test")
    return plain(result.data), result.errors
