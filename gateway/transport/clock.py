"""Time as a collaborator, so that no test sleeps and none depends on the day."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from gateway.transport.trace import Trace


class Clock(Protocol):
    """Tells the time of day and the time passed."""

    def now(self) -> datetime:
        """Give the present instant, in UTC."""

    def monotonic(self) -> float:
        """Give seconds from some fixed point; never goes back."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Give the present instant, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Give seconds from some fixed point."""
        return time.monotonic()


@dataclass(slots=True)
class CallCount:
    """The upstream calls made so far for a request, and how long it has waited for upstreams: for one of them or for several at once."""

    made: int = 0
    waited_seconds: float = 0.0
    _waits: int = 0
    _since: float = 0.0

    def begin_wait(self, clock: Clock) -> None:
        """Wait for something from now on: a call, its turn, a pause, a token, what another request has begun."""
        if not self._waits:
            self._since = clock.monotonic()
        self._waits += 1

    def end_wait(self, clock: Clock) -> None:
        """Wait no more for one of these."""
        self._waits -= 1
        if not self._waits:
            self.waited_seconds += clock.monotonic() - self._since


@dataclass(frozen=True, slots=True)
class Scope:
    """What a whole request shares with every upstream call it causes: until when, and under which id."""

    request_id: str
    deadline: float
    """A point of `Clock.monotonic`."""
    is_fresh: bool = False
    """Its reads are sent for it alone: one that began earlier may not show what was written since."""
    waits_until: float | None = None
    """No pause that an upstream asks for is waited for beyond this point, where that is before the deadline."""
    calls: CallCount = field(default_factory=CallCount, compare=False)
    """A shared call counts for whoever began it."""
    trace: Trace | None = field(default=None, compare=False)
    """None: its calls are not taken down."""

    def seconds_left(self, clock: Clock) -> float:
        """Give what is left for further calls; zero or less: none."""
        return self.deadline - clock.monotonic()

    def patience(self, clock: Clock) -> float:
        """Give how long a pause may be that an upstream asks for."""
        left = self.seconds_left(clock)
        return left if self.waits_until is None else min(left, self.waits_until - clock.monotonic())
