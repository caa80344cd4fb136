"""A gateway that has one source, whose upstream is a function."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
import pytest

from gateway.app import create_app, settings_from
from gateway.sandbox.server import RunningSandbox
from gateway.transport import Clock
from tests.fakes import FakeWire, Handler, answer
from tests.server.sockets import HeldAnswers

Opener = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
SOURCE = {"system": "shopctrl", "base_url": "https://shop.example", "shop_ids": [1], "shop_owner_id": 1}
IN_MEMORY = {"state": "sqlite://"}


@asynccontextmanager
async def open_gateway(
    handler: Handler = lambda _: answer("null"),
    server: Mapping[str, object] | None = None,
    clock: Clock | None = None,
    **settings: object,
) -> AsyncIterator[httpx.AsyncClient]:
    """Open a gateway; `server` and `settings` are tables of the configuration."""
    tables = {"server": {**IN_MEMORY, **(server or {})}, "sources": {"shop": SOURCE}, **settings}
    app = create_app(settings_from(tables), wire=FakeWire(handler), clock=clock)
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://gateway.example") as client:
        yield client


@pytest.fixture
def held(sandbox: RunningSandbox) -> Iterator[HeldAnswers]:
    """Let the sandbox wait in faults of latency until it is told to go on."""
    held, usual = HeldAnswers(), sandbox.sandbox.sleep
    sandbox.sandbox.sleep = held
    yield held
    held.release()
    sandbox.sandbox.sleep = usual


@pytest.fixture
def opened() -> Opener:
    """Open a gateway with settings of its own."""
    return open_gateway


@pytest.fixture(scope="module")
async def client(anyio_backend: str) -> AsyncIterator[httpx.AsyncClient]:
    """One open gateway as it comes, for a whole module."""
    del anyio_backend
    async with open_gateway() as client:
        yield client
