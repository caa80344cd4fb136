"""When a read that failed is tried again, and after how long. Never a write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway.errors import UpstreamError, UpstreamTimeout, UpstreamUnavailable

BASE_SECONDS: Final = 0.05
RATE_LIMITED_BASE_SECONDS: Final = 1.0
CAP_SECONDS: Final = 2.0

_TOO_MANY: Final = 429
_UNAVAILABLE: Final = 503
_RETRYABLE: Final = frozenset({_TOO_MANY, 500, 502, _UNAVAILABLE, 504})
_MAX_DOUBLINGS: Final = 10  # over the cap long before; without a bound the power would overflow

Failure = int | UpstreamError
"""The status of an answer, or the error of a call that no answer came to."""


def is_retryable(failure: Failure) -> bool:
    """Say whether the same read, sent again, may go well."""
    if isinstance(failure, int):
        return failure in _RETRYABLE
    return isinstance(failure, UpstreamTimeout | UpstreamUnavailable)


def longest(retries: int, timeout_seconds: float) -> float:
    """Give the seconds that a read may take with all its attempts and the pauses between them.

    The longer pauses after a 429 are left out: it is an answer, which comes early, and each pause is cut to the time left.
    """
    return (1 + retries) * timeout_seconds + sum(_ceiling(BASE_SECONDS, done) for done in range(retries))


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """At most `retries` retries, so one attempt more in all; `random` gives numbers from 0 to below 1."""

    retries: int
    random: Callable[[], float]

    def delay(self, failure: Failure, *, done: int, seconds_left: float, retry_after: float | None = None) -> float | None:
        """Give the seconds to wait before the next attempt, less than `seconds_left`; None: fail now.

        `done` retries were made already. `retry_after` counts for an error that carries it, and for 429 and 503, where a server may
        say it (RFC 9110, 15.6.4; RFC 6585, 4); it is waited for as it stands or not at all.
        """
        if done >= self.retries or seconds_left <= 0 or not is_retryable(failure):
            return None
        is_said = not isinstance(failure, int) or failure in {_TOO_MANY, _UNAVAILABLE}
        if retry_after is not None and is_said:
            return retry_after if retry_after < seconds_left else None
        base = RATE_LIMITED_BASE_SECONDS if failure == _TOO_MANY else BASE_SECONDS
        # Full jitter: callers that failed together do not come back together.
        return self.random() * min(_ceiling(base, done), seconds_left)


def _ceiling(base: float, done: int) -> float:
    return min(CAP_SECONDS, base * 2.0 ** min(done, _MAX_DOUBLINGS))
