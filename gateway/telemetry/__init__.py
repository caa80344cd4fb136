"""What operators are told of a running gateway: metrics, log lines and traces. Nothing that was asked for or answered is in any of them."""

from gateway.telemetry.exposition import CONTENT_TYPE, exposition
from gateway.telemetry.instruments import PREFIX, Metrics, UpstreamMeter
from gateway.telemetry.logs import REQUEST_LOG, write_logs
from gateway.telemetry.metrics import Counter, Family, Gauge, Histogram, Sample
from gateway.telemetry.processes import Processes
from gateway.telemetry.spans import Span, SpanContext, Spans, SpanWriter, continued, new_span_id
from gateway.telemetry.tracing import make_spans

__all__ = [
    "CONTENT_TYPE",
    "PREFIX",
    "REQUEST_LOG",
    "Counter",
    "Family",
    "Gauge",
    "Histogram",
    "Metrics",
    "Processes",
    "Sample",
    "Span",
    "SpanContext",
    "SpanWriter",
    "Spans",
    "UpstreamMeter",
    "continued",
    "exposition",
    "make_spans",
    "new_span_id",
    "write_logs",
]
