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
        self._health = Health.NOT_CHECKED
        self.since: datetime | None = None
        """When `health` became what it is; None before the first call."""

    def note(self, *, answered: bool) -> None:
        """Remember one call."""
        self._answered.append(answered)
        if answered and self._health is Health.UP:
            return
        before, self._health = self._health, self._sum_up()
        if self._health is not before:
            self.since = self._now()

    @property
    def health(self) -> Health:
        """Say it in a word."""
        return self._health

    def _sum_up(self) -> Health:
        failed = self._answered.count(False)
        if failed == 0:
            return Health.UP
        return Health.DOWN if failed >= _FAILING_SHARE * len(self._answered) else Health.DEGRADED
