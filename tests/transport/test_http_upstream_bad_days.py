"""How gate, queue, breaker, retries and sharing go together. Each alone has its own tests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from gateway.errors import (
    CircuitOpen,
    MalformedAnswer,
    UpstreamError,
    UpstreamOverloaded,
    UpstreamRateLimited,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from gateway.transport import Health, Request, Response, Scope
from gateway.transport.http_upstream import HttpUpstream
from gateway.transport.wire import AnswerUnreadable, WireFailed, WireRequest, WireTimeout
from tests.fakes import FakeClock, FakeWire, answer, make_scope
from tests.transport.upstreams import (
    PASSWORD,
    READ,
    SOON_SECONDS,
    WRITE,
    Handler,
    Held,
    Pauses,
    SignedUpstream,
    Time,
    answering,
    calls,
    error_of,
    get,
    make_upstream,
    one_after_another,
    raising,
    scope_of,
    settle,
)

pytestmark = pytest.mark.anyio

LOST = raising(WireFailed("the connection was lost"))
NO_BREAKER: dict[str, Any] = {"breaker_calls": 1_000_000}


def begin(upstream: HttpUpstream, request: Request, scope: Scope | None = None) -> asyncio.Task[Response]:
    """Start a call."""
    call = upstream.read if request.method == "GET" else upstream.write
    return asyncio.create_task(call(request, scope or make_scope()))


async def statuses(tasks: Iterable[asyncio.Task[Response]]) -> list[int]:
    return [(await task).status for task in tasks]


async def ended(task: asyncio.Task[Response]) -> None:
    """Wait until a call has ended, well or not."""
    await asyncio.gather(task, return_exceptions=True)


async def leave(task: asyncio.Task[Response]) -> None:
    """Be a caller who goes away."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


# Retries


@pytest.mark.parametrize("is_fresh", [True, False])
@pytest.mark.parametrize(
    "failure",
    [
        LOST,
        raising(WireFailed("no connection", nothing_sent=True)),
        raising(WireTimeout("no answer in time")),
        *(answering(status=status) for status in (429, 500, 502, 503, 504)),
    ],
)
async def test_a_read_that_failed_is_sent_again(failure: Handler, *, is_fresh: bool) -> None:
    upstream, wire = make_upstream(one_after_another(failure, failure, answering(body="[]")), FakeClock())
    assert await upstream.read(READ, scope_of(1, is_fresh=is_fresh)) == answer("[]")
    assert len(wire.requests) == 3
    assert len({request.url for request in wire.requests}) == 1


@pytest.mark.parametrize("retries", [0, 1, 3])
async def test_a_read_is_sent_once_and_so_often_again_as_is_configured(retries: int) -> None:
    upstream, wire = make_upstream(LOST, FakeClock(), retries=retries)
    assert type(await error_of(upstream.read(READ, make_scope()))) is UpstreamUnavailable
    assert len(wire.requests) == 1 + retries


async def test_of_all_statuses_five_are_asked_for_again() -> None:
    again = []
    for status in range(100, 600):
        upstream, wire = make_upstream(answering(status=status), FakeClock())
        try:
            await upstream.read(READ, make_scope())
        except UpstreamError:
            if len(wire.requests) > 1:
                again.append(status)
    assert again == [429, 500, 502, 503, 504]


async def test_a_status_that_is_an_answer_is_not_asked_for_again() -> None:
    upstream, wire = make_upstream(answering(status=503))
    assert (await upstream.read(READ, make_scope(), answers=(200, 503))).status == 503
    assert len(wire.requests) == 1


async def test_an_answer_that_cannot_be_read_is_not_asked_for_again() -> None:
    upstream, wire = make_upstream(raising(AnswerUnreadable("too large")))
    assert type(await error_of(upstream.read(READ, make_scope()))) is MalformedAnswer
    assert len(wire.requests) == 1


