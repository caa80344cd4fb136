"""What operators are told of each request when it ends: numbers, a log line and, where it is traced, spans."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from gateway.errors import JournalUnavailable, Overloaded, UpstreamError
from gateway.execution import ReadDocument, Result, operations_of
from gateway.loaders import Clock, Scope
from gateway.server.request_spans import RequestSpan
from gateway.telemetry import REQUEST_LOG, Metrics, SpanContext, Spans

_LOG: Final = logging.getLogger(REQUEST_LOG)
OTHER: Final = "other"
"""Stands for all operations whose name nobody has configured: a name is the text of whoever asks."""
INTERNAL: Final = "INTERNAL"
_NAME: Final = "name"


def _codes(kind: type[UpstreamError]) -> frozenset[str]:
    return frozenset({kind.code}).union(*(_codes(further) for further in kind.__subclasses__()))


_NOT_THE_CALLERS: Final = frozenset({INTERNAL, JournalUnavailable.code, "OVERLOADED"}) | _codes(UpstreamError) - {UpstreamError.code}
"""Codes of what the caller cannot put right."""


@dataclass(slots=True)
class Observed:
    """One request. `outcome` is one of ok, refused (all that went wrong is the caller's), partial, failed and left."""

    request_id: str
    type: str
    began_at: float
    began_on: datetime
    span: SpanContext | None = None
    """None: it is not traced."""
    operation: str = OTHER
    outcome: str = "ok"
    scope: Scope | None = None
    """What its upstream calls share; None: it came to none."""
    waited_seconds: float = 0.0
    """For its own body."""
    codes: list[str] = field(default_factory=list)
    """Each once, in the order they came."""

    def ran(self, result: Result) -> None:
        """Take down what an execution came to."""
        if result.errors:
            self._failed((error["extensions"] for error in result.errors), has_data=result.data is not None)

    def refused(self, code: str) -> None:
        """Take down why there is no answer."""
        self._failed(({"code": code},), has_data=False)

    def left(self) -> None:
        """Take down that nobody is there any more to be answered."""
        self.outcome = "left"

    def _failed(self, told: Iterable[Any], *, has_data: bool) -> None:
        self.codes = list(dict.fromkeys(str(extensions["code"]) for extensions in told))
        if _NOT_THE_CALLERS.isdisjoint(self.codes):
            self.outcome = "refused"
        else:
            self.outcome = "partial" if has_data else "failed"


class Observer:
    """Tells of requests. `names`: the operations that are told by their name."""

    def __init__(self, metrics: Metrics, clock: Clock, *, names: frozenset[str] = frozenset(), spans: Spans | None = None) -> None:
        self._metrics = metrics
        self._clock = clock
        self._names = names
        self._spans = spans

    def begin(self, request_id: str, kind: str, headers: Mapping[str, str]) -> Observed:
        """Begin with a request that has come now."""
        span = None if self._spans is None else self._spans.begin(headers.get("traceparent"))
        return Observed(request_id, kind, self._clock.monotonic(), self._clock.now(), span)

    def name_of(self, document: ReadDocument, operation_name: str | None) -> str:
        """Give the name by which an operation is told; there is one that is meant."""
        if not self._names:
            return OTHER
        name = operation_name
        if name is None and document.node is not None:
            if _NAME not in document.kept:
                document.kept[_NAME] = next((operation.name for operation in operations_of(document.node)), None)
            name = document.kept[_NAME]
        return name if name in self._names else OTHER

    def turned_away(self, request_id: str, kind: str, error: Overloaded) -> None:
        """Tell of a request for which there was no room."""
        observed = Observed(request_id, kind, self._clock.monotonic(), self._clock.now())
        observed.refused(str(error.extensions["code"]))
        self.end(observed, 503)

    def end(self, observed: Observed, status: int) -> None:
        """Tell of a request whose answer is made."""
        if status >= 500 and observed.outcome == "refused":  # noqa: PLR2004  (RFC 9110, 15.6: it is not the client's mistake)
            observed.outcome = "failed"
        seconds = self._clock.monotonic() - observed.began_at - observed.waited_seconds
        calls = None if observed.scope is None else observed.scope.calls
        overhead = seconds if calls is None else max(0.0, seconds - calls.waited_seconds)
        metrics = self._metrics
        metrics.requests.add(observed.operation, observed.type, observed.outcome)
        metrics.durations.observe(seconds, observed.type)
        metrics.overhead.observe(overhead, observed.type)
        for code in observed.codes:
            metrics.errors.add(code)
        if _LOG.isEnabledFor(logging.INFO):
            _log(observed, status, seconds, overhead, 0 if calls is None else calls.made)
        if self._spans is not None and observed.span is not None:
            self._write_spans(self._spans, observed, status, observed.span)

    def _write_spans(self, spans: Spans, observed: Observed, status: int, context: SpanContext) -> None:
        request = RequestSpan(
            context=context,
            request_id=observed.request_id,
            type=observed.type,
            operation=observed.operation,
            began_on=observed.began_on,
            began_at=observed.began_at,
            ended_at=self._clock.monotonic(),
            status=status,
            outcome=observed.outcome,
            codes=observed.codes,
        )
        spans.writer.write(request.with_calls(None if observed.scope is None else observed.scope.trace))


def _log(observed: Observed, status: int, seconds: float, overhead: float, calls: int) -> None:
    said: dict[str, object] = {
        "requestId": observed.request_id,
        "type": observed.type,
        "operation": observed.operation,
        "outcome": observed.outcome,
        "codes": _or_none(observed.codes),
        "status": status,
        "durationMs": round(seconds * 1000, 3),
        "overheadMs": round(overhead * 1000, 3),
        "upstreamCalls": calls,
        "traceId": None if observed.span is None else observed.span.trace_id,
    }
    _LOG.info("answered", extra=said)


def _or_none(codes: Sequence[str]) -> Sequence[str] | None:
    return codes or None
