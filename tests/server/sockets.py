"""A gateway at a real port in the test's own loop, over the sandbox; clients that leave; and waiting with a bound."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from gateway.app import create_app, settings_from
from gateway.sandbox.server import RunningSandbox
from tests.graph import PATIENCE, SERVER

_POLL_SECONDS = 0.01
_PATIENCE_SECONDS = 30


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so; raises `TimeoutError` when it does not come to be."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110  (what is waited for is in other hands, and sets no event)
            await asyncio.sleep(_POLL_SECONDS)


class HeldAnswers:
    """How the sandbox waits in a fault of latency: until `release`."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self._released = asyncio.Event()

    async def __call__(self, _: float) -> None:
        """Wait, however long was asked for."""
        self.begun.set()
        await self._released.wait()

    def release(self) -> None:
        """Let all go on, those who come later, too."""
        self._released.set()


def make_app(running: RunningSandbox, **server: object) -> Starlette:
    """Make a gateway over a sandbox; `server` are keys of that table."""
    sources = {key: {**PATIENCE, **table} for key, table in running.sandbox.source_tables(running.base_url).items()}
    return create_app(settings_from({"server": {**SERVER, **server}, "sources": sources}))


@dataclass(frozen=True, slots=True)
class Listening:
    """A gateway that listens."""

    port: int
    state: ServerState

    async def send(self, request: bytes) -> asyncio.Transport:
        """Send a request and wait for nothing; who closes what this gives has left."""
        transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, "127.0.0.1", self.port)
        transport.write(request)
        return transport

    async def exchange(self, request: bytes) -> bytes:
        """Send a request that asks to close the connection, and give the whole answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        answer = await reader.read()
        writer.close()
        return answer


@asynccontextmanager
async def listening(app: Starlette) -> AsyncIterator[Listening]:
    """Let an application listen at a free port, on uvicorn's protocol as `serve` has it."""
    config = uvicorn.Config(app, lifespan="off", ws="none", log_config=None)
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    async with app.router.lifespan_context(app):
        server = await loop.create_server(lambda: HttpToolsProtocol(config, state, {}), "127.0.0.1", 0)
        try:
            yield Listening(server.sockets[0].getsockname()[1], state)
        finally:
            server.close()
            for connection in list(state.connections):
                connection.transport.abort()
            await until(lambda: not state.connections and not state.tasks)


def post(query: str, variables: Mapping[str, object] | None = None) -> bytes:
    """Write a request for the graph as it goes over the wire."""
    body = json.dumps({"query": query, "variables": dict(variables or {})}).encode()
    lines = [
        "POST /graphql HTTP/1.1",
        "host: gateway",
        "content-type: application/json",
        f"content-length: {len(body)}",
        "connection: close",
    ]
    return "\r\n".join((*lines, "", "")).encode() + body


def get(path: str) -> bytes:
    """Write a request for a path as it goes over the wire."""
    return f"GET {path} HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\r\n".encode()
