"""How an upstream's calls went lately, as one word."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Final

_REMEMBERED: Final = 20
_FAILING_SHARE: Final = 0.5


class Health(StrEnum):
    """NOT_CHECKED: no call yet. DOWN: at least half of the last 20 calls got no proper answer. DEGRADED: some."""

    UP = "UP"
    DEGRADED = "DEGRADED"
    DOWN = "DOWN"
    NOT_CHECKED = "NOT_CHECKED"


class HealthLog:
    """Remembers whether the last calls got an answer; a 4xx is an answer."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._answered: deque[bool] = deque(maxlen=_REMEMBERED)
        self.since: datetime | None = None
        """When `health` became what it is; None before the first call."""

    def note(self, *, answered: bool) -> None:
        """Remember one call."""
        before = self.health
        self._answered.append(answered)
        if self.health is not before:
            self.since = self._now()

    @property
    def health(self) -> Health:
        """Sum up."""
        if not self._answered:
            return Health.NOT_CHECKED
        failed = self._answered.count(False)
        if failed == 0:
            return Health.UP
        return Health.DOWN if failed >= _FAILING_SHARE * len(self._answered) else Health.DEGRADED
