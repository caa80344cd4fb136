"""The scope of a call that several requests share: it has as long as the most patient of them."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from gateway.transport.clock import Clock, Scope

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class SharedScope(Scope):
    """Of those who are there now. Its id is that of the first."""

    deadlines: list[float] = field(default_factory=list)

    def seconds_left(self, clock: Clock) -> float:
        """Give what is left until the last of them goes; zero or less: none."""
        return max(self.deadlines, default=self.deadline) - clock.monotonic()


class SharedScopes(Generic[K]):
    """One scope for each key that somebody waits for."""

    def __init__(self) -> None:
        self._scopes: dict[K, SharedScope] = {}

    def join(self, key: K, scope: Scope) -> SharedScope:
        """Be one of those who share, until `leave`."""
        shared = self._scopes.get(key)
        if shared is None:
            shared = self._scopes[key] = SharedScope(scope.request_id, scope.deadline, calls=scope.calls, trace=scope.trace)
        shared.deadlines.append(scope.deadline)
        return shared

    def leave(self, key: K, scope: Scope) -> None:
        """Be none of them any more."""
        deadlines = self._scopes[key].deadlines
        deadlines.remove(scope.deadline)
        if not deadlines:
            del self._scopes[key]
