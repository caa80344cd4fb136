"""What a trace says of the calls of one request, to the millisecond of the clock."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

import pytest

from gateway.errors import UpstreamError
from gateway.transport import Response, Scope, Trace
from gateway.transport.wire import AnswerUnreadable, WireFailed, WireRequest, WireTimeout
from tests.fakes import FakeClock, answer, make_scope
from tests.transport.upstreams import (
    PASSWORD,
    READ,
    SOON_SECONDS,
    TOKEN_URL,
    WRITE,
    Handler,
    Held,
    SignedUpstream,
    answering,
    error_of,
    get,
    make_upstream,
    one_after_another,
    raising,
    settle,
)

pytestmark = pytest.mark.anyio

Shown = tuple[str, int, str, int | None, str | None, int | None]
MADE, SHARED, REFUSED = "made", "coalesced", "refused"


def traced(clock: FakeClock, request_id: str = "traced", seconds: float = 10.0, *, is_fresh: bool = False) -> Scope:
    return Scope(request_id, make_scope(seconds).deadline, is_fresh=is_fresh, trace=Trace.start(clock))


def plain(scope: Scope) -> list[dict[str, Any]]:
    assert scope.trace is not None
    return scope.trace.to_plain()


def shown(scope: Scope) -> list[Shown]:
    """Give of each call: operation, attempt, how it was answered, status, code, bytes."""
    ways = ("made", "cached", "coalesced")
    return [
        (
            call["operation"],
            call["attempt"],
            next((way for way in ways if call[way]), REFUSED),
            call["status"],
            call["code"],
            call["bytes"],
        )
        for call in plain(scope)
    ]


def made(scope: Scope) -> int:
    return sum(call["made"] for call in plain(scope))


def taking(clock: FakeClock, seconds: float, handler: Handler) -> Handler:
    def handle(request: WireRequest) -> Response | Awaitable[Response]:
        clock.advance(seconds)
        return handler(request)

    return handle


@pytest.mark.parametrize("is_fresh", [False, True])
async def test_a_call_is_told_with_its_times_since_the_request_began(*, is_fresh: bool) -> None:
    clock = FakeClock()
    scope = traced(clock, is_fresh=is_fresh)
    clock.advance(0.0125)
    upstream, _ = make_upstream(taking(clock, 0.25, answering(body="[17]")), clock)

    await upstream.read(READ, scope)

    assert plain(scope) == [
        {
            "source": "src",
            "operation": "GetOrder",
            "startMs": 12.5,
            "durationMs": 250.0,
            "attempt": 1,
            "made": True,
            "cached": False,
            "coalesced": False,
            "status": 200,
            "code": None,
            "bytes": 4,
            "batch": None,
            "keys": None,
            "fields": [],
        }
    ]


async def test_times_have_three_decimals_at_the_most() -> None:
    clock = FakeClock()
    scope = traced(clock)
    clock.advance(0.0012346)
    upstream, _ = make_upstream(taking(clock, 1 / 3, answering()), clock)

    await upstream.read(READ, scope)

    (call,) = plain(scope)
    assert (json.dumps(call["startMs"]), json.dumps(call["durationMs"])) == ("1.235", "333.333")


async def test_each_attempt_at_a_read_is_a_call_of_its_own() -> None:
    clock = FakeClock()
    scope = traced(clock)
    lost = raising(WireFailed("the connection was lost"))
    upstream, _ = make_upstream(taking(clock, 1, one_after_another(answering(status=503), lost, answering())), clock)

    await upstream.read(READ, scope)

    assert shown(scope) == [
        ("GetOrder", 1, MADE, 503, "UPSTREAM_UNAVAILABLE", 2),
        ("GetOrder", 2, MADE, None, "UPSTREAM_UNAVAILABLE", None),
        ("GetOrder", 3, MADE, 200, None, 2),
    ]
    assert [(call["startMs"], call["durationMs"]) for call in plain(scope)] == [(0, 1000), (1025, 1000), (2075, 1000)]
    assert scope.calls.made == made(scope) == 3


@pytest.mark.parametrize(
    ("handler", "status", "code", "size"),
    [
        (answering(status=404), 404, "UPSTREAM_REJECTED", 2),
        (answering(status=403), 403, "UPSTREAM_AUTH", 2),
        (answering(status=204, body=""), 204, "UPSTREAM_BAD_RESPONSE", 0),
        (answering(status=302), 302, "UPSTREAM_BAD_RESPONSE", 2),
        (raising(WireTimeout("no answer in time")), None, "UPSTREAM_TIMEOUT", None),
        (raising(WireFailed("no connection", nothing_sent=True)), None, "UPSTREAM_UNAVAILABLE", None),
        (raising(AnswerUnreadable("the answer is too large")), None, "UPSTREAM_BAD_RESPONSE", None),
    ],
)
async def test_a_read_that_fails_is_one_call_with_the_code_of_its_error(
    handler: Handler, status: int | None, code: str, size: int | None
) -> None:
    clock = FakeClock()
    scope = traced(clock)
    upstream, _ = make_upstream(handler, clock, retries=0)

    error = await error_of(upstream.read(READ, scope))

    assert error.code == code
    assert shown(scope) == [("GetOrder", 1, MADE, status, code, size)]


async def test_a_status_that_is_an_answer_has_no_code() -> None:
    clock = FakeClock()
    scope = traced(clock)
    upstream, _ = make_upstream(answering(status=404), clock)

    await upstream.read(READ, scope, answers=(200, 404))

    assert shown(scope) == [("GetOrder", 1, MADE, 404, None, 2)]


async def test_a_call_that_is_not_made_is_told_as_such() -> None:
    clock = FakeClock()
    upstream, wire = make_upstream(answering(status=429, retry_after="100"), clock)
    await error_of(upstream.read(READ, make_scope()))
    reading, writing = traced(clock), traced(clock)

    await error_of(upstream.read(READ, reading))
    await error_of(upstream.write(WRITE, writing))

    assert shown(reading) == [("GetOrder", 1, REFUSED, None, "UPSTREAM_RATE_LIMITED", None)]
    assert shown(writing) == [("CreateInvoice", 1, REFUSED, None, "UPSTREAM_RATE_LIMITED", None)]
    assert (len(wire.requests), reading.calls.made, writing.calls.made) == (1, 0, 0)


async def test_an_attempt_that_is_not_made_after_one_that_was_is_told_as_such() -> None:
    clock = FakeClock()
    scope = traced(clock)
    upstream, _ = make_upstream(answering(status=500), clock, breaker_calls=1)

    await error_of(upstream.read(READ, scope))

    assert shown(scope) == [
        ("GetOrder", 1, MADE, 500, "UPSTREAM_UNAVAILABLE", 2),
        ("GetOrder", 2, REFUSED, None, "UPSTREAM_CIRCUIT_OPEN", None),
    ]
    assert scope.calls.made == made(scope) == 1


# ------------------------------------------------------------------ writes


@pytest.mark.parametrize(("status", "code"), [(201, None), (400, "UPSTREAM_REJECTED"), (503, "UPSTREAM_UNAVAILABLE")])
async def test_a_write_is_one_call_with_the_code_of_its_answer(status: int, code: str | None) -> None:
    clock = FakeClock()
    scope = traced(clock)
    upstream, _ = make_upstream(answering(status=status), clock)

    assert (await upstream.write(WRITE, scope)).status == status

    assert shown(scope) == [("CreateInvoice", 1, MADE, status, code, 2)]


async def test_a_write_whose_answer_was_lost_says_so() -> None:
    clock = FakeClock()
    scope = traced(clock)
    upstream, _ = make_upstream(raising(WireFailed("the connection was lost")), clock)

    await error_of(upstream.write(WRITE, scope))

    assert shown(scope) == [("CreateInvoice", 1, MADE, None, "UPSTREAM_UNAVAILABLE", None)]


# ------------------------------------------------------------------ shared reads


@pytest.mark.parametrize("first_is_traced", [True, False])
async def test_who_shares_a_call_is_told_so_and_it_counts_for_who_began_it(*, first_is_traced: bool) -> None:
    clock, held = FakeClock(), Held()
    upstream, wire = make_upstream(held, clock)
    first = traced(clock, "first") if first_is_traced else make_scope()
    second = traced(clock, "second")
    tasks = [asyncio.create_task(upstream.read(READ, first))]
    await settle()
    clock.advance(1)
    tasks.append(asyncio.create_task(upstream.read(READ, second)))
    await settle()
    clock.advance(0.5)
    held.end()
    await asyncio.gather(*tasks)

    assert shown(second) == [("GetOrder", 1, SHARED, 200, None, 2)]
    assert [(call["startMs"], call["durationMs"]) for call in plain(second)] == [(1000, 500)]
    assert not first_is_traced or shown(first) == [("GetOrder", 1, MADE, 200, None, 2)]
    assert (len(wire.requests), first.calls.made, second.calls.made) == (1, 1, 0)


async def test_a_request_that_asks_twice_at_once_shares_with_itself() -> None:
    clock = FakeClock()
    scope = traced(clock)
    upstream, _ = make_upstream(answering(), clock)

    await asyncio.gather(upstream.read(READ, scope), upstream.read(READ, scope), upstream.read(get(18), scope))

    assert sorted(call[2] for call in shown(scope)) == [SHARED, MADE, MADE]
    assert scope.calls.made == made(scope) == 2


@pytest.mark.parametrize("turns", range(8))
@pytest.mark.parametrize("is_same_request", [True, False])
async def test_who_comes_while_a_shared_call_is_ending_is_told_something_and_every_call_is_told_once(
    turns: int, *, is_same_request: bool
) -> None:
    clock, held = FakeClock(), Held()
    upstream, wire = make_upstream(held, clock)
    first = traced(clock, "first")
    second = first if is_same_request else traced(clock, "second")
    early = asyncio.create_task(upstream.read(READ, first))
    await settle()
    held.end()
    for _ in range(turns):
        await asyncio.sleep(0)
    await asyncio.gather(early, upstream.read(READ, second))

    scopes = [first] if is_same_request else [first, second]
    assert [made(scope) for scope in scopes] == [scope.calls.made for scope in scopes]
    assert sum(scope.calls.made for scope in scopes) == len(wire.requests)
    assert sum(len(plain(scope)) for scope in scopes) in {2, 3}  # three: it made a call anew that counts for the first


async def test_a_shared_call_that_fails_has_its_code_for_all() -> None:
    clock = FakeClock()
    scopes = [traced(clock, name) for name in "ab"]
    upstream, _ = make_upstream(answering(status=500), clock, retries=0)

    await asyncio.gather(*(error_of(upstream.read(READ, scope)) for scope in scopes))

    assert [shown(scope) for scope in scopes] == [
        [("GetOrder", 1, MADE, 500, "UPSTREAM_UNAVAILABLE", 2)],
        [("GetOrder", 1, SHARED, None, "UPSTREAM_UNAVAILABLE", None)],
    ]


async def test_a_read_whose_time_is_up_has_ended_and_says_why() -> None:
    clock, held = FakeClock(), Held()
    scope = traced(clock, seconds=SOON_SECONDS)
    upstream, _ = make_upstream(held, clock)

    await error_of(upstream.read(READ, scope))

    assert shown(scope) == [("GetOrder", 1, MADE, None, "UPSTREAM_TIMEOUT", None)]
    assert plain(scope)[0]["durationMs"] == 0


async def test_a_call_that_goes_on_for_others_has_no_duration_yet() -> None:
    clock, held = FakeClock(), Held()
    hasty = traced(clock, "hasty", SOON_SECONDS)
    upstream, _ = make_upstream(held, clock)

    leaving = asyncio.create_task(error_of(upstream.read(READ, hasty)))
    staying = asyncio.create_task(upstream.read(READ, make_scope()))
    await leaving

    assert [(call["durationMs"], call["code"]) for call in plain(hasty)] == [(None, "UPSTREAM_TIMEOUT")]
    held.end()
    await staying


# ------------------------------------------------------------------ signing in


async def test_signing_in_is_a_call_too_for_whoever_needs_it_first() -> None:
    clock = FakeClock()
    first, second = traced(clock, "first"), traced(clock, "second")
    upstream, _ = make_upstream(SignedUpstream(), clock, auth=PASSWORD)

    await upstream.read(READ, first)
    await upstream.read(READ, second)

    assert [call[:5] for call in shown(first)] == [("Token", 1, MADE, 200, None), ("GetOrder", 1, MADE, 200, None)]
    assert [call[:5] for call in shown(second)] == [("GetOrder", 1, MADE, 200, None)]
    assert (first.calls.made, second.calls.made) == (2, 1)


async def test_signing_in_counts_also_where_nothing_is_traced() -> None:
    upstream, _ = make_upstream(SignedUpstream(), FakeClock(), auth=PASSWORD)
    scope = make_scope()

    await upstream.read(READ, scope)

    assert scope.calls.made == 2


async def test_who_waits_for_a_token_that_another_asked_for_shares_it() -> None:
    clock = FakeClock()
    scopes = [traced(clock, name) for name in "ab"]
    upstream, _ = make_upstream(SignedUpstream(), clock, auth=PASSWORD)

    await asyncio.gather(*(upstream.read(get(at), scope) for at, scope in enumerate(scopes)))

    assert [[call[:4] for call in shown(scope)] for scope in scopes] == [
        [("Token", 1, MADE, 200), ("GetOrder", 1, MADE, 200)],
        [("Token", 1, SHARED, None), ("GetOrder", 1, MADE, 200)],
    ]
    assert [scope.calls.made for scope in scopes] == [2, 1]


async def test_a_token_that_is_renewed_ahead_is_nobodys_call() -> None:
    clock = FakeClock()
    signed = SignedUpstream()
    upstream, _ = make_upstream(signed, clock, auth=PASSWORD)
    await upstream.read(READ, make_scope())
    clock.advance(3400)
    scope = traced(clock, seconds=4000)

    await upstream.read(READ, scope)
    await settle()

    assert signed.tokens == 2
    assert [call[0] for call in shown(scope)] == ["GetOrder"]
    assert scope.calls.made == 1


async def test_a_read_that_is_signed_anew_is_a_second_attempt() -> None:
    clock = FakeClock()
    signed = SignedUpstream()
    upstream, _ = make_upstream(signed, clock, auth=PASSWORD)
    await upstream.read(READ, make_scope())
    signed.refused.add("t1")
    scope = traced(clock)

    await upstream.read(READ, scope)

    assert [call[:5] for call in shown(scope)] == [
        ("GetOrder", 1, MADE, 401, "UPSTREAM_AUTH"),
        ("Token", 1, MADE, 200, None),
        ("GetOrder", 2, MADE, 200, None),
    ]
    assert scope.calls.made == made(scope) == 3


@pytest.mark.parametrize(
    ("status", "code"), [(400, "UPSTREAM_AUTH"), (401, "UPSTREAM_AUTH"), (429, "UPSTREAM_RATE_LIMITED"), (500, "UPSTREAM_UNAVAILABLE")]
)
async def test_a_read_that_no_token_is_given_for_is_not_made(status: int, code: str) -> None:
    clock = FakeClock()
    scope = traced(clock)
    upstream, _ = make_upstream(answering(status=status), clock, auth=PASSWORD, retries=0)

    error = await error_of(upstream.read(READ, scope))

    assert error.code == code
    assert shown(scope) == [("Token", 1, MADE, status, code, 2), ("GetOrder", 1, REFUSED, None, code, None)]
    assert scope.calls.made == made(scope) == 1


# ------------------------------------------------------------------ why, and what is not told


async def test_calls_have_the_cause_of_their_scope() -> None:
    clock = FakeClock()
    scope = traced(clock)
    trace = scope.trace
    assert trace is not None
    upstream, _ = make_upstream(SignedUpstream(), clock, auth=PASSWORD)

    with trace.reading("orders.nodes"):
        await upstream.read(READ, replace(scope, trace=trace.of_field()))
    await upstream.read(READ, replace(scope, trace=trace.of_field()))
    for fields, keys in ((("a", "b"), 3), (("c",), 1)):
        await upstream.read(READ, replace(scope, trace=trace.of_batch(fields, keys)))

    assert [(call["operation"], call["fields"], call["batch"], call["keys"]) for call in plain(scope)] == [
        ("Token", ["orders.nodes"], None, None),
        ("GetOrder", ["orders.nodes"], None, None),
        ("GetOrder", [], None, None),
        ("GetOrder", ["a", "b"], 1, 3),
        ("GetOrder", ["c"], 2, 1),
    ]


async def test_nothing_that_was_asked_for_sent_or_answered_is_told() -> None:
    def handle(request: WireRequest) -> Response:
        if request.url == TOKEN_URL:
            return answer('{"access_token": "hush-token"}')
        return answer('"hush-body"', 500, **{"x-hush": "hush-header"})

    clock = FakeClock()
    scope = traced(clock, "hush-id")
    upstream, _ = make_upstream(handle, clock, auth=PASSWORD)

    with pytest.raises(UpstreamError):
        await upstream.read(READ, scope)

    told = json.dumps(plain(scope))
    assert [word for word in ("hush", "/orders", "rows", "upstream.example") if word in told] == []