@pytest.mark.parametrize(("failure", "pauses"), [(LOST, [0.025, 0.025, 0.2]), (answering(status=429), [0.5, 0.5, 2])])
async def test_pauses_are_a_random_part_of_twice_as_much_each_time(failure: Handler, pauses: list[float]) -> None:
    clock = FakeClock()
    slept = Pauses(clock)
    upstream, _ = make_upstream(failure, clock, sleep=slept, random=iter([0.5, 0.25, 1]).__next__, retries=3)
    await error_of(upstream.read(READ, make_scope()))
    assert slept.seconds == pytest.approx(pauses)


@pytest.mark.parametrize("is_fresh", [True, False])
@pytest.mark.parametrize(("deadline", "attempts"), [(2.75, 1), (3, 1), (3.25, 2), (10, 3)])
async def test_an_attempt_that_ends_behind_the_deadline_is_not_repeated(deadline: float, attempts: int, *, is_fresh: bool) -> None:
    clock = FakeClock()

    def slow(_request: WireRequest) -> Response:
        clock.advance(3)
        raise WireTimeout("no answer in time")

    upstream, wire = make_upstream(slow, clock)
    assert type(await error_of(upstream.read(READ, scope_of(1, deadline, is_fresh=is_fresh)))) is UpstreamTimeout
    assert len(wire.requests) == attempts


async def test_a_source_has_three_retries_in_ten_seconds_when_nothing_goes_well() -> None:
    clock = FakeClock()
    upstream, wire = make_upstream(LOST, clock, random=lambda: 0, **NO_BREAKER)

    async def attempts_of_each() -> list[int]:
        attempts = []
        for _ in range(3):
            before = len(wire.requests)
            await error_of(upstream.read(READ, make_scope(30)))
            attempts.append(len(wire.requests) - before)
        return attempts

    assert await attempts_of_each() == [3, 2, 1]
    clock.advance(11)
    assert await attempts_of_each() == [3, 2, 1]


async def test_of_what_goes_well_a_part_may_be_retried() -> None:
    handler = one_after_another(*[answering()] * 50, *[LOST] * 20)
    upstream, wire = make_upstream(handler, FakeClock(), random=lambda: 0, retry_budget_percent=20, **NO_BREAKER)
    for _ in range(49):
        await upstream.read(READ, make_scope())
    await upstream.write(WRITE, make_scope())  # the fiftieth, of which ten are a fifth
    for _ in range(10):
        await error_of(upstream.read(READ, make_scope()))
    assert len(wire.requests) == 50 + 10 + 10


async def test_a_read_holds_no_slot_while_it_pauses() -> None:
    time = Time()
    upstream, wire = make_upstream(one_after_another(LOST, answering(), answering()), time, max_in_flight=1)
    pausing = begin(upstream, get(1))
    await settle()
    assert (await upstream.read(get(2), make_scope())).status == 200
    time.advance(0.025)
    assert (await pausing).status == 200
    assert [url.rsplit("/", 1)[1] for url in (request.url for request in wire.requests)] == ["1", "2", "1"]


@pytest.mark.parametrize("failure", [LOST, raising(WireTimeout("slow")), raising(WireFailed("no connection", nothing_sent=True))])
async def test_a_write_that_failed_is_not_sent_again(failure: Handler) -> None:
    upstream, wire = make_upstream(failure, FakeClock())
    await error_of(upstream.write(WRITE, make_scope()))
    assert len(wire.requests) == 1


# Retry-After


IN_SEVEN_SECONDS = format_datetime(FakeClock().now() + timedelta(seconds=7), usegmt=True)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("text", ["7", IN_SEVEN_SECONDS])
async def test_a_read_waits_as_long_as_it_is_asked_to(text: str, status: int) -> None:
    clock = FakeClock()
    pauses = Pauses(clock)
    upstream, wire = make_upstream(one_after_another(answering(status=status, retry_after=text), answering()), clock, sleep=pauses)
    assert (await upstream.read(READ, make_scope(7.25))).status == 200
    assert pauses.seconds == [7]
    assert len(wire.requests) == 2


