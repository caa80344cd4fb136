"""How many retries one source may cost: a share of what goes well, so that retries never become the load that breaks it."""

from __future__ import annotations

from gateway.transport.clock import Clock
from gateway.transport.window import SLICE_SECONDS, WINDOW_SECONDS, RollingCount


class RetryBudget:
    """Retries in the last 10 s are at most `percent` of the successes in the last 10 s, or `floor`, whichever is more."""

    def __init__(self, clock: Clock, *, percent: int = 10, floor: int = 3) -> None:
        self._percent = percent
        self._floor = floor
        self._successes = RollingCount(clock)
        # A slice longer than the window: what the slices blur may cost a retry, and never grants one too many.
        self._retries = RollingCount(clock, WINDOW_SECONDS + SLICE_SECONDS)

    def note_success(self) -> None:
        """Count a call that went well."""
        self._successes.add()

    @property
    def spent(self) -> int:
        """How many retries were taken in the last 10 s."""
        return self._retries.total

    @property
    def most(self) -> int:
        """How many there may be by now."""
        return max(self._floor, self._percent * self._successes.total // 100)

    def take(self) -> bool:
        """Take leave for one retry, and count it; False: there is none."""
        is_granted = self.spent < self.most
        if is_granted:
            self._retries.add()
        return is_granted
