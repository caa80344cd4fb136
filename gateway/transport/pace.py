"""How often a token endpoint may be asked: the narrowest limit that is published is 3 a minute and address, in a burst 20 more.

The burst is left to other processes behind the same address: after a restart of all of them each asks once or twice.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from gateway.transport.clock import Clock
from gateway.transport.shared_token import TokenStore

MOST_REQUESTS: Final = 3
WINDOW_SECONDS: Final = 60.0
LONGEST_HOLD_SECONDS: Final = 3600.0


class Pace:
    """At most three requests in any minute, and none while an endpoint asked not to be asked."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._taken: deque[float] = deque(maxlen=MOST_REQUESTS)
        self._held_until = float("-inf")

    def seconds_to_wait(self, *, spare: int = 0) -> float:
        """Give the seconds until a request may be made that leaves `spare` more of its minute; 0: it may be made now."""
        open_at = self._held_until
        if len(self._taken) >= MOST_REQUESTS - spare:
            open_at = max(open_at, self._taken[spare - MOST_REQUESTS] + WINDOW_SECONDS)
        return max(0.0, open_at - self._clock.monotonic())

    def take(self) -> None:
        """Count a request, made now."""
        self._taken.append(self._clock.monotonic())

    def hold(self, seconds: float) -> None:
        """Let no request through for so long, an hour at most: only a restart would end a wait of years."""
        self._held_until = max(self._held_until, self._clock.monotonic() + min(seconds, LONGEST_HOLD_SECONDS))


class Paces:
    """One pace for each token endpoint, however many sources sign in there; and where replicas have their tokens. None: there are none."""

    def __init__(self, clock: Clock, store: TokenStore | None = None) -> None:
        self._clock = clock
        self.store = store
        self._pace_by_url: dict[str, Pace] = {}

    def of(self, url: str) -> Pace:
        """Give the pace of an endpoint."""
        return self._pace_by_url.setdefault(url, Pace(self._clock))
