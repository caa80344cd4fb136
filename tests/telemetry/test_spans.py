"""Which trace a request belongs to: https://www.w3.org/TR/trace-context/ ."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gateway.errors import SettingsError
from gateway.settings import TelemetrySettings
from gateway.telemetry import Span, Spans, continued, make_spans
from gateway.telemetry import tracing as tracing_module

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
HEADER = f"00-{TRACE}-{PARENT}-01"


class Nowhere:
    """Keeps nothing."""

    def write(self, spans: Sequence[Span]) -> None: ...

    async def aclose(self) -> None: ...


def spans(share: float = 1.0, rolled: float = 0.5, *, is_passed_on: bool = True) -> Spans:
    return Spans(Nowhere(), share, lambda: rolled, is_passed_on)


@pytest.mark.parametrize(
    ("header", "read"),
    [
        (HEADER, (TRACE, PARENT, True)),
        (f"00-{TRACE}-{PARENT}-00", (TRACE, PARENT, False)),
        (f"00-{TRACE}-{PARENT}-03", (TRACE, PARENT, True)),
        (f" {HEADER} ", (TRACE, PARENT, True)),
        (f"cc-{TRACE}-{PARENT}-01-what-comes-later", (TRACE, PARENT, True)),
        (None, None),
        ("", None),
        (HEADER.upper(), None),
        (f"ff-{TRACE}-{PARENT}-01", None),
        (f"{HEADER}-more", None),
        (f"00-{'0' * 32}-{PARENT}-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"00-{TRACE[:-1]}-{PARENT}-01", None),
        (f"00-{TRACE}-{PARENT}", None),
        (f"{HEADER}\n{HEADER}", None),
    ],
)
def test_the_header_is_read_as_its_specification_has_it(header: str | None, read: tuple[str, str, bool] | None) -> None:
    assert continued(header) == read


def test_a_request_goes_on_with_the_trace_of_its_caller() -> None:
    span = spans(share=0).begin(HEADER)

    assert span is not None
    assert (span.trace_id, span.parent_id, span.is_remote) == (TRACE, PARENT, True)
    assert span.span_id != PARENT
    assert len(span.span_id) == 16


def test_what_its_caller_does_not_write_down_is_not_written_down_here() -> None:
    assert spans(share=1).begin(f"00-{TRACE}-{PARENT}-00") is None


@pytest.mark.parametrize(
    ("share", "rolled", "is_traced"), [(1.0, 0.999, True), (0.25, 0.249, True), (0.25, 0.25, False), (0.0, 0.0, False)]
)
def test_of_requests_without_a_trace_a_share_begins_one(*, share: float, rolled: float, is_traced: bool) -> None:
    span = spans(share, rolled).begin(None)

    assert (span is not None) is is_traced


def test_a_new_trace_has_ids_of_its_own_and_no_parent() -> None:
    first, second = spans().begin("broken"), spans().begin(None)

    assert first is not None
    assert second is not None
    assert (first.parent_id, first.is_remote, len(first.trace_id)) == (None, False, 32)
    assert first.trace_id != second.trace_id


def test_an_upstream_is_told_the_trace_and_the_span_of_its_call() -> None:
    span = spans().begin(HEADER)

    assert span is not None
    assert span.traceparent("00f067aa0ba902b7") == f"00-{TRACE}-00f067aa0ba902b7-01"


def test_an_upstream_is_told_nothing_where_that_is_switched_off() -> None:
    for header in (HEADER, None):
        span = spans(is_passed_on=False).begin(header)

        assert span is not None
        assert span.traceparent("00f067aa0ba902b7") is None


def test_without_a_collector_nothing_is_traced() -> None:
    assert make_spans(TelemetrySettings()) is None


def test_without_the_extra_a_collector_is_refused_in_a_line_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_there(name: str) -> object:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(tracing_module, "import_module", not_there)
    with pytest.raises(SettingsError) as refused:
        make_spans(TelemetrySettings(traces_url="http://127.0.0.1:4318/v1/traces"))

    assert refused.value.lines == ("telemetry.traces_url: traces need an extra: pip install 'invoice-gateway[otel]'",)