@pytest.mark.parametrize("is_fresh", [True, False])
@pytest.mark.parametrize("text", ["7", IN_SEVEN_SECONDS])
@pytest.mark.parametrize(("status", "kind"), [(429, UpstreamRateLimited), (503, UpstreamUnavailable)])
async def test_a_read_that_has_no_time_to_wait_fails_at_once_and_tells_how_long(
    status: int, kind: type[UpstreamError], text: str, *, is_fresh: bool
) -> None:
    clock = FakeClock()
    pauses = Pauses(clock)
    upstream, wire = make_upstream(answering(status=status, retry_after=text), clock, sleep=pauses)
    error = await error_of(upstream.read(READ, scope_of(1, 7, is_fresh=is_fresh)))
    assert (type(error), error.retry_after, error.nothing_sent) == (kind, 7, False)
    assert (pauses.seconds, len(wire.requests)) == ([], 1)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("asker", [get(1), WRITE])
@pytest.mark.parametrize("held", [get(2), WRITE])
async def test_until_a_pause_is_over_nobody_calls(asker: Request, held: Request, status: int) -> None:
    time = Time()
    upstream, wire = make_upstream(one_after_another(answering(status=status, retry_after="5"), answering()), time, retries=0)
    await ended(begin(upstream, asker))
    waiting = begin(upstream, held)
    await settle()
    time.advance(4.75)
    await settle()
    assert len(wire.requests) == 1
    time.advance(0.25)
    assert (await waiting).status == 200
    assert len(wire.requests) == 2


@pytest.mark.parametrize("status", [200, 400, 500])
async def test_other_answers_ask_for_no_pause(status: int) -> None:
    upstream, wire = make_upstream(answering(status=status, retry_after="5"))
    await upstream.write(WRITE, make_scope())
    writes = [begin(upstream, WRITE) for _ in range(2)]
    await settle()
    assert [write.done() for write in writes] == [True, True]
    assert await statuses(writes) == [status, status]
    assert len(wire.requests) == 3


async def test_a_pause_longer_than_whoever_began_a_long_read_has_time_for_is_told_at_once() -> None:
    upstream, wire = make_upstream(answering(status=429, retry_after="5"))
    scope = Scope("window", 1060.0, is_fresh=True, waits_until=1004.0)
    error = await error_of(upstream.read(READ, scope))
    assert (type(error), error.retry_after, len(wire.requests)) == (UpstreamRateLimited, 5, 1)
    held = await error_of(upstream.read(READ, scope))
    assert (type(held), held.retry_after, held.nothing_sent, len(wire.requests)) == (UpstreamRateLimited, 5, True, 1)


@pytest.mark.parametrize("call", [(get(2), False), (get(2), True), (WRITE, False)])
async def test_who_has_less_time_than_the_pause_fails_at_once_and_sends_nothing(call: tuple[Request, bool]) -> None:
    request, is_fresh = call
    upstream, wire = make_upstream(answering(status=429, retry_after="5"), retries=0)
    await error_of(upstream.read(get(1), make_scope()))
    error = await error_of(begin(upstream, request, scope_of(2, 5, is_fresh=is_fresh)))
    assert (type(error), error.retry_after, error.nothing_sent) == (UpstreamRateLimited, 5, True)
    assert error.message == f"{request.operation}: it asked for a pause that is not over"
    assert len(wire.requests) == 1


async def test_calls_in_the_queue_are_held_by_a_pause_too() -> None:
    time, held = Time(), Held()
    upstream, wire = make_upstream(held, time, max_in_flight=1, retries=0)
    first = begin(upstream, get(1))
    await settle()
    queued = [begin(upstream, get(2)), begin(upstream, WRITE)]
    short = begin(upstream, get(3), scope_of(3, 5))
    await settle()
    held.end(429, retry_after="5")
    await error_of(first)
    error = await error_of(short)
    assert (type(error), error.retry_after, error.nothing_sent) == (UpstreamRateLimited, 5, True)
    held.end(200)
    assert len(wire.requests) == 1
    time.advance(5)
    assert await statuses(queued) == [200, 200]
    assert len(wire.requests) == 3


