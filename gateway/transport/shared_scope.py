"""The scope of a call that several requests share: it has as long as the most patient of them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
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

    @contextmanager
    def joined(self, key: K, scope: Scope) -> Iterator[SharedScope]:
        """Be one of those who share; going ends that."""
        shared = self._scopes.setdefault(key, SharedScope(scope.request_id, scope.deadline, calls=scope.calls, trace=scope.trace))
        shared.deadlines.append(scope.deadline)
        try:
            yield shared
        finally:
            shared.deadlines.remove(scope.deadline)
            if not shared.deadlines:
                del self._scopes[key]
