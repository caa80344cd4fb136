"""A gateway in the test's own process over a journal that outlives it, and what the sandbox was sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

import httpx

from gateway.app import create_app, settings_from
from gateway.sandbox.server import RunningSandbox
from gateway.transport import Clock
from tests.drills.intents import Intent, Way, make_intents
from tests.drills.truth import Truth
from tests.graph import PATIENCE, SERVER

_ALL = cache(make_intents)


def intents_of(way: Way, count: int) -> list[Intent]:
    """Give the first intents of a write, over the sandbox's seed of the tests."""
    return _ALL(1, 1)[way][:count]


@asynccontextmanager
async def open_door(running: RunningSandbox, state: str, clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    """Open a gateway over a sandbox with its journal at `state`, and give what asks it."""
    tables = running.sandbox.source_tables(running.base_url)
    sources = {key: {**PATIENCE, **table} for key, table in tables.items()}
    app = create_app(settings_from({"server": {**SERVER, "state": state}, "sources": sources}), clock=clock)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.example") as client,
    ):
        yield client


def requests_of(running: RunningSandbox, intent: Intent) -> int:
    """Say how many writes of an intent reached the sandbox."""
    recorded = running.sandbox.requests.of(intent.way.system, intent.way.operation)
    return sum(intent.mark in f"{request.path} {request.body}" for request in recorded)


async def changes_of(running: RunningSandbox, intent: Intent) -> int:
    """Say how often the sandbox shows the write of an intent."""
    async with httpx.AsyncClient(base_url=running.base_url, trust_env=False) as client:
        return await (await Truth.open(client)).changes(intent)
