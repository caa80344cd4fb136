"""A gateway over the sandbox, asked as a client would: GraphQL over HTTP in, real HTTP out to the emulated systems."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

import httpx

from gateway.app import create_app, settings_from
from gateway.sandbox.server import RunningSandbox

# A slow machine is no failure: gateway and sandbox share one loop here. What fails is not tried again: tests count calls.
PATIENCE = {"timeout_seconds": 60, "connect_timeout_seconds": 60, "retries": 0}
SERVER = {"introspection": True, "deadline_seconds": 120, "mutation_deadline_seconds": 120, "state": "sqlite://"}


@dataclass(frozen=True, slots=True)
class Graph:
    """Asks the gateway; `sandbox` is what it asks in turn."""

    client: httpx.AsyncClient
    running: RunningSandbox

    async def send(self, query: str, variables: Mapping[str, object] | None = None, **headers: str) -> httpx.Response:
        """Send a request and give the HTTP answer."""
        body = {"query": query, "variables": dict(variables or {})}
        return await self.client.post("/graphql", json=body, headers={name.replace("_", "-"): value for name, value in headers.items()})

    async def ask(self, query: str, variables: Mapping[str, object] | None = None, **headers: str) -> dict[str, Any]:
        """Send a request and give the whole answer, numbers with a point as `Decimal`."""
        answer: dict[str, Any] = json.loads((await self.send(query, variables, **headers)).content, parse_float=Decimal)
        return answer

    async def data(self, query: str, variables: Mapping[str, object] | None = None, **headers: str) -> dict[str, Any]:
        """Send a request that must succeed whole, and give its data."""
        answer = await self.ask(query, variables, **headers)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    def calls(self) -> dict[str, int]:
        """Give the upstream calls made since the sandbox was reset, by `system.Operation`, without those for tokens."""
        counted = self.running.sandbox.calls.by_operation
        return {operation: count for operation, count in counted.items() if not operation.endswith(".Token")}


@asynccontextmanager
async def open_graph(
    running: RunningSandbox, sources: Mapping[str, Mapping[str, object]] | None = None, **settings: object
) -> AsyncIterator[Graph]:
    """Open a gateway over a sandbox; `sources` adds keys to source tables, `settings` are further tables of the file."""
    tables = running.sandbox.source_tables(running.base_url)
    merged = {key: {**PATIENCE, **table, **(sources or {}).get(key, {})} for key, table in tables.items()}
    server = {**SERVER, **cast("dict[str, object]", settings.pop("server", {}))}
    app = create_app(settings_from({"server": server, "sources": merged, **settings}))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.example") as client,
    ):
        yield Graph(client, running)
