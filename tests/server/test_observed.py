"""What is told of requests that end in no usual way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from gateway.server.door import observing
from gateway.server.observed import Observed, Observer
from gateway.telemetry import Metrics, Span, Spans
from tests.fakes import FakeClock

pytestmark = pytest.mark.anyio


class Kept:
    """Keeps the spans."""

    def __init__(self) -> None:
        self.spans: list[Span] = []

    def write(self, spans: Sequence[Span]) -> None:
        self.spans += spans

    async def aclose(self) -> None: ...


def request() -> Request:
    return Request({"type": "http", "method": "POST", "path": "/graphql", "headers": []})


def outcomes(metrics: Metrics) -> list[str]:
    return [sample.labels["outcome"] for sample in metrics.requests.samples()]


async def test_a_caller_who_did_not_wait_is_told_as_such() -> None:
    metrics = Metrics()

    async def leave(_: Observed) -> Response:
        raise ClientDisconnect

    await observing(Observer(metrics, FakeClock()), "query", request(), leave)

    assert outcomes(metrics) == ["left"]


async def test_a_request_that_is_cut_off_is_told_too() -> None:
    metrics = Metrics()

    async def never(_: Observed) -> Response:
        await asyncio.Event().wait()
        return Response()

    answering = asyncio.ensure_future(observing(Observer(metrics, FakeClock()), "query", request(), never))
    await asyncio.sleep(0)
    answering.cancel()
    await asyncio.wait([answering])

    assert answering.cancelled()
    assert outcomes(metrics) == ["left"]


def test_a_status_that_is_no_mistake_of_the_client_is_none_of_its_outcome() -> None:
    metrics = Metrics()
    observer = Observer(metrics, FakeClock())
    for status in (401, 503):  # no such key; the keys of the issuer are not to be had
        observed = observer.begin("id", "unread", {})
        observed.refused("UNAUTHENTICATED")
        observer.end(observed, status)

    assert outcomes(metrics) == ["refused", "failed"]


def test_the_time_in_which_a_body_arrives_is_none_of_the_gateway() -> None:
    metrics, clock = Metrics(), FakeClock()
    observer = Observer(metrics, clock)
    observed = observer.begin("id", "unread", {})
    clock.advance(5)
    observed.waited_seconds = 4
    observer.end(observed, 200)

    assert [sample.value for sample in metrics.overhead.samples() if sample.suffix == "_sum"] == [1]


def test_a_request_without_calls_is_one_span_with_its_times() -> None:
    kept, clock = Kept(), FakeClock()
    observer = Observer(Metrics(), clock, spans=Spans(kept, 1, lambda: 0))
    observed = observer.begin("id", "query", {})
    clock.advance(0.5)
    observer.end(observed, 200)

    (span,) = kept.spans
    assert (span.name, span.kind, span.error, span.context.parent_id) == ("query other", "server", None, None)
    assert span.began_at == int(FakeClock().now().timestamp()) * 10**9
    assert span.ended_at - span.began_at == 500_000_000
