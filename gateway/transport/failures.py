"""What went wrong with an upstream lately, told once a kind: a thousand failures of one kind hide no other."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.errors import UpstreamError

REMEMBERED: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A code at an operation, how often it came since `first_at`, and what was said the last time."""

    operation: str
    code: str
    message: str
    times: int
    first_at: datetime
    last_at: datetime


class FailureLog:
    """Remembers the kinds of failure that came last. Their messages are ours: nothing that an upstream or a caller sent."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._by_kind: OrderedDict[tuple[str, str], Failure] = OrderedDict()  # the latest comes last

    def note(self, error: UpstreamError) -> None:
        """Remember one."""
        kind, at = (error.operation, error.code), self._now()
        before = self._by_kind.pop(kind, None)
        self._by_kind[kind] = Failure(
            operation=error.operation,
            code=error.code,
            message=error.message.removeprefix(f"{error.operation}: "),
            times=1 if before is None else before.times + 1,
            first_at=at if before is None else before.first_at,
            last_at=at,
        )
        if len(self._by_kind) > REMEMBERED:
            self._by_kind.popitem(last=False)

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Give them, the latest first."""
        return tuple(reversed(self._by_kind.values()))