async def test_a_shared_read_waits_for_the_sake_of_those_who_have_time() -> None:
    time, held = Time(), Held()
    upstream, wire = make_upstream(held, time)
    short, long = begin(upstream, READ, scope_of(1, SOON_SECONDS)), begin(upstream, READ, scope_of(2))
    await settle()
    held.end(429, retry_after="5")
    assert type(await error_of(short)) is UpstreamTimeout
    held.end(200)
    late = await error_of(upstream.read(READ, scope_of(3, 5)))
    assert (type(late), late.retry_after, late.nothing_sent) == (UpstreamRateLimited, 5, True)
    time.advance(5)
    assert (await long).status == 200
    assert len(wire.requests) == 2


async def test_a_shared_read_does_not_wait_for_those_who_have_left() -> None:
    held = Held()
    upstream, wire = make_upstream(held)
    short, long = begin(upstream, READ, scope_of(1, 4)), begin(upstream, READ, scope_of(2))
    await settle()
    await leave(long)
    held.end(429, retry_after="5")
    assert (await error_of(short)).retry_after == 5
    assert len(wire.requests) == 1


# The breaker


async def opened(handler: Handler, clock: FakeClock) -> tuple[HttpUpstream, FakeWire]:
    """Make an upstream whose breaker one failure has opened, for five seconds; the next two calls meet `handler`."""
    upstream, wire = make_upstream(one_after_another(LOST, handler, handler), clock, retries=0, breaker_calls=1)
    await error_of(upstream.read(READ, make_scope()))
    wire.requests.clear()
    return upstream, wire


@pytest.mark.parametrize("failure", [LOST, raising(WireTimeout("slow")), answering(status=500), answering(status=503)])
async def test_when_half_of_twenty_calls_failed_no_call_is_made(failure: Handler) -> None:
    upstream, wire = make_upstream(one_after_another(*[failure] * 10, *[answering()] * 10), retries=0)
    for _ in range(20):
        await ended(begin(upstream, READ))
    for request in (READ, WRITE):
        error = await error_of(begin(upstream, request))
        assert (type(error), error.retry_after, error.nothing_sent) == (CircuitOpen, 5, True)
        assert error.message == f"{request.operation}: it failed too often lately and is left alone for a while"
    assert len(wire.requests) == 20


async def test_failed_writes_open_the_breaker_too() -> None:
    upstream, wire = make_upstream(answering(status=500))
    for _ in range(20):
        await upstream.write(WRITE, make_scope())
    assert type(await error_of(upstream.write(WRITE, make_scope()))) is CircuitOpen
    assert len(wire.requests) == 20


@pytest.mark.parametrize(
    "handler", [*(answering(status=status) for status in (302, 400, 401, 403, 404, 429)), raising(AnswerUnreadable("too large"))]
)
async def test_what_is_an_answer_does_not_open_the_breaker(handler: Handler) -> None:
    upstream, wire = make_upstream(handler, retries=0)
    for _ in range(41):
        assert type(await error_of(upstream.read(READ, make_scope()))) is not CircuitOpen
    assert len(wire.requests) == 41


async def test_calls_that_are_cancelled_count_as_nothing() -> None:
    held = Held()
    handlers: list[Handler] = [*[LOST] * 19, *[held] * 5, LOST]
    upstream, wire = make_upstream(one_after_another(*handlers), retries=0, breaker_failure_percent=100)
    for _ in range(19):
        await error_of(upstream.read(READ, make_scope()))
    for _ in range(5):
        leaving = begin(upstream, READ)
        await settle()
        await leave(leaving)
    assert type(await error_of(upstream.read(READ, make_scope()))) is UpstreamUnavailable
    assert type(await error_of(upstream.read(READ, make_scope()))) is CircuitOpen
    assert (held.cancelled, len(wire.requests)) == (5, 25)


