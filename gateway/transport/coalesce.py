"""One run for all who ask for the same at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from contextlib import suppress
from contextvars import copy_context
from math import inf
from types import TracebackType
from typing import Any, Generic, TypeVar

from gateway.transport.expiry import Expiries

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class _Run(Generic[T]):
    """A run, and how many wait for it."""

    def __init__(self, task: asyncio.Task[T]) -> None:
        self.task = task
        self.callers = 0
        self._waiters: list[asyncio.Future[None]] = []
        self._failure: BaseException | None = None
        self._traceback: TracebackType | None = None

    def waiter(self) -> asyncio.Future[None]:
        """Give what has a result at its end. It goes on when who waits is cancelled."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        return waiter

    def ended(self) -> None:
        """Keep the failure as it is now; looked at here, it is not "never retrieved" where all have just left."""
        if not self.task.cancelled() and (failure := self.task.exception()) is not None:
            self._failure, self._traceback = failure, failure.__traceback__
        for waiter in self._waiters:
            if not waiter.done():  # cancelled
                waiter.set_result(None)

    def outcome(self) -> T:
        """Give the result, or raise the failure with the traceback it ended with: each raising would add to it."""
        if self._failure is not None:
            raise self._failure.with_traceback(self._traceback)
        return self.task.result()


class Coalescer(Generic[K, T]):
    """Shares runs by key. A run belongs to none of its callers: it has the context variables of who made the coalescer."""

    def __init__(self) -> None:
        self.shared = 0
        """How many callers found a run that another had started."""
        self._runs: dict[K, _Run[T]] = {}
        self._context = copy_context()
        self._expiries = Expiries()

    def is_under_way(self, key: K) -> bool:
        """Say whether who asks for a key now shares a run that another has started."""
        run = self._runs.get(key)
        return run is not None and not run.task.done()

    async def share(self, key: K, start: Callable[[], Coroutine[Any, Any, T]], *, until: float = inf, seconds_left: float = inf) -> T:
        """Give the outcome of the run of `key` under way, or of a new one made with `start`.

        All callers get the same result or raise the same exception. Who is cancelled leaves, and with `TimeoutError` who waits
        `until` a moment of its own clock, which is `seconds_left` away; the last to leave cancels the run and waits for its end,
        and who comes meanwhile starts anew.
        """
        run = self._join(key, start)
        waiter = run.waiter()
        if until < inf:
            self._expiries.start(waiter, until, seconds_left)
        try:
            await waiter
        except (asyncio.CancelledError, TimeoutError):
            await self._leave(key, run)
            raise
        finally:
            self._expiries.stop(waiter, until)
        return run.outcome()

    def _join(self, key: K, start: Callable[[], Coroutine[Any, Any, T]]) -> _Run[T]:
        run = self._runs.get(key)
        if run is None or run.task.done():
            run = self._runs[key] = self._begin(key, start)
        else:
            self.shared += 1
        run.callers += 1
        return run

    def _begin(self, key: K, start: Callable[[], Coroutine[Any, Any, T]]) -> _Run[T]:
        run = _Run(asyncio.create_task(start(), context=self._context.copy()))
        run.task.add_done_callback(lambda _: self._ended(key, run))
        return run

    def _ended(self, key: K, run: _Run[T]) -> None:
        self._forget(key, run)
        run.ended()

    async def _leave(self, key: K, run: _Run[T]) -> None:
        run.callers -= 1
        if run.callers:
            return
        self._forget(key, run)
        run.task.cancel()
        # The caller is cancelled, so how the run ends is nobody's concern. Being cancelled again, it cancels the run again.
        with suppress(asyncio.CancelledError, Exception):
            await run.task

    def _forget(self, key: K, run: _Run[T]) -> None:
        if self._runs.get(key) is run:
            del self._runs[key]
