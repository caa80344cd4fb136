"""A count over the last seconds, kept in slices of time: its memory is bounded whatever the rate."""

from __future__ import annotations

from math import ceil
from typing import Final

from gateway.transport.clock import Clock

WINDOW_SECONDS: Final = 10.0
SLICE_SECONDS: Final = 0.5


class RollingCount:
    """How often something happened lately.

    What is `seconds` old is forgotten; what is at least half a second younger is not. In between it depends on the slice.
    """

    def __init__(self, clock: Clock, seconds: float = WINDOW_SECONDS) -> None:
        self._clock = clock
        self._kept = ceil(seconds / SLICE_SECONDS)
        self._slices: dict[int, int] = {}
        self._current = 0
        self._total = 0

    def add(self) -> None:
        """Count one more, now."""
        current = self._forget_old()
        self._slices[current] = self._slices.get(current, 0) + 1
        self._total += 1

    @property
    def total(self) -> int:
        """How many there were."""
        self._forget_old()
        return self._total

    def clear(self) -> None:
        """Forget all."""
        self._slices.clear()
        self._total = 0

    def _forget_old(self) -> int:
        current = int(self._clock.monotonic() // SLICE_SECONDS)
        if current != self._current:  # counting is done often, and the slice changes rarely
            self._current = current
            for number in [number for number in self._slices if number <= current - self._kept]:
                self._total -= self._slices.pop(number)
        return current
