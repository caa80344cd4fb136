"""A count over the last seconds, kept in slices of time: its memory is bounded whatever the rate."""

from __future__ import annotations

from collections import Counter
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
        self._slices: Counter[int] = Counter()

    def add(self) -> None:
        """Count one more, now."""
        self._slices[self._forget_old()] += 1

    @property
    def total(self) -> int:
        """How many there were."""
        self._forget_old()
        return self._slices.total()

    def clear(self) -> None:
        """Forget all."""
        self._slices.clear()

    def _forget_old(self) -> int:
        current = int(self._clock.monotonic() // SLICE_SECONDS)
        for number in [number for number in self._slices if number <= current - self._kept]:
            del self._slices[number]
        return current
