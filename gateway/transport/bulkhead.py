"""Bounds what is in flight to one upstream and who may wait for it. The queue counts requests, not calls; slots go round them."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

FIRST_WAIT_SECONDS: Final = 0.5


class NoSlot(Exception):
    """No slot was given, so nothing was sent."""


class QueueFull(NoSlot):
    """As many other requests wait as may."""


class WaitedTooLong(NoSlot):
    """None of the request's calls got a slot within the first wait."""


class OutOfTime(NoSlot):
    """The call's own time was up before its turn came."""


_Turn = asyncio.Future[type[NoSlot] | None]
"""What a waiting call waits for. None: the slot is its own, and was counted as such before it knows."""


class _Line:
    """The waiting calls of one request, in order of arrival."""

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self.turns: OrderedDict[_Turn, None] = OrderedDict()
        self.first_wait: asyncio.Task[None] | None = None

    def end_first_wait(self) -> None:
        """Let the calls wait as long as each may by itself."""
        if self.first_wait is not None:
            self.first_wait.cancel()


class Bulkhead:
    """Slots for the calls to one upstream. While a slot is free nobody waits; nothing runs but the timers of those who wait."""

    def __init__(
        self, *, max_in_flight: int = 32, max_queue: int = 64, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        self._max_in_flight = max_in_flight
        self._max_queue = max_queue
        self._sleep = sleep
        self._inside: dict[str, int] = {}
        self._in_flight = 0
        self._lines: OrderedDict[str, _Line] = OrderedDict()  # the next to be served comes first

    @property
    def in_flight(self) -> int:
        """How many slots are taken."""
        return self._in_flight

    @property
    def waiting_requests(self) -> int:
        """How many requests have calls that wait."""
        return len(self._lines)

    def take(self, request_id: str) -> bool:
        """Take a slot where one is free; True: it is to be given back with `leave`."""
        is_free = self._in_flight < self._max_in_flight
        if is_free:
            self._take(request_id)
        return is_free

    async def wait(self, request_id: str, *, first_wait_seconds: float = FIRST_WAIT_SECONDS, wait_seconds: float | None) -> None:
        """Wait for a slot, where `take` has just found none; it is to be given back with `leave`.

        `wait_seconds` bounds this call's own wait (`OutOfTime`); None: whoever waits for it bounds it. `first_wait_seconds` bounds
        the wait of a request that has got no slot yet, from the first of its waiting calls on (`WaitedTooLong` for all of them); a
        request that has calls inside when the next begin to wait has got one. `QueueFull` at once where `max_queue` other requests
        wait.
        """
        await self._wait(self._line(request_id, first_wait_seconds), wait_seconds)

    def leave(self, request_id: str) -> None:
        """Give a slot back, to the next in the queue."""
        self._in_flight -= 1
        left = self._inside[request_id] - 1
        if left:
            self._inside[request_id] = left
        else:
            del self._inside[request_id]
        self._serve_next()

    def _take(self, request_id: str) -> None:
        self._in_flight += 1
        self._inside[request_id] = self._inside.get(request_id, 0) + 1

    def _serve_next(self) -> None:
        while self._lines:
            line = next(iter(self._lines.values()))
            turn, _ = line.turns.popitem(last=False)
            is_gone = turn.done()  # cancelled, and has not run since
            if not is_gone:
                self._take(line.request_id)
                turn.set_result(None)
                line.end_first_wait()
                self._lines.move_to_end(line.request_id)
            self._close_if_empty(line)
            if not is_gone:
                return

    def _line(self, request_id: str, first_wait_seconds: float) -> _Line:
        line = self._lines.get(request_id)
        if line is None:
            if len(self._lines) >= self._max_queue:
                raise QueueFull
            line = self._lines[request_id] = _Line(request_id)
            if request_id not in self._inside:
                refusing = self._refuse_after(first_wait_seconds, line, line.turns, WaitedTooLong)
                line.first_wait = asyncio.create_task(refusing)
        return line

    async def _wait(self, line: _Line, wait_seconds: float | None) -> None:
        turn: _Turn = asyncio.get_running_loop().create_future()
        line.turns[turn] = None
        timer = None if wait_seconds is None else asyncio.create_task(self._refuse_after(wait_seconds, line, (turn,), OutOfTime))
        try:
            refusal = await turn
        except asyncio.CancelledError:
            self._give_up(line, turn)
            raise
        finally:
            if timer is not None:
                timer.cancel()
        if refusal is not None:
            raise refusal

    def _give_up(self, line: _Line, turn: _Turn) -> None:
        if turn.cancelled():
            self._remove(line, turn)
        elif turn.result() is None:  # cancelled in the very moment it was given the slot
            if self._is_open(line):
                self._lines.move_to_end(line.request_id, last=False)  # the turn is still its request's
            self.leave(line.request_id)

    async def _refuse_after(self, seconds: float, line: _Line, turns: Iterable[_Turn], refusal: type[NoSlot]) -> None:
        await self._sleep(seconds)
        for turn in list(turns):
            if not turn.done():
                turn.set_result(refusal)
                self._remove(line, turn)

    def _remove(self, line: _Line, turn: _Turn) -> None:
        line.turns.pop(turn, None)
        self._close_if_empty(line)

    def _close_if_empty(self, line: _Line) -> None:
        if not line.turns and self._is_open(line):
            del self._lines[line.request_id]
            line.end_first_wait()

    def _is_open(self, line: _Line) -> bool:
        return self._lines.get(line.request_id) is line  # and not its successor
