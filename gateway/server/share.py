"""What a replica has in hand of a caller's budget, and how much it takes next."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

_SECOND: Final = 10**9
LAPSE_SECONDS: Final = 2
_LAPSE: Final = LAPSE_SECONDS * _SECOND
_SOON: Final = _SECOND // 2
"""Who is through with a share before that takes twice as much."""
_LARGEST: Final = 4
"""The part of a burst that a replica takes at the most: a quarter."""


class Taken(Protocol):
    """How many requests may be answered, and when another one may, in nanoseconds."""

    @property
    def count(self) -> int:
        """At most as many as were wanted."""

    @property
    def wait(self) -> int:
        """0: there are more."""


class Share:
    """What a replica has in hand for one caller."""

    def __init__(self) -> None:
        self._left = self._spent = 0
        self._size = 1
        self._taken_at = self._good_until = 0
        self.refused_until = 0
        self.taking: asyncio.Task[None] | None = None

    def is_idle(self, now: int) -> bool:
        """Say whether it is as good as a new one."""
        return self.taking is None and self.refused_until <= now and (self._left == 0 or self._good_until <= now)

    def spend(self, now: int) -> bool:
        """Answer a request out of it; False: there is nothing left."""
        if self._left == 0 or now >= self._good_until:
            return False
        self._left -= 1
        self._spent += 1
        return True

    def wanted(self, now: int, burst: int) -> int:
        """Say how much to take next: twice as much where that was gone soon, and no more than was spent where some of it lapsed."""
        if self._left:
            self._size = max(1, self._spent)
        elif now - self._taken_at < _SOON:
            self._size *= 2
        self._size = min(self._size, max(1, burst // _LARGEST))
        return self._size

    def fill(self, taken: Taken, now: int) -> None:
        """Have taken so much."""
        self._left, self._spent = taken.count, 0
        self._taken_at, self._good_until = now, now + _LAPSE
        self.refused_until = now + taken.wait
