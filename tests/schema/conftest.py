"""Gateways that several tests share: opening one takes longer than most of them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gateway.sandbox.server import serving
from tests.graph import Graph, open_graph


@pytest.fixture(scope="session")
async def reading_graph(anyio_backend: str) -> AsyncIterator[Graph]:
    """One gateway over one sandbox of its own for all who break and write nothing; use `reader`."""
    del anyio_backend
    async with serving(port=0, seed=1) as running, open_graph(running) as opened:
        await opened.data(
            '{ invoice(by: {native: {source: "commerce", id: "0"}}) { id } customer(by: {number: {source: "pos", number: "1"}}) { id } }'
        )
        yield opened


@pytest.fixture
async def reader(reading_graph: Graph) -> Graph:
    """Ask without opening a gateway first: `graph` with nothing counted yet. Add no fault, change no switch, write nothing."""
    reading_graph.running.sandbox.reset_calls()
    return reading_graph


@pytest.fixture(scope="session")
async def breaking_graph(anyio_backend: str) -> AsyncIterator[Graph]:
    """One gateway over one sandbox of its own for all who break it; use `breakable`."""
    del anyio_backend
    # Neither a retry nor an open breaker may carry from one test into the next.
    sources = {key: {"retries": 0, "breaker_calls": 1_000_000} for key in ("pos", "shop", "commerce", "subscriptions")}
    async with serving(port=0, seed=1) as running, open_graph(running, sources=sources) as opened:
        yield opened


@pytest.fixture
async def breakable(breaking_graph: Graph) -> Graph:
    """Ask sources that will fail: `graph` with no fault yet and nothing counted. Write nothing."""
    breaking_graph.running.sandbox.faults.clear()
    breaking_graph.running.sandbox.reset_calls()
    return breaking_graph
