"""A request may be cancelled at any moment; what httpcore holds must be free again, whichever it was."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from gateway.sandbox.server import RunningSandbox
from gateway.transport.httpx_wire import HttpxWire
from gateway.transport.wire import WireRequest

pytestmark = pytest.mark.anyio

STEPS = 40


def busy(wire: HttpxWire) -> list[Any]:
    connections = wire._transport._pool.connections  # noqa: SLF001  (httpx shows its pool to nobody)
    return [connection for connection in connections if not connection.is_idle() and not connection.is_closed()]


@pytest.mark.parametrize("is_warm", [False, True], ids=["a new connection", "a kept connection"])
async def test_whenever_a_request_is_cancelled_no_connection_stays_busy(sandbox: RunningSandbox, *, is_warm: bool) -> None:
    request = WireRequest(
        method="GET", url=f"{sandbox.base_url}/_control/calls", timeout_seconds=60, connect_timeout_seconds=60, max_answer_bytes=10**6
    )
    left: dict[int, list[Any]] = {}
    for steps in range(STEPS):
        wire = HttpxWire()
        if is_warm:
            await wire.send(request)
        call = asyncio.ensure_future(wire.send(request))
        for _ in range(steps):
            await asyncio.sleep(0)
        call.cancel()
        with suppress(asyncio.CancelledError):
            await call
        if busy(wire):
            left[steps] = busy(wire)
        await wire.aclose()
    assert left == {}
