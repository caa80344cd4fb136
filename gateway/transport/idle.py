"""The connections that wait for their next request, of one wire."""

from __future__ import annotations

import asyncio
from typing import Final

from gateway.transport.http1_connection import Connection

KEPT_SECONDS: Final = 30.0
MOST_KEPT: Final = 64


class Idle:
    """Keeps at most 64 connections an origin. What was used last is used next, so that those that are too many grow old and go."""

    def __init__(self, *, kept_seconds: float = KEPT_SECONDS) -> None:
        self._kept_seconds = kept_seconds
        self._kept: dict[str, list[Connection]] = {}
        self._sweep: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return sum(map(len, self._kept.values()))

    def take(self, origin: str) -> Connection | None:
        """Take a connection that can be used, and close those on the way that cannot; None: there is none."""
        kept = self._kept.get(origin)
        while kept:
            connection = kept.pop()
            if connection.is_quiet:
                return connection
            connection.abort()
        return None

    def put(self, origin: str, connection: Connection) -> None:
        """Keep a connection, or close it where it is one too many."""
        kept = self._kept.setdefault(origin, [])
        if len(kept) >= MOST_KEPT:
            connection.abort()
            return
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        kept.append(connection)
        if self._sweep is None:
            self._sweep = loop.call_later(self._kept_seconds, self._drop_old, loop)

    def remove(self, connection: Connection) -> None:
        """Forget a connection, where it is kept."""
        for kept in self._kept.values():
            if connection in kept:
                kept.remove(connection)

    def close(self) -> None:
        """Keep no time any more."""
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None

    def _drop_old(self, loop: asyncio.AbstractEventLoop) -> None:
        begun = loop.time() - self._kept_seconds
        for kept in self._kept.values():
            for connection in [connection for connection in kept if connection.idle_since <= begun]:
                kept.remove(connection)
                connection.abort()
        oldest = min((kept[0].idle_since for kept in self._kept.values() if kept), default=None)
        self._sweep = None if oldest is None else loop.call_at(oldest + self._kept_seconds, self._drop_old, loop)
