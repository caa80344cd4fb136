"""Which numbers a gateway keeps. They outlive its configuration: who reads the file again goes on with the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gateway.telemetry.metrics import Counter, Family, Histogram

PREFIX: Final = "invoice_gateway_"
_OVERHEAD_BOUNDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_WAITING_BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """All that is counted. Every label has few values: names of ours, keys of the configuration, codes; never the text of a caller."""

    def __init__(self) -> None:
        self.requests = _counter("requests_total", "Requests by what became of them.", "operation", "type", "outcome")
        self.errors = _counter("errors_total", "Requests that were told a code, once for each code.", "code")
        self.durations = _histogram("request_seconds", "From the request to its answer.", "type", bounds=_WAITING_BOUNDS)
        self.overhead = _histogram(
            "overhead_seconds", "Of that, what was not spent waiting for upstreams.", "type", bounds=_OVERHEAD_BOUNDS
        )
        self.writes = _counter("writes_total", "Writes that were carried out or refused, without replays.", "source", "outcome")
        self.calls = _counter("upstream_calls_total", "Calls over the wire, each attempt by itself.", "source", "operation", "code")
        self.call_durations = _histogram(
            "upstream_call_seconds", "How long such a call took.", "source", "operation", bounds=_WAITING_BOUNDS
        )
        self.retries = _counter("upstream_retries_total", "Attempts at a read after the first.", "source", "operation")
        self.failures = _counter(
            "upstream_failures_total", "Reads and writes that failed in the end, also without a call.", "source", "operation", "code"
        )
        self.coalesced = _counter("upstream_coalesced_total", "Reads that shared a call under way.", "source", "operation")

    def families(self) -> Iterator[Family]:
        """Give all of them."""
        return iter(vars(self).values())


def _counter(name: str, meaning: str, *labels: str) -> Counter:
    return Counter(PREFIX + name, meaning, *labels)


def _histogram(name: str, meaning: str, *labels: str, bounds: tuple[float, ...]) -> Histogram:
    return Histogram(PREFIX + name, meaning, *labels, bounds=bounds)


class UpstreamMeter:
    """What is counted of the calls to one upstream; operations are named as their system's pages name them."""

    def __init__(self, metrics: Metrics, source: str) -> None:
        self._metrics = metrics
        self._source = source

    def called(self, operation: str, code: str, seconds: float) -> None:
        """Count a call that went over the wire and ended."""
        self._metrics.calls.add(self._source, operation, code)
        self._metrics.call_durations.observe(seconds, self._source, operation)

    def retried(self, operation: str) -> None:
        """Count an attempt after the first."""
        self._metrics.retries.add(self._source, operation)

    def failed(self, operation: str, code: str) -> None:
        """Count what somebody is told as failed."""
        self._metrics.failures.add(self._source, operation, code)

    def coalesced(self, operation: str) -> None:
        """Count a read that found the same one under way."""
        self._metrics.coalesced.add(self._source, operation)
