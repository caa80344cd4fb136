"""What the emulators had to answer: each request as it came, and how many there were."""

from __future__ import annotations

from collections import Counter, deque
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

REMEMBERED_REQUESTS: Final = 2_000
UNMATCHED: Final = "unmatched"
"""The operation of a request that none of the emulator's routes takes."""


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One request as it reached an emulator."""

    system: str
    operation: str
    method: str
    path: str
    """Decoded, without the prefix that the emulator is mounted at."""
    query: str
    """Raw, without the question mark."""
    headers: dict[str, str]
    """Names in lower case. Credentials are kept: they are the sandbox's own, and tests check them."""
    body: str


class Calls:
    """How many requests each operation had, and how many were open at the same time."""

    def __init__(self, systems: Iterable[str]) -> None:
        self.by_operation: Counter[str] = Counter()
        """Keys are `<system>.<operation>`; one that had none is 0."""
        self.in_flight = dict.fromkeys(systems, 0)
        self.peak_in_flight = dict(self.in_flight)

    @property
    def total(self) -> int:
        """All requests to all emulators."""
        return self.by_operation.total()

    @contextmanager
    def counting(self, system: str, operation: str) -> Iterator[None]:
        """Count one request, which is in flight as long as the block runs."""
        self.by_operation[f"{system}.{operation}"] += 1
        self.in_flight[system] += 1
        self.peak_in_flight[system] = max(self.peak_in_flight[system], self.in_flight[system])
        try:
            yield
        finally:
            self.in_flight[system] -= 1

    def reset(self) -> None:
        """Forget what was counted; requests that are open stay in flight."""
        self.by_operation.clear()
        self.peak_in_flight.update(self.in_flight)


class Requests:
    """The last `REMEMBERED_REQUESTS` requests, oldest first."""

    def __init__(self) -> None:
        self._recorded: deque[RecordedRequest] = deque(maxlen=REMEMBERED_REQUESTS)

    def record(self, request: RecordedRequest) -> None:
        """Keep `request`, and forget the oldest when there are too many."""
        self._recorded.append(request)

    def of(self, system: str | None = None, operation: str | None = None) -> list[RecordedRequest]:
        """Give the requests to a system and an operation in order; None means any."""
        return [r for r in self._recorded if system in (None, r.system) and operation in (None, r.operation)]

    def reset(self) -> None:
        """Forget all of them."""
        self._recorded.clear()