async def test_an_open_breaker_is_open_as_long_as_is_configured() -> None:
    upstream, _ = make_upstream(LOST, retries=0, breaker_calls=1, breaker_open_seconds=7)
    await error_of(upstream.read(READ, make_scope()))
    assert (await error_of(upstream.read(READ, make_scope()))).retry_after == 7


async def test_a_read_whose_failure_opens_the_breaker_is_not_sent_again() -> None:
    upstream, wire = make_upstream(LOST, FakeClock(), retries=2, breaker_calls=2)
    assert type(await error_of(upstream.read(READ, make_scope()))) is CircuitOpen
    assert len(wire.requests) == 2


async def test_a_call_in_the_queue_is_refused_when_the_breaker_opens() -> None:
    held = Held()
    upstream, wire = make_upstream(held, retries=0, max_in_flight=1, breaker_calls=1)
    failing = begin(upstream, get(1))
    await settle()
    queued = begin(upstream, WRITE)
    await settle()
    held.end(500)
    await error_of(failing)
    error = await error_of(queued)
    assert (type(error), error.retry_after, error.nothing_sent) == (CircuitOpen, 5, True)
    assert len(wire.requests) == 1


async def test_an_open_breaker_is_told_at_once_although_a_pause_is_on() -> None:
    upstream, _ = make_upstream(answering(status=503, retry_after="3"), retries=0, breaker_calls=1)
    await error_of(upstream.read(READ, make_scope()))
    assert type(await error_of(upstream.read(READ, make_scope()))) is CircuitOpen


async def test_an_open_breaker_lets_no_token_be_asked_for() -> None:
    clock, signed = FakeClock(), SignedUpstream(status=500)
    signed.life_seconds = 1
    upstream, wire = make_upstream(signed, clock, auth=PASSWORD, retries=0, breaker_calls=1)
    await error_of(upstream.read(READ, make_scope()))
    clock.advance(2)
    for request in (READ, WRITE):
        assert type(await error_of(begin(upstream, request))) is CircuitOpen
    assert calls(wire) == ["/Token -", "/orders/17?expand=rows Bearer t1"]


async def test_when_the_time_is_over_one_call_probes_and_the_others_are_told_to_come_again() -> None:
    time, held = Time(), Held()
    upstream, wire = await opened(held, time)
    time.advance(4.75)
    assert (await error_of(upstream.read(get(1), make_scope()))).retry_after == 0.25
    time.advance(0.25)
    probe = begin(upstream, get(1))
    await settle()
    for request in (get(2), WRITE):
        error = await error_of(begin(upstream, request))
        assert (type(error), error.retry_after, error.nothing_sent) == (CircuitOpen, 1, True)
    held.end()
    assert (await probe).status == 200
    assert (await upstream.read(get(2), make_scope())).status == 200
    assert len(wire.requests) == 2


async def test_after_a_failed_probe_the_time_is_twice_as_long() -> None:
    clock = FakeClock()
    upstream, wire = await opened(LOST, clock)
    clock.advance(5)
    assert type(await error_of(upstream.read(READ, make_scope()))) is UpstreamUnavailable
    assert (await error_of(upstream.read(READ, make_scope()))).retry_after == 10
    assert len(wire.requests) == 1


@pytest.mark.parametrize("status", [404, 429])
async def test_an_answer_of_any_kind_to_a_probe_closes_the_breaker(status: int) -> None:
    clock = FakeClock()
    upstream, wire = await opened(answering(status=status), clock)
    clock.advance(5)
    assert (await upstream.write(WRITE, make_scope())).status == status
    assert (await upstream.write(WRITE, make_scope())).status == status
    assert len(wire.requests) == 2


async def test_a_probe_that_is_cancelled_frees_its_place() -> None:
    time, held = Time(), Held()
    upstream, wire = await opened(held, time)
    time.advance(5)
    probe = begin(upstream, READ)
    await settle()
    await leave(probe)
    held.end()
    assert (await upstream.read(READ, make_scope())).status == 200
    assert (held.cancelled, len(wire.requests)) == (1, 2)


