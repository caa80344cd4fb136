"""One timer for all who may wait until the same moment: the calls of a request have one deadline, and a timer each is dear."""

from __future__ import annotations

import asyncio
from typing import TypeAlias

Waiter: TypeAlias = "asyncio.Future[None]"


class Expiries:
    """Those who wait, by the moment their time is up."""

    def __init__(self) -> None:
        self._due: dict[float, _Due] = {}

    def start(self, waiter: Waiter, moment: float, seconds_left: float) -> None:
        """Have a waiter fail with `TimeoutError` at a moment, which is so many seconds away; `stop` ends that."""
        due = self._due.get(moment)
        if due is None:
            due = self._due[moment] = _Due()
            due.timer = asyncio.get_running_loop().call_later(seconds_left, self._expire, moment)
        due.waiters.add(waiter)

    def stop(self, waiter: Waiter, moment: float) -> None:
        """Forget a waiter, whose time may be up."""
        due = self._due.get(moment)
        if due is None:
            return
        due.waiters.discard(waiter)
        if not due.waiters and due.timer is not None:
            due.timer.cancel()
            del self._due[moment]

    def _expire(self, moment: float) -> None:
        for waiter in self._due.pop(moment).waiters:
            if not waiter.done():
                waiter.set_exception(TimeoutError())


class _Due:
    """Who waits until one moment."""

    __slots__ = ("timer", "waiters")

    def __init__(self) -> None:
        self.waiters: set[Waiter] = set()
        self.timer: asyncio.TimerHandle | None = None
