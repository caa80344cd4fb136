"""A request leaves nothing behind that only the collector would find."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest
import strawberry

from gateway.errors import UpstreamUnavailable
from gateway.execution import Executor
from gateway.execution.executor import Ask

pytestmark = pytest.mark.anyio


class Context:
    """What a request has loaded hangs on it."""


@strawberry.type
class Query:
    @strawberry.field
    async def name(self) -> str:
        await asyncio.sleep(0)
        return "a"

    @strawberry.field
    async def gone(self, info: strawberry.Info[Context, None]) -> str | None:
        loaded = info.context
        try:
            int("no number")
        except ValueError:
            error = UpstreamUnavailable("it is gone", source="shop", operation=type(loaded).__name__)
            raise error from None
        return None


EXECUTOR = Executor(strawberry.Schema(Query))


@pytest.fixture(autouse=True)
def _no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("query", ["{ name }", "{ name gone }", "{ name @include(if: $unknown) }", "{ unknown }"])
async def test_what_a_request_loaded_is_free_once_it_is_answered(query: str) -> None:
    context = Context()
    left = weakref.ref(context)
    await EXECUTOR.run(Ask(query), context, "r1")
    del context
    assert left() is None


async def test_what_a_cancelled_request_loaded_is_free() -> None:
    context = Context()
    left = weakref.ref(context)
    asking = asyncio.ensure_future(EXECUTOR.run(Ask("{ name }"), context, "r1"))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait([asking])
    del context, asking
    assert left() is None
