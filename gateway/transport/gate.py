"""The gate of a source that asked for a pause (Retry-After): until it is over, nobody calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from gateway.transport.clock import Clock

Sleep = Callable[[float], Awaitable[object]]
"""Waits for so many seconds: `asyncio.sleep`."""

LONGEST_CLOSED_SECONDS: Final = 3600.0
"""A slip of an upstream (a date in the wrong year) must not close a source until the gateway starts again."""

_NEVER: Final = float("-inf")


class GateClosed(Exception):
    """The caller has no time to wait until the gate opens; `seconds` says how long that is."""

    def __init__(self, seconds: float) -> None:
        super().__init__("the gate is closed")
        self.seconds = seconds


class Gate:
    """Open until `close`; shared by all callers of a source."""

    def __init__(self, clock: Clock, sleep: Sleep) -> None:
        self._clock = clock
        self._sleep = sleep
        self._closed_until = _NEVER

    @property
    def seconds_left(self) -> float:
        """How long it stays closed; 0: it is open."""
        return 0.0 if self._closed_until == _NEVER else max(0.0, self._closed_until - self._clock.monotonic())

    def close(self, seconds: float) -> None:
        """Close it for so many seconds from now, an hour at most; zero or less: not at all. Never shortens what was asked before."""
        self._closed_until = max(self._closed_until, self._clock.monotonic() + min(seconds, LONGEST_CLOSED_SECONDS))

    async def passed(self, seconds_left: float) -> None:
        """Wait while it is closed.

        Raises `GateClosed` instead of waiting when that would leave nothing of the caller's `seconds_left`; also after a
        wait, when the gate was closed for longer meanwhile.
        """
        deadline = self._clock.monotonic() + seconds_left
        while (wait := self.seconds_left) > 0:
            if self._closed_until >= deadline:
                raise GateClosed(wait)
            await self._sleep(wait)
