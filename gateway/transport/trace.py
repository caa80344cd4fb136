"""A trace of the upstream calls of one request: what was asked, when, how it ended, and for which fields of the answer.

Nothing of what was asked for or answered is in it: names of operations only. A scope without a trace costs its callers one check.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final

from gateway.errors import UpstreamError
from gateway.telemetry import SpanContext, new_span_id

if TYPE_CHECKING:
    from gateway.transport.clock import Clock

_FIELD: Final[ContextVar[str | None]] = ContextVar("field", default=None)
"""The path of the field that is waited for in this task."""


class Way(Enum):
    """How a call was answered."""

    MADE = "made"
    """It went over the wire for this request."""
    SHARED = "shared"
    """Another call that was under way served."""
    KEPT = "kept"
    """What had been read earlier served."""
    REFUSED = "refused"
    """It was not made: by the gateway's own judgement, or as there was no time or token for it."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why calls were made: the paths of the fields that need them, and which batch of how many keys they are for."""

    fields: tuple[str, ...] = ()
    batch: int | None = None
    keys: int | None = None


@dataclass(slots=True)
class TracedCall:
    """One call. Points of time are those of `Clock.monotonic`; `ended_at` None: it is under way."""

    source: str
    operation: str
    way: Way
    cause: Cause
    attempt: int
    began_at: float
    ended_at: float | None = None
    status: int | None = None
    code: str | None = None
    size: int | None = None
    """Of the body, in bytes."""
    span_id: str | None = None
    traceparent: str | None = None
    """The header that tells the upstream of it; both None where no spans are written."""

    @property
    def is_made(self) -> bool:
        """Whether it went over the wire for this request."""
        return self.way is Way.MADE

    def answered(self, status: int, size: int, code: str | None) -> None:
        """Take down an answer; `code` None: it is what was hoped for."""
        self.status, self.size, self.code = status, size, code

    def to_plain(self, since: float) -> dict[str, object]:
        """Give it as the answer shows it, with times in milliseconds since a point of time."""
        return {
            "source": self.source,
            "operation": self.operation,
            "startMs": _milliseconds(self.began_at - since),
            "durationMs": None if self.ended_at is None else _milliseconds(self.ended_at - self.began_at),
            "attempt": self.attempt,
            "made": self.way is Way.MADE,
            "cached": self.way is Way.KEPT,
            "coalesced": self.way is Way.SHARED,
            "status": self.status,
            "code": self.code,
            "bytes": self.size,
            "batch": self.cause.batch,
            "keys": self.cause.keys,
            "fields": list(self.cause.fields),
        }


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)


class _Log:
    """The calls of a request in the order they began, and how many batches there were."""

    def __init__(self, clock: Clock, span: SpanContext | None) -> None:
        self.clock = clock
        self.span = span
        self.began_at = clock.monotonic()
        self.calls: list[TracedCall] = []
        self.batches = 0


@dataclass(frozen=True, slots=True)
class Trace:
    """Takes down calls that have one cause. `attempts`: those at one read or write."""

    _log: _Log
    _cause: Cause = Cause()
    attempts: list[TracedCall] = field(default_factory=list)

    @classmethod
    def start(cls, clock: Clock, span: SpanContext | None = None) -> Trace:
        """Begin the trace of a request, now. `span`: its own, of which its calls are told; None: no spans are written."""
        return cls(_Log(clock, span))

    @property
    def calls(self) -> Sequence[TracedCall]:
        """All calls of the request so far, in the order they began."""
        return self._log.calls

    def to_plain(self) -> list[dict[str, object]]:
        """Give all calls of the request so far, in the order they began."""
        return [call.to_plain(self._log.began_at) for call in self._log.calls]

    # ------------------------------------------------------------------ why

    @staticmethod
    @contextmanager
    def reading(path: str) -> Iterator[None]:
        """Say which field is waited for, to whoever is asked meanwhile in this task and those it starts."""
        mark = _FIELD.set(path)
        try:
            yield
        finally:
            _FIELD.reset(mark)

    @property
    def asking(self) -> tuple[str, ...]:
        """The path of the field that is waited for, in a tuple; none where it is not known."""
        path = _FIELD.get()
        return () if path is None else (path,)

    def of_field(self) -> Trace:
        """Give the trace of calls that the field which is waited for needs."""
        return Trace(self._log, Cause(self.asking))

    def of_batch(self, fields: tuple[str, ...], keys: int) -> Trace:
        """Give the trace of calls for a number of keys that some fields need; it is the next batch."""
        self._log.batches += 1
        return Trace(self._log, Cause(fields, self._log.batches, keys))

    def anew(self) -> Trace:
        """Give the trace of one read or write, which has had no attempt yet."""
        return Trace(self._log, self._cause)

    # ------------------------------------------------------------------ what

    def begin(self, source: str, operation: str, way: Way = Way.MADE) -> TracedCall:
        """Take down that a call, or what serves instead, begins."""
        call = TracedCall(source, operation, way, self._cause, len(self.attempts) + 1, self._log.clock.monotonic())
        if self._log.span is not None:
            call.span_id = new_span_id()
            call.traceparent = self._log.span.traceparent(call.span_id)
        self.attempts.append(call)
        self._log.calls.append(call)
        return call

    @contextmanager
    def calling(self, source: str, operation: str, way: Way = Way.MADE) -> Iterator[TracedCall]:
        """Take down a call from its beginning to its end."""
        call = self.begin(source, operation, way)
        try:
            yield call
        except UpstreamError as error:
            call.code = error.code
            raise
        finally:
            call.ended_at = self._log.clock.monotonic()

    def kept(self, source: str, operation: str) -> None:
        """Take down that nothing had to be asked, as it is known from earlier."""
        with self.anew().calling(source, operation, Way.KEPT):
            pass

    @contextmanager
    def failures(self, source: str, operation: str) -> Iterator[None]:
        """Take down why a read or write failed, where no attempt of it says so already."""
        try:
            yield
        except UpstreamError as error:
            last = self.attempts[-1] if self.attempts else None
            if last is None or (error.nothing_sent and last.code != error.code):
                with self.calling(source, operation, Way.REFUSED) as last:
                    pass
            last.code = last.code or error.code
            raise