async def test_an_upstream_that_is_left_alone_is_down_until_a_probe_goes_well() -> None:
    clock = FakeClock()
    handler = one_after_another(answering(), answering(), answering(), LOST, answering())
    upstream, _ = make_upstream(handler, clock, retries=0, breaker_calls=4, breaker_failure_percent=25)
    for _ in range(3):
        await upstream.read(READ, make_scope())
    await error_of(upstream.read(READ, make_scope()))
    found = [upstream.health]
    clock.advance(5)
    found.append(upstream.health)
    await upstream.read(READ, make_scope())
    assert [*found, upstream.health] == [Health.DOWN, Health.DOWN, Health.DEGRADED]


# The queue for slots


async def test_no_more_calls_are_in_flight_than_configured_and_all_are_made_in_the_end() -> None:
    held = Held()
    upstream, wire = make_upstream(held, max_in_flight=3)
    reads = [begin(upstream, get(number), scope_of(number)) for number in range(9)]
    write = begin(upstream, WRITE)
    await settle()
    assert (held.inside, len(wire.requests)) == (3, 3)
    held.end()
    assert await statuses([*reads, write]) == [200] * 10
    assert (held.most, len(wire.requests)) == (3, 10)


async def test_a_slow_source_takes_no_slots_from_another() -> None:
    held = Held()
    slow, _ = make_upstream(held, max_in_flight=1)
    other, _ = make_upstream(answering(), max_in_flight=1)
    waiting = begin(slow, READ)
    await settle()
    assert (await other.read(READ, make_scope())).status == 200
    held.end()
    await waiting


@pytest.mark.parametrize("call", [get(9), WRITE])
async def test_the_queue_is_full_of_requests_not_of_calls(call: Request) -> None:
    held = Held()
    upstream, wire = make_upstream(held, max_in_flight=1, max_queue=2)
    made = [begin(upstream, get(number), scope_of("first")) for number in range(3)]
    made += [begin(upstream, get(number), scope_of("second")) for number in range(3, 6)]
    await settle()
    error = await error_of(begin(upstream, call, scope_of("third")))
    assert (type(error), error.nothing_sent) == (UpstreamOverloaded, True)
    assert error.message == f"{call.operation}: too many requests wait for it"
    held.end()
    assert await statuses(made) == [200] * 6
    assert len(wire.requests) == 6


@pytest.mark.parametrize("call", [get(9), WRITE])
async def test_a_request_that_gets_no_slot_in_half_a_second_is_refused(call: Request) -> None:
    time, held = Time(), Held()
    upstream, wire = make_upstream(held, time, max_in_flight=1)
    first = begin(upstream, get(1), scope_of("first"))
    await settle()
    refused = begin(upstream, call, scope_of("second"))
    await settle()
    time.advance(0.25)
    await settle()
    assert not refused.done()
    time.advance(0.25)
    error = await error_of(refused)
    assert (type(error), error.nothing_sent) == (UpstreamOverloaded, True)
    assert error.message == f"{call.operation}: no call of this request got its turn in time"
    held.end()
    assert (await first).status == 200
    assert len(wire.requests) == 1


@pytest.mark.parametrize("call", [(get(9), True), (WRITE, False)])
async def test_a_call_whose_deadline_ends_while_it_waits_for_a_slot_sends_nothing(call: tuple[Request, bool]) -> None:
    request, is_fresh = call
    time, held = Time(), Held()
    upstream, wire = make_upstream(held, time, max_in_flight=1)
    first = begin(upstream, get(1), scope_of("first"))
    await settle()
    late = begin(upstream, request, scope_of("second", 0.25, is_fresh=is_fresh))
    await settle()
    time.advance(0.25)
    error = await error_of(late)
    assert (type(error), error.message) == (UpstreamTimeout, f"{request.operation}: no time was left for the call")
    assert (error.nothing_sent, len(wire.requests)) == (True, 1)
    held.end()
    await first


