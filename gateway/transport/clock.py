"""Time as a collaborator, so that no test sleeps and none depends on the day."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol


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
    """The upstream calls made so far for a request."""

    made: int = 0


@dataclass(frozen=True, slots=True)
class Scope:
    """What a whole request shares with every upstream call it causes: until when, and under which id."""

    request_id: str
    deadline: float
    """A point of `Clock.monotonic`."""
    is_fresh: bool = False
    """Its reads are sent for it alone: one that began earlier may not show what was written since."""
    calls: CallCount = field(default_factory=CallCount, compare=False)
    """A shared call counts for whoever began it."""

    def seconds_left(self, clock: Clock) -> float:
        """Give what is left for further calls; zero or less: none."""
        return self.deadline - clock.monotonic()
