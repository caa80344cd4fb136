"""The spans of one request, from what was taken down of its upstream calls: itself, its batches, each call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.loaders import Trace
from gateway.telemetry import Span, SpanContext, new_span_id

_OURS = "invoice_gateway."


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSpan:
    """A request that has ended. `began_on` and `began_at` are the same moment, as the two clocks have it."""

    context: SpanContext
    request_id: str
    type: str
    operation: str
    began_on: datetime
    began_at: float
    ended_at: float
    status: int
    outcome: str
    codes: Sequence[str]

    def with_calls(self, trace: Trace | None) -> list[Span]:
        """Give its span and those of its calls; a call that goes on without it ends with it. `trace` None: it made none."""
        batches: dict[int, SpanContext] = {}
        spans = [self._own()]
        for batch, keys in _batches_of(trace).items():
            batches[batch] = self._below(new_span_id(), self.context.span_id)
            spans.append(self._of_batch(trace, batch, keys, batches[batch]))
        for call in () if trace is None else trace.calls:
            parent = self.context if call.cause.batch is None else batches[call.cause.batch]
            made = {} if call.status is None else {"http.response.status_code": call.status}
            spans.append(
                Span(
                    name=f"{call.source} {call.operation}",
                    kind="client" if call.is_made else "internal",
                    context=self._below(call.span_id or new_span_id(), parent.span_id),
                    began_at=self._on(call.began_at),
                    ended_at=self._on(self.ended_at if call.ended_at is None else call.ended_at),
                    attributes={
                        f"{_OURS}source": call.source,
                        f"{_OURS}operation": call.operation,
                        f"{_OURS}attempt": call.attempt,
                        f"{_OURS}way": call.way.value,
                        **made,
                    },
                    error=call.code,
                )
            )
        return spans

    def _own(self) -> Span:
        return Span(
            name=f"{self.type} {self.operation}",
            kind="server",
            context=self.context,
            began_at=self._on(self.began_at),
            ended_at=self._on(self.ended_at),
            attributes={
                f"{_OURS}request_id": self.request_id,
                f"{_OURS}outcome": self.outcome,
                "graphql.operation.type": self.type,
                "graphql.operation.name": self.operation,
                "http.response.status_code": self.status,
            },
            error=self.codes[0] if self.outcome in {"partial", "failed"} else None,
        )

    def _of_batch(self, trace: Trace | None, batch: int, keys: int, context: SpanContext) -> Span:
        calls = [call for call in ([] if trace is None else trace.calls) if call.cause.batch == batch]
        return Span(
            name=f"batch {calls[0].source}",
            kind="internal",
            context=context,
            began_at=self._on(min(call.began_at for call in calls)),
            ended_at=self._on(max(self.ended_at if call.ended_at is None else call.ended_at for call in calls)),
            attributes={f"{_OURS}source": calls[0].source, f"{_OURS}keys": keys, f"{_OURS}calls": len(calls)},
        )

    def _below(self, span_id: str, parent_id: str) -> SpanContext:
        return SpanContext(self.context.trace_id, span_id, parent_id)

    def _on(self, moment: float) -> int:
        """Give a moment of the clock that never goes back in nanoseconds since 1970."""
        return int(self.began_on.timestamp() * 1e9) + int((moment - self.began_at) * 1e9)


def _batches_of(trace: Trace | None) -> dict[int, int]:
    """Give the batches that calls were for, in their order, with the number of their keys."""
    calls = () if trace is None else trace.calls
    return {call.cause.batch: call.cause.keys or 0 for call in calls if call.cause.batch is not None}
