"""The application of a process, whose answers can come from something new from one request to the next.

What serves is made anew whenever the configuration is read. A request ends with what it began with; connections that nobody uses
any more are closed when the last such request is done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from starlette.applications import Starlette
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send


class Connections(Protocol):
    """What is kept open beyond a request."""

    async def aclose(self) -> None:
        """Close all of it."""


class Serving:
    """Answers requests, and knows how many it has in hand. Several may use the same connections."""

    def __init__(self, app: ASGIApp, connections: Iterable[Connections]) -> None:
        self.connections = frozenset(connections)
        self._app = app
        self._in_hand = 0
        self._is_done = asyncio.Event()
        self._is_replaced = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        self._in_hand += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._in_hand -= 1
            if self._is_replaced and self._in_hand == 0:
                self._is_done.set()

    async def done(self) -> None:
        """Wait for the last request, once no more are given to this."""
        self._is_replaced = True
        if self._in_hand:
            await self._is_done.wait()


class SwitchingApp(Starlette):
    """Hands each request to what serves at that moment; the lifespan is that of the process.

    `settled` waits for what goes on after the request that began it and may still need its connections.
    """

    def __init__(self, serving: Serving, lifespan: Lifespan[SwitchingApp], settled: Callable[[], Awaitable[None]]) -> None:
        super().__init__(lifespan=lifespan)
        self._serving = serving
        self._settled = settled
        self._ending: dict[Serving, asyncio.Task[None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request by what serves now."""
        if scope["type"] == "http":
            await self._serving(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    def begin_with(self, serving: Serving) -> None:
        """Give all requests to another, in a process that has served none yet."""
        self._serving = serving

    def switch_to(self, serving: Serving) -> None:
        """Give all requests from now on to another; what served before ends its own."""
        before, self._serving = self._serving, serving
        self._ending[before] = asyncio.ensure_future(self._end(before))

    async def _end(self, serving: Serving) -> None:
        await serving.done()
        await self._settled()
        del self._ending[serving]
        in_use = self._serving.connections.union(*(other.connections for other in self._ending))
        await _close(serving.connections - in_use)

    async def aclose(self) -> None:
        """Close all connections, those that are still used, too."""
        ending = list(self._ending)
        for task in self._ending.values():
            task.cancel()
        await _close(self._serving.connections.union(*(serving.connections for serving in ending)))


async def _close(all_of_them: Iterable[Connections]) -> None:
    for connections in all_of_them:
        await connections.aclose()
