"""A request may be cancelled at any moment; its connection must be free again, whichever it was."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from gateway.sandbox.server import RunningSandbox
from gateway.transport.http1_wire import Http1Wire
from gateway.transport.wire import WireRequest

pytestmark = pytest.mark.anyio

STEPS = 40


@pytest.mark.parametrize("is_warm", [False, True], ids=["a new connection", "a kept connection"])
async def test_whenever_a_request_is_cancelled_no_connection_stays_busy(sandbox: RunningSandbox, *, is_warm: bool) -> None:
    request = WireRequest(
        method="GET", url=f"{sandbox.base_url}/_control/calls", timeout_seconds=60, connect_timeout_seconds=60, max_answer_bytes=10**6
    )
    left: dict[int, int] = {}
    for steps in range(STEPS):
        wire = Http1Wire()
        if is_warm:
            await wire.send(request)
        call = asyncio.ensure_future(wire.send(request))
        for _ in range(steps):
            await asyncio.sleep(0)
        call.cancel()
        with suppress(asyncio.CancelledError):
            await call
        if busy := wire.open_connections - wire.kept_connections:
            left[steps] = busy
        await wire.aclose()
    assert left == {}
