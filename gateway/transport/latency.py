"""How long the last calls to an upstream took: so many, however often it is called."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from gateway.transport.clock import Clock

REMEMBERED: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Of the last `calls` calls, those that failed included; `last_at`: when the latest of them ended."""

    calls: int
    p50_seconds: float
    p95_seconds: float
    last_at: datetime


class LatencyLog:
    """Remembers how long calls took from the first byte to the last. One that was given up is not among them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seconds: deque[float] = deque(maxlen=REMEMBERED)
        self._last_at = 0.0

    def note(self, began_at: float) -> float:
        """Remember a call that ends now and began at a point of `Clock.monotonic`; gives the seconds it took."""
        self._last_at = self._clock.monotonic()
        seconds = self._last_at - began_at
        self._seconds.append(seconds)
        return seconds

    @property
    def latency(self) -> Latency | None:
        """Sum them up; None: there was no call yet."""
        if not self._seconds:
            return None
        ordered = sorted(self._seconds)
        return Latency(
            calls=len(ordered),
            p50_seconds=_percentile(ordered, 50),
            p95_seconds=_percentile(ordered, 95),
            last_at=self._clock.now() - timedelta(seconds=self._clock.monotonic() - self._last_at),
        )


def _percentile(ordered: list[float], percent: int) -> float:
    """Give the smallest value that so many percent of all do not exceed: one that was measured, none in between."""
    return ordered[ceil(len(ordered) * percent / 100) - 1]
