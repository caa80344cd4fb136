"""How things stand with an upstream, after calls over a fake wire."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from gateway.errors import UpstreamError
from gateway.transport import Response
from gateway.transport.breaker import BreakerState, Circuit
from gateway.transport.http_upstream import HttpUpstream
from gateway.transport.wire import AnswerUnreadable, WireFailed, WireRequest, WireTimeout
from tests.fakes import FakeClock, answer
from tests.transport.upstreams import (
    PASSWORD,
    READ,
    TOKEN_URL,
    WRITE,
    Handler,
    Pauses,
    answering,
    error_of,
    get,
    make_upstream,
    raising,
    scope_of,
    settle,
)

pytestmark = pytest.mark.anyio


def kinds(upstream: HttpUpstream) -> list[tuple[str, str, str, int]]:
    return [(failure.code, failure.operation, failure.message, failure.times) for failure in upstream.state.failures]


async def test_before_the_first_call_all_is_at_rest() -> None:
    upstream, _ = make_upstream(answering(), max_in_flight=3, max_queue=5, breaker_calls=7, breaker_failure_percent=60)
    state = upstream.state

    assert state.breaker == BreakerState(
        circuit=Circuit.CLOSED, seconds_until_probe=0, calls=0, failures=0, least_calls=7, failure_percent=60
    )
    assert (state.pause_seconds, state.latency, state.failures) == (0, None, ())
    assert (state.in_flight, state.max_in_flight, state.waiting_requests, state.max_waiting_requests) == (0, 3, 0, 5)
    assert (state.retries, state.max_retries) == (0, 3)


async def test_every_exchange_counts_for_the_latency_also_one_that_fails_and_one_for_a_token() -> None:
    clock = FakeClock()
    ways: dict[str, Handler] = {
        "/token": answering(body='{"access_token": "t", "expires_in": 3600}'),
        "/orders/1": answering(),
        "/orders/2": raising(WireTimeout("no answer in time")),
        "/orders/3": raising(AnswerUnreadable("the answer is larger than 10 bytes")),
        "/orders/4": answering(status=500),
    }

    def handle(request: WireRequest) -> Response:
        clock.advance(0.25)
        given = ways["/token" if request.url == TOKEN_URL else request.url.removeprefix("https://upstream.example/base")](request)
        assert isinstance(given, Response)
        return given

    upstream, _ = make_upstream(handle, clock, auth=PASSWORD, retries=0)
    await upstream.read(get(1), scope_of(1))
    for number in (2, 3, 4):
        await error_of(upstream.read(get(number), scope_of(number)))

    latency = upstream.state.latency
    assert latency is not None
    assert (latency.calls, latency.p50_seconds, latency.p95_seconds) == (5, 0.25, 0.25)


async def test_a_breaker_is_open_half_open_and_closed_again() -> None:
    clock = FakeClock()
    answers = [answer(status=503), answer(status=503), answer("{}")]
    upstream, _ = make_upstream(lambda _: answers.pop(0), clock, retries=0, breaker_calls=2)
    for number in range(2):
        await error_of(upstream.read(get(number), scope_of(number)))
    opened = upstream.state.breaker
    clock.advance(5)
    waiting = upstream.state.breaker
    await upstream.read(READ, scope_of(3))

    assert (opened.circuit, opened.seconds_until_probe, opened.failures, opened.calls) == (Circuit.OPEN, 5, 2, 2)
    assert (waiting.circuit, waiting.seconds_until_probe) == (Circuit.HALF_OPEN, 0)
    assert upstream.state.breaker.circuit is Circuit.CLOSED


async def test_a_pause_that_was_asked_for_is_told_with_what_is_left_of_it() -> None:
    clock = FakeClock()
    upstream, _ = make_upstream(answering(status=429, retry_after="40"), clock, retries=0)
    await error_of(upstream.read(READ, scope_of(1)))
    clock.advance(15)

    assert upstream.state.pause_seconds == 25


async def test_retries_are_told_with_how_many_there_may_be() -> None:
    clock = FakeClock()
    upstream, _ = make_upstream(answering(status=503), clock, sleep=Pauses(clock), retries=2, breaker_calls=1000)
    await error_of(upstream.read(READ, scope_of(1)))

    assert (upstream.state.retries, upstream.state.max_retries) == (2, 3)


async def test_calls_in_flight_and_requests_that_wait_are_counted() -> None:
    arrived = asyncio.Event()

    async def handle(_: WireRequest) -> Response:
        await arrived.wait()
        return answer("{}")

    upstream, _ = make_upstream(handle, max_in_flight=2)
    asking = [asyncio.create_task(upstream.read(get(number), scope_of(number))) for number in range(5)]
    await settle()
    state = upstream.state
    arrived.set()
    await asyncio.gather(*asking)

    assert (state.in_flight, state.waiting_requests) == (2, 3)
    assert (upstream.state.in_flight, upstream.state.waiting_requests) == (0, 0)


@pytest.mark.parametrize(
    ("handler", "told"),
    [
        (answering(status=503), ("UPSTREAM_UNAVAILABLE", "GetOrder", "it answered 503", 1)),
        (answering(status=404), ("UPSTREAM_REJECTED", "GetOrder", "it answered 404", 1)),
        (raising(WireFailed("the connection was lost")), ("UPSTREAM_UNAVAILABLE", "GetOrder", "the connection was lost", 1)),
        (raising(WireTimeout("no answer in time")), ("UPSTREAM_TIMEOUT", "GetOrder", "no answer in time", 1)),
    ],
)
async def test_a_read_that_fails_is_remembered_once_however_often_it_was_tried(handler: Handler, told: tuple[str, str, str, int]) -> None:
    clock = FakeClock()
    upstream, _ = make_upstream(handler, clock, sleep=Pauses(clock), retries=2)
    await error_of(upstream.read(READ, scope_of(1)))

    assert kinds(upstream) == [told]


async def test_what_a_source_expects_is_no_failure() -> None:
    upstream, _ = make_upstream(answering(status=404))
    await upstream.read(READ, scope_of(1), answers=(200, 404))

    assert kinds(upstream) == []


async def test_what_is_refused_without_a_call_is_remembered_beside_its_cause() -> None:
    upstream, wire = make_upstream(answering(status=429, retry_after="40"), retries=0)
    await error_of(upstream.read(get(1), scope_of(1)))
    await error_of(upstream.read(get(2), scope_of(2)))
    await error_of(upstream.read(get(3), scope_of(3, seconds=0)))

    assert kinds(upstream) == [
        ("UPSTREAM_TIMEOUT", "GetOrder", "no time was left for the call", 1),
        ("UPSTREAM_RATE_LIMITED", "GetOrder", "it asked for a pause that is not over", 2),
    ]
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    ("handler", "told"),
    [
        (answering(status=400), ("UPSTREAM_REJECTED", "CreateInvoice", "it answered 400", 1)),
        (answering(status=502), ("UPSTREAM_UNAVAILABLE", "CreateInvoice", "it answered 502", 1)),
        (raising(WireFailed("the connection was lost")), ("UPSTREAM_UNAVAILABLE", "CreateInvoice", "the connection was lost", 1)),
    ],
)
async def test_a_write_that_is_refused_or_lost_is_remembered(handler: Handler, told: tuple[str, str, str, int]) -> None:
    upstream, _ = make_upstream(handler)
    with suppress(UpstreamError):
        await upstream.write(WRITE, scope_of(1))

    assert kinds(upstream) == [told]


async def test_a_write_that_goes_well_is_not() -> None:
    upstream, _ = make_upstream(answering(status=201))
    await upstream.write(WRITE, scope_of(1))

    assert kinds(upstream) == []


async def test_an_answer_that_a_source_cannot_read_is_remembered() -> None:
    upstream, _ = make_upstream(answering())
    upstream.malformed(READ, "a row cannot be read")

    assert kinds(upstream) == [("UPSTREAM_BAD_RESPONSE", "GetOrder", "a row cannot be read", 1)]
