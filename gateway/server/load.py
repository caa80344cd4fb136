"""How much the gateway has in hand, and whether it should be sent more."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from gateway.errors import Overloaded
from gateway.loaders import Clock

_MANY_REJECTIONS: Final = 100
_REJECTION_SECONDS: Final = 5.0


class Load:
    """The requests in hand, of which there are `max_requests` at the most."""

    def __init__(self, clock: Clock, max_requests: int) -> None:
        self._clock = clock
        self._free = self._most = max_requests
        self._rejections: deque[float] = deque(maxlen=_MANY_REJECTIONS)
        """When the latest were, as `Clock.monotonic` has it."""
        self._is_stopping = False

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Have a request in hand for as long as the block runs. Raises `Overloaded` at once where there is no room for it."""
        if self._free <= 0:
            self._rejections.append(self._clock.monotonic())
            raise Overloaded("the gateway has its hands full and has begun nothing of this request; ask again")
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1

    @property
    def in_hand(self) -> int:
        """How many there are."""
        return self._most - self._free

    def allow(self, max_requests: int) -> None:
        """Have at most so many from now on; those in hand stay, where they are more."""
        self._free += max_requests - self._most
        self._most = max_requests

    def stop(self) -> None:
        """Be sent no more from now on; what comes nevertheless is still answered."""
        self._is_stopping = True

    @property
    def why_unready(self) -> str | None:
        """Say why requests should go elsewhere; None: they should come."""
        if self._is_stopping:
            return "stopping"
        return "overloaded" if self._is_overloaded() else None

    def _is_overloaded(self) -> bool:
        is_many = len(self._rejections) == _MANY_REJECTIONS
        return is_many and self._clock.monotonic() - self._rejections[0] < _REJECTION_SECONDS
