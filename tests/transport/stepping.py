"""An event loop that goes on only when told to, one turn at a time, and a sleep that lasts until time is told to pass."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any

_ENOUGH_TURNS = 12  # more than any chain of wake-ups that is tested has links


class SteppedLoop:
    """Keeps what the loop complains of: a failure that nobody looked at, a task that was thrown away."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self.complaints: list[dict[str, Any]] = []
        self._loop.set_exception_handler(lambda _, context: self.complaints.append(context))

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return self._loop.create_task(work)

    def future(self) -> asyncio.Future[None]:
        return self._loop.create_future()

    def step(self, turns: int = 1) -> None:
        """Run what is ready, and not what becomes ready by that."""
        for _ in range(turns):
            self._loop.call_soon(self._loop.stop)
            self._loop.run_forever()

    def settle(self) -> None:
        """Run until nothing is ready any more."""
        self.step(_ENOUGH_TURNS)

    @property
    def tasks(self) -> int:
        """How many have not ended."""
        return len(asyncio.all_tasks(self._loop))

    def close(self) -> None:
        """End it; raises what was complained of."""
        gc.collect(1)  # a failure that nobody looked at is complained of when it is thrown away
        self.settle()
        self._loop.close()
        assert self.complaints == []


class FakeSleep:
    """Sleeps until `advance`."""

    def __init__(self) -> None:
        self.now = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    @property
    def dues(self) -> list[float]:
        """When those who sleep are to wake."""
        return sorted(due for due, _ in self._sleepers)

    async def __call__(self, seconds: float) -> None:
        sleeper = (self.now + seconds, asyncio.get_running_loop().create_future())
        self._sleepers.append(sleeper)
        try:
            await sleeper[1]
        finally:
            self._sleepers.remove(sleeper)

    def advance(self, seconds: float) -> None:
        self.now += seconds
        for due, woken in sorted(self._sleepers, key=lambda sleeper: sleeper[0]):
            if due <= self.now and not woken.done():
                woken.set_result(None)
