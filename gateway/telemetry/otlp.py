"""Spans through OpenTelemetry to a collector, over OTLP. The only module that knows that library; it is imported where traces are on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import NonRecordingSpan, SpanKind, Status, StatusCode, TraceFlags, set_span_in_context
from opentelemetry.trace import SpanContext as OtelContext

from gateway.telemetry.spans import Span

_TIMEOUT_SECONDS: Final = 5
_KINDS: Final = {"server": SpanKind.SERVER, "client": SpanKind.CLIENT, "internal": SpanKind.INTERNAL}


class _GivenIds(IdGenerator):
    """Gives the ids that spans have already: upstreams were told them before the spans were made."""

    def __init__(self) -> None:
        self.trace_id = self.span_id = 0

    def generate_span_id(self) -> int:
        """Give that of the span that is made now."""
        return self.span_id

    def generate_trace_id(self) -> int:
        """Give that of its trace."""
        return self.trace_id


class _Sending:
    """What turns spans into those of the library, and sends them in batches from a thread of its own."""

    def __init__(self, url: str, headers: Mapping[str, str], service: str) -> None:
        self._ids = _GivenIds()
        resource = Resource.create({"service.name": service})
        self.provider = TracerProvider(sampler=ALWAYS_ON, resource=resource, id_generator=self._ids, shutdown_on_exit=False)
        exporter = OTLPSpanExporter(endpoint=url, headers=dict(headers), timeout=_TIMEOUT_SECONDS)
        self.provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self.provider.get_tracer("gateway")

    def take(self, span: Span) -> None:
        """Take one."""
        self._ids.trace_id, self._ids.span_id = int(span.context.trace_id, 16), int(span.context.span_id, 16)
        made = self._tracer.start_span(span.name, _parent_of(span), _KINDS[span.kind], span.attributes, start_time=span.began_at)
        if span.error is not None:
            made.set_attribute("error.type", span.error)
            made.set_status(Status(StatusCode.ERROR))
        made.end(span.ended_at)


class OtlpWriter:
    """Sends spans to a collector. Where that fails they are lost, and requests go on. Begins with the first of them: after any fork."""

    def __init__(self, url: str, headers: Mapping[str, str], *, service: str) -> None:
        self._url = url
        self._headers = headers
        self._service = service
        self._sending: _Sending | None = None

    def write(self, spans: Sequence[Span]) -> None:
        """Take the spans of one request; never waits."""
        if self._sending is None:
            self._sending = _Sending(self._url, self._headers, self._service)
        for span in spans:
            self._sending.take(span)

    async def aclose(self) -> None:
        """Send what was not sent yet, and wait for it."""
        sending, self._sending = self._sending, None
        if sending is not None:
            await asyncio.to_thread(sending.provider.shutdown)


def _parent_of(span: Span) -> Context:
    if span.context.parent_id is None:
        return Context()
    trace_id, parent_id = int(span.context.trace_id, 16), int(span.context.parent_id, 16)
    parent = OtelContext(trace_id, parent_id, is_remote=span.context.is_remote, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    return set_span_in_context(NonRecordingSpan(parent), Context())