@pytest.mark.parametrize("seconds", [0.0, -1.0])
@pytest.mark.parametrize("call", [(READ, False), (READ, True), (WRITE, False)])
async def test_a_call_that_starts_after_its_deadline_sends_nothing(call: tuple[Request, bool], seconds: float) -> None:
    request, is_fresh = call
    upstream, wire = make_upstream(answering())
    error = await error_of(begin(upstream, request, scope_of(1, seconds, is_fresh=is_fresh)))
    assert (type(error), error.message) == (UpstreamTimeout, f"{request.operation}: no time was left for the call")
    assert (error.nothing_sent, wire.requests) == (True, [])


@pytest.mark.parametrize("call", [(get(2), False), (get(2), True), (WRITE, False)])
async def test_a_slot_that_comes_after_the_deadline_is_not_used(call: tuple[Request, bool]) -> None:
    request, is_fresh = call
    clock, held = FakeClock(), Held()
    upstream, wire = make_upstream(held, clock, sleep=Time().sleep, max_in_flight=1)
    first = begin(upstream, get(1))
    await settle()
    waiting = begin(upstream, request, scope_of("second", is_fresh=is_fresh))
    await settle()
    clock.advance(10)
    held.end()
    await first
    assert type(await error_of(waiting)) is UpstreamTimeout
    assert len(wire.requests) == 1


async def test_a_call_that_is_cancelled_or_fails_gives_its_slot_back() -> None:
    handler = one_after_another(Held(), LOST, raising(AnswerUnreadable("too large")), answering(status=500), answering())
    upstream, _ = make_upstream(handler, max_in_flight=1, retries=0)
    cancelled = begin(upstream, READ)
    await settle()
    await leave(cancelled)
    for _ in range(3):
        await error_of(upstream.read(READ, make_scope()))
    assert (await upstream.read(READ, make_scope())).status == 200


async def test_a_waiter_who_is_cancelled_does_not_keep_the_slot_it_never_had() -> None:
    held = Held()
    upstream, wire = make_upstream(held, max_in_flight=1)
    first, leaving, last = (begin(upstream, get(number), scope_of(number)) for number in range(3))
    await settle()
    leaving.cancel()
    held.end()
    assert await statuses([first, last]) == [200, 200]
    assert len(wire.requests) == 2


# Sharing


async def test_identical_reads_at_once_are_one_call() -> None:
    held = Held()
    upstream, wire = make_upstream(held)
    reads = [begin(upstream, READ, scope_of(number)) for number in range(5)]
    await settle()
    held.end()
    found = [await read for read in reads]
    assert all(response is found[0] for response in found)
    assert len(wire.requests) == 1


async def test_a_failure_is_shared_too_and_so_are_the_retries() -> None:
    time = Time()
    upstream, wire = make_upstream(LOST, time, retries=1)
    reads = [begin(upstream, READ, scope_of(number)) for number in range(5)]
    await settle()
    time.advance(0.025)
    errors = [await error_of(read) for read in reads]
    assert all(error is errors[0] for error in errors)
    assert (type(errors[0]), len(wire.requests)) == (UpstreamUnavailable, 2)


async def test_a_read_that_comes_after_the_answer_is_a_call_of_its_own() -> None:
    upstream, wire = make_upstream(answering())
    for _ in range(2):
        await upstream.read(READ, make_scope())
    assert len(wire.requests) == 2


QUERY = Request(operation="Query", method="POST", path="/query", json={"filter": "a"})
OTHERS = {
    "path": (get(1), get(2)),
    "query": (READ, Request(operation="GetOrder", method="GET", path="/orders/17", query=(("expand", "none"),))),
    "header": (get(1), Request(operation="GetOrder", method="GET", path="/orders/1", headers={"x-culture": "sv-SE"})),
    "method": (Request(operation="Query", method="POST", path="/query"), Request(operation="Query", method="GET", path="/query")),
    "body": (QUERY, Request(operation="Query", method="POST", path="/query", json={"filter": "b"})),
    "null": (Request(operation="Query", method="POST", path="/query"), Request(operation="Query", method="POST", path="/query", json=None)),
}


