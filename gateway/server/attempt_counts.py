"""How many writes wait to be settled, asked of the journal now and then: who scrapes often asks it no more often for that."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from gateway.errors import JournalUnavailable
from gateway.loaders import Clock

_KEPT_SECONDS: Final = 10.0
_LONGEST_SECONDS: Final = 2.0

Count = Callable[[], Awaitable[Mapping[str, int]]]
"""Counts attempts by state; raises `JournalUnavailable`."""


class AttemptCounts:
    """What the journal said last."""

    def __init__(self, count: Count, clock: Clock, *, longest_seconds: float = _LONGEST_SECONDS) -> None:
        self._count = count
        self._clock = clock
        self._longest_seconds = longest_seconds
        self._known: Mapping[str, int] | None = None
        self._asked_at: float | None = None
        self._asking = asyncio.Lock()

    async def current(self) -> Mapping[str, int] | None:
        """Give the counts by state, at most ten seconds old; None: the journal does not tell."""
        async with self._asking:  # who comes meanwhile must not be told that it does not tell
            now = self._clock.monotonic()
            if self._asked_at is None or now - self._asked_at >= _KEPT_SECONDS:
                self._known, self._asked_at = await self._ask(), now
            return self._known

    async def _ask(self) -> Mapping[str, int] | None:
        try:
            async with asyncio.timeout(self._longest_seconds):
                return await self._count()
        except (JournalUnavailable, TimeoutError):
            return None
