"""A circuit breaker: an upstream that fails too often is left alone for a while, then asked once before all may ask again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum
from functools import partial
from typing import Final

from gateway.transport.clock import Clock
from gateway.transport.window import WINDOW_SECONDS, RollingCount

LONGEST_OPEN_SECONDS: Final = 60.0
PROBE_SECONDS: Final = 1.0
"""What is told to those who are refused while a probe is on its way; nobody knows how long it takes."""


class Circuit(StrEnum):
    """HALF_OPEN: the next call is the probe, or it is under way."""

    CLOSED = "CLOSED"
    HALF_OPEN = "HALF_OPEN"
    OPEN = "OPEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerState:
    """A breaker at a moment, with the calls of the last 10 s that it judges by, and the rule that it opens by."""

    circuit: Circuit
    seconds_until_probe: float
    calls: int
    failures: int
    least_calls: int
    failure_percent: int


class BreakerOpen(Exception):
    """The call may not be made; `seconds_until_probe` says in how many seconds asking again may help, always more than 0."""

    def __init__(self, seconds_until_probe: float) -> None:
        super().__init__("the breaker is open")
        self.seconds_until_probe = seconds_until_probe


class _Ending(Enum):
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ABANDONED = "abandoned"


class Permit:
    """Leave to make one call. Say how the call ended: the first word counts, so `abandoned` may stand in a `finally`.

    A permit must not be dropped without a word: a probe's place would stay taken.
    """

    def __init__(self, end: Callable[[_Ending], None]) -> None:
        self._end: Callable[[_Ending], None] | None = end

    def succeeded(self) -> None:
        """Say that the upstream answered properly; a 4xx is proper."""
        self._say(_Ending.SUCCEEDED)

    def failed(self) -> None:
        """Say that it did not: a 5xx, a timeout, a lost connection."""
        self._say(_Ending.FAILED)

    def abandoned(self) -> None:
        """Say that nothing was learned, because the caller left: it counts as nothing, and a probe's place is free again."""
        self._say(_Ending.ABANDONED)

    def _say(self, ending: _Ending) -> None:
        end, self._end = self._end, None
        if end is not None:
            end(ending)


class Breaker:
    """Closed, open, or open with one probe on its way.

    It opens when at least `calls` calls ended in the last 10 s and `failure_percent` of them (1 to 100) failed, for
    `open_seconds`; for twice as long after each failed probe, up to 60 s (or `open_seconds`, if that is longer). The time
    is `open_seconds` again once it has been closed for 10 s.
    """

    def __init__(self, clock: Clock, *, calls: int = 20, failure_percent: int = 50, open_seconds: float = 5) -> None:
        self._clock = clock
        self._calls = calls
        self._failure_percent = failure_percent
        self._shortest = open_seconds
        self._longest = max(LONGEST_OPEN_SECONDS, open_seconds)
        self._successes = RollingCount(clock)
        self._failures = RollingCount(clock)
        self._open_seconds = open_seconds
        self._open_until: float | None = None
        self._closed_since = clock.monotonic()
        self._is_probing = False
        self._openings = 0

    @property
    def is_open(self) -> bool:
        """Whether calls are refused, all of them or all but one probe."""
        return self._open_until is not None

    @property
    def seconds_until_probe(self) -> float:
        """How long no call at all may pass; 0 when it is closed, or the time is over."""
        return 0.0 if self._open_until is None else max(0.0, self._open_until - self._clock.monotonic())

    @property
    def state(self) -> BreakerState:
        """Say how it stands."""
        failures = self._failures.total
        return BreakerState(
            circuit=self._circuit,
            seconds_until_probe=self.seconds_until_probe,
            calls=failures + self._successes.total,
            failures=failures,
            least_calls=self._calls,
            failure_percent=self._failure_percent,
        )

    @property
    def _circuit(self) -> Circuit:
        if not self.is_open:
            return Circuit.CLOSED
        return Circuit.OPEN if self.seconds_until_probe > 0 else Circuit.HALF_OPEN

    def admit(self) -> Permit:
        """Let one call pass; raises `BreakerOpen`."""
        if not self.is_open:
            return Permit(partial(self._note, self._openings))
        if self._is_probing:
            raise BreakerOpen(PROBE_SECONDS)
        wait = self.seconds_until_probe
        if wait > 0:
            raise BreakerOpen(wait)
        self._is_probing = True
        return Permit(self._judge)

    def _note(self, admitted_at: int, ending: _Ending) -> None:
        # A call from before an opening says nothing about the upstream as it is now.
        if ending is _Ending.ABANDONED or admitted_at != self._openings:
            return
        (self._successes if ending is _Ending.SUCCEEDED else self._failures).add()
        if self._fails_too_often():
            if self._clock.monotonic() - self._closed_since >= WINDOW_SECONDS:
                self._open_seconds = self._shortest
            self._open()

    def _judge(self, ending: _Ending) -> None:
        self._is_probing = False
        if ending is _Ending.SUCCEEDED:
            self._close()
        elif ending is _Ending.FAILED:
            self._open_seconds = min(self._longest, 2 * self._open_seconds)
            self._open()

    def _fails_too_often(self) -> bool:
        failures = self._failures.total
        if not failures:
            return False
        calls = failures + self._successes.total
        return calls >= self._calls and failures * 100 >= calls * self._failure_percent

    def _open(self) -> None:
        self._openings += 1
        self._open_until = self._clock.monotonic() + self._open_seconds

    def _close(self) -> None:
        self._open_until = None
        self._closed_since = self._clock.monotonic()
        self._successes.clear()
        self._failures.clear()