@pytest.mark.parametrize(("one", "other"), OTHERS.values(), ids=list(OTHERS))
async def test_reads_that_differ_are_not_shared(one: Request, other: Request) -> None:
    held = Held()
    upstream, wire = make_upstream(held)
    reads = [asyncio.create_task(upstream.read(request, make_scope())) for request in (one, other)]
    await settle()
    held.end()
    assert await statuses(reads) == [200, 200]
    assert len(wire.requests) == 2


async def test_posts_that_read_the_same_are_shared() -> None:
    held = Held()
    upstream, wire = make_upstream(held)
    reads = [asyncio.create_task(upstream.read(QUERY, make_scope())) for _ in range(2)]
    await settle()
    held.end()
    assert await statuses(reads) == [200, 200]
    assert len(wire.requests) == 1


async def test_reads_for_which_other_statuses_are_answers_are_not_shared() -> None:
    held = Held()
    upstream, wire = make_upstream(held)
    strict, lenient = begin(upstream, READ), asyncio.create_task(upstream.read(READ, make_scope(), answers=(200, 404)))
    await settle()
    held.end(404)
    assert (await lenient).status == 404
    await error_of(strict)
    assert len(wire.requests) == 2


async def test_writes_are_never_shared() -> None:
    held = Held()
    upstream, wire = make_upstream(held)
    writes = [begin(upstream, WRITE) for _ in range(2)]
    await settle()
    held.end()
    assert await statuses(writes) == [200, 200]
    assert len(wire.requests) == 2


@pytest.mark.parametrize(("first", "second"), [(True, False), (False, True), (True, True)])
async def test_a_read_that_must_be_fresh_is_not_shared_with_anybody(*, first: bool, second: bool) -> None:
    held = Held()
    upstream, wire = make_upstream(held)
    reads = [begin(upstream, READ, scope_of(number, is_fresh=is_fresh)) for number, is_fresh in enumerate((first, second))]
    await settle()
    held.end()
    assert await statuses(reads) == [200, 200]
    assert len(wire.requests) == 2


@pytest.mark.parametrize("is_first", [True, False])
async def test_a_caller_whose_deadline_passes_leaves_alone(*, is_first: bool) -> None:
    held = Held()
    upstream, wire = make_upstream(held)
    deadlines = [SOON_SECONDS, 10.0] if is_first else [10.0, SOON_SECONDS]
    reads = [begin(upstream, READ, scope_of(number, seconds)) for number, seconds in enumerate(deadlines)]
    short, long = reads if is_first else reversed(reads)
    error = await error_of(short)
    assert (type(error), error.message, error.nothing_sent) == (UpstreamTimeout, "GetOrder: no answer in time", False)
    held.end()
    assert (await long).status == 200
    assert (held.cancelled, [request.timeout_seconds for request in wire.requests]) == (0, [3])


async def test_a_caller_who_goes_away_leaves_alone() -> None:
    held = Held()
    upstream, wire = make_upstream(held)
    leaving, staying = (begin(upstream, READ, scope_of(number)) for number in range(2))
    await settle()
    await leave(leaving)
    held.end()
    assert (await staying).status == 200
    assert (held.cancelled, len(wire.requests)) == (0, 1)


async def test_when_the_last_has_left_the_call_is_cancelled() -> None:
    held = Held()
    upstream, wire = make_upstream(held)
    reads = [begin(upstream, READ, scope_of(number)) for number in range(2)]
    await settle()
    for read in reads:
        await leave(read)
    assert (held.cancelled, held.inside, len(wire.requests)) == (1, 0, 1)


async def test_when_the_deadline_of_the_last_has_passed_the_call_is_cancelled() -> None:
    held = Held()
    upstream, wire = make_upstream(held)
    reads = [begin(upstream, READ, scope_of(number, SOON_SECONDS)) for number in range(2)]
    for read in reads:
        assert type(await error_of(read)) is UpstreamTimeout
    assert (held.cancelled, held.inside, len(wire.requests)) == (1, 0, 1)
