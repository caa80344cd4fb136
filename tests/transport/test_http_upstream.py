"""What an upstream sends, how it signs that, and what it makes of the answers. How often, is in `test_http_upstream_bad_days.py`."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from email.utils import format_datetime

import pytest

from gateway.errors import (
    MalformedAnswer,
    UpstreamAuthFailed,
    UpstreamError,
    UpstreamRateLimited,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from gateway.transport import Health, Request, Response, Scope
from gateway.transport.wire import AnswerUnreadable, WireError, WireFailed, WireRequest, WireTimeout
from tests.fakes import FakeClock, answer, make_scope
from tests.transport.upstreams import (
    PASSWORD,
    READ,
    SOON_SECONDS,
    TOKEN_URL,
    WRITE,
    Handler,
    Pauses,
    SignedUpstream,
    answering,
    calls,
    error_of,
    get,
    make_upstream,
    one_after_another,
    raising,
    scope_of,
)

pytestmark = pytest.mark.anyio

# What is sent


async def test_a_read_is_sent_below_the_base_url_with_the_headers_of_configuration_request_and_credentials() -> None:
    upstream, wire = make_upstream(answering(), headers={"X-Tenant": "t", "X-Both": "configured"}, auth={"kind": "bearer", "token": "b1"})
    request = Request(operation="GetOrder", method="GET", path="/orders/1%2F2", query=(("a", "b c"),), headers={"x-both": "asked"})
    assert await upstream.read(request, make_scope()) == answer("{}")
    assert wire.requests == [
        WireRequest(
            method="GET",
            url="https://upstream.example/base/orders/1%2F2?a=b%20c",
            headers={
                "accept": "application/json",
                "user-agent": "invoice-gateway",
                "x-tenant": "t",
                "x-both": "asked",
                "authorization": "Bearer b1",
            },
            content=None,
            timeout_seconds=3,
            connect_timeout_seconds=1,
            max_answer_bytes=10_485_760,
        )
    ]


async def test_a_body_is_sent_as_json_and_says_so() -> None:
    upstream, wire = make_upstream(answering())
    await upstream.write(WRITE, make_scope())
    [sent] = wire.requests
    assert (sent.method, sent.content) == ("POST", b'{"number":"17"}')
    assert sent.headers["content-type"] == "application/json; charset=utf-8"


async def test_the_configured_bounds_go_down_to_the_wire() -> None:
    upstream, wire = make_upstream(answering(), timeout_seconds=7, connect_timeout_seconds=2, max_answer_bytes=2048)
    await upstream.read(READ, make_scope())
    [sent] = wire.requests
    assert (sent.timeout_seconds, sent.connect_timeout_seconds, sent.max_answer_bytes) == (7, 2, 2048)


async def test_a_call_that_nobody_shares_gets_what_is_left_of_the_deadline_when_that_is_less() -> None:
    clock = FakeClock()
    upstream, wire = make_upstream(answering(), clock)
    clock.advance(8.5)
    await upstream.read(READ, scope_of(1, is_fresh=True))
    await upstream.write(WRITE, make_scope(10))
    assert [sent.timeout_seconds for sent in wire.requests] == [1.5, 1.5]


async def test_a_read_that_others_may_join_is_not_cut_to_the_deadline_of_the_first() -> None:
    clock = FakeClock()
    upstream, wire = make_upstream(answering(), clock)
    clock.advance(8.5)
    await upstream.read(READ, make_scope(10))
    assert [sent.timeout_seconds for sent in wire.requests] == [3]


async def test_a_call_for_a_token_has_the_same_bounds_and_not_the_headers_of_the_source() -> None:
    upstream, wire = make_upstream(SignedUpstream(), auth=PASSWORD, headers={"x-tenant": "t"}, timeout_seconds=7)
    await upstream.read(READ, make_scope(2))
    token = wire.requests[0]
    assert (token.method, token.url, token.timeout_seconds) == ("POST", TOKEN_URL, 7)
    assert token.headers == {
        "user-agent": "invoice-gateway",
        "content-type": "application/x-www-form-urlencoded",
        "accept": "application/json",
    }


# Every status


async def test_every_status_that_a_read_does_not_ask_for_is_an_error_of_its_class() -> None:
    status = 100
    upstream, _ = make_upstream(lambda _request: answer("{}", status), retries=0)
    found: dict[type[UpstreamError], list[int]] = {}
    for status in range(100, 700):
        if status != 200:
            error = await error_of(upstream.read(READ, make_scope()))
            assert (error.source, error.operation, error.nothing_sent, error.retry_after) == ("src", "GetOrder", False, None)
            found.setdefault(type(error), []).append(status)
    assert found == {
        MalformedAnswer: [*range(100, 200), *range(201, 400)],
        UpstreamRejected: [status for status in range(400, 500) if status not in {401, 403, 429}],
        UpstreamAuthFailed: [401, 403],
        UpstreamRateLimited: [429],
        UpstreamUnavailable: list(range(500, 700)),
    }


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (204, "GetOrder: it answered 204, which its pages do not promise"),
        (302, "GetOrder: it answered 302, a redirect, which is not followed"),
        (401, "GetOrder: it answered 401"),
        (404, "GetOrder: it answered 404"),
        (429, "GetOrder: it answered 429"),
        (503, "GetOrder: it answered 503"),
    ],
)
async def test_the_message_of_a_status_says_which_it_was(status: int, message: str) -> None:
    upstream, _ = make_upstream(answering(status=status), retries=0)
    assert (await error_of(upstream.read(READ, make_scope()))).message == message


async def test_a_read_may_ask_for_other_statuses() -> None:
    upstream, _ = make_upstream(answering(status=404, body="none"))
    assert await upstream.read(READ, make_scope(), answers=(200, 404)) == answer("none", 404)


async def test_a_status_that_is_not_asked_for_is_an_error_even_when_it_is_a_success() -> None:
    upstream, _ = make_upstream(answering())
    assert type(await error_of(upstream.read(READ, make_scope(), answers=(204,)))) is MalformedAnswer


async def test_a_write_is_sent_once_for_every_status_and_gives_the_answer() -> None:
    status = 100
    upstream, wire = make_upstream(lambda _request: answer("{}", status))
    for status in range(100, 700):
        assert (await upstream.write(WRITE, make_scope())).status == status
        assert len(wire.requests) == 1
        wire.requests.clear()


# No answer


@pytest.mark.parametrize("nothing_sent", [True, False])
@pytest.mark.parametrize(
    ("kind", "expected"),
    [(WireTimeout, UpstreamTimeout), (WireFailed, UpstreamUnavailable)],
)
@pytest.mark.parametrize("is_write", [True, False])
async def test_a_call_without_answer_says_whether_anything_left(
    kind: type[WireError], expected: type[UpstreamError], *, nothing_sent: bool, is_write: bool
) -> None:
    upstream, wire = make_upstream(raising(kind("the connection was lost", nothing_sent=nothing_sent)), retries=0)
    error = await error_of(upstream.write(WRITE, make_scope()) if is_write else upstream.read(READ, make_scope()))
    operation = "CreateInvoice" if is_write else "GetOrder"
    assert type(error) is expected
    assert (error.message, error.source, error.operation) == (f"{operation}: the connection was lost", "src", operation)
    assert error.nothing_sent is nothing_sent
    assert len(wire.requests) == 1


async def test_an_answer_that_cannot_be_read_is_malformed_and_proves_nothing() -> None:
    upstream, _ = make_upstream(raising(AnswerUnreadable("the answer is larger than 10 bytes")))
    error = await error_of(upstream.write(WRITE, make_scope()))
    assert type(error) is MalformedAnswer
    assert (error.message, error.nothing_sent) == ("CreateInvoice: the answer is larger than 10 bytes", False)


async def test_a_source_makes_its_own_malformed_answers_in_the_same_form() -> None:
    upstream, _ = make_upstream(answering())
    error = upstream.malformed(READ, "Rows is no list")
    assert (error.message, error.source, error.operation) == ("GetOrder: Rows is no list", "src", "GetOrder")


# Retry-After


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("999999999", 999_999_999.0),
        ("9" * 400, None),
        ("9" * 5000, None),
        ("1.5", None),
        ("-3", None),
        ("²", None),
        ("soon", None),
        ("", None),
        ("Sun, 22 Nov 2026 12:01:30 GMT", 90.0),
        ("Sunday, 22-Nov-26 12:01:30 GMT", 90.0),
        ("Sun Nov 22 12:01:30 2026", 90.0),
        ("Sun, 22 Nov 2026 11:59:59 GMT", 0.0),
        ("Sun, 22 Nov 99999999 12:00:00 GMT", None),
        ("Sun, 22 Nov 2026 12:00:00 +9999999999999999999999", None),
    ],
)
@pytest.mark.parametrize(("status", "kind"), [(429, UpstreamRateLimited), (503, UpstreamUnavailable)])
async def test_retry_after_is_read_as_seconds_or_as_a_date(
    text: str, seconds: float | None, status: int, kind: type[UpstreamError]
) -> None:
    upstream, _ = make_upstream(answering(status=status, retry_after=text), retries=0)
    error = await error_of(upstream.read(READ, make_scope()))
    assert (type(error), error.retry_after) == (kind, seconds)
    assert error.extensions.get("retryAfter") == (None if seconds is None else round(seconds))


async def test_a_date_to_retry_after_counts_from_now() -> None:
    clock = FakeClock()
    date = format_datetime(clock.now() + timedelta(seconds=90), usegmt=True)
    upstream, _ = make_upstream(answering(status=429, retry_after=date), clock, retries=0)
    clock.advance(30)
    assert (await error_of(upstream.read(READ, make_scope(60)))).retry_after == 60


# Tokens


async def test_a_401_renews_the_token_once_and_repeats_the_read_once() -> None:
    handler = SignedUpstream()
    handler.refused = {"t1"}
    upstream, wire = make_upstream(handler, auth=PASSWORD)
    assert (await upstream.read(READ, make_scope())).status == 200
    assert calls(wire) == ["/Token -", "/orders/17?expand=rows Bearer t1", "/Token -", "/orders/17?expand=rows Bearer t2"]


async def test_a_second_401_is_an_error_of_authentication() -> None:
    handler = SignedUpstream(status=401)
    upstream, wire = make_upstream(handler, auth=PASSWORD)
    error = await error_of(upstream.read(READ, make_scope()))
    assert (type(error), error.message) == (UpstreamAuthFailed, "GetOrder: it answered 401")
    assert calls(wire) == ["/Token -", "/orders/17?expand=rows Bearer t1", "/Token -", "/orders/17?expand=rows Bearer t2"]


async def test_a_403_does_not_renew_the_token() -> None:
    upstream, wire = make_upstream(SignedUpstream(status=403), auth=PASSWORD)
    assert type(await error_of(upstream.read(READ, make_scope()))) is UpstreamAuthFailed
    assert calls(wire) == ["/Token -", "/orders/17?expand=rows Bearer t1"]


@pytest.mark.parametrize("auth", [{"kind": "bearer", "token": "b"}, {"kind": "basic", "username": "u", "password": "p"}, {"kind": "none"}])
async def test_a_401_is_not_repeated_with_credentials_that_cannot_change(auth: dict[str, object]) -> None:
    upstream, wire = make_upstream(answering(status=401), auth=auth)
    assert type(await error_of(upstream.read(READ, make_scope()))) is UpstreamAuthFailed
    assert len(wire.requests) == 1


async def test_reads_that_are_refused_together_renew_the_token_once() -> None:
    handler = SignedUpstream()
    handler.refused = {"t1"}
    all_are_there = asyncio.Event()
    arrived = 0

    async def meet(request: WireRequest) -> Response:
        nonlocal arrived
        response = handler(request)
        if response.status == 401:
            arrived += 1
            if arrived == 10:
                all_are_there.set()
            await all_are_there.wait()
        return response

    upstream, wire = make_upstream(meet, auth=PASSWORD)
    answers = await asyncio.gather(*(upstream.read(get(number), make_scope()) for number in range(10)))
    assert [response.status for response in answers] == [200] * 10
    assert handler.tokens == 2
    assert len(wire.requests) == 2 + 10 + 10


async def test_a_write_refused_with_401_is_not_repeated_and_the_next_one_has_a_new_token() -> None:
    handler = SignedUpstream()
    handler.refused = {"t1"}
    upstream, wire = make_upstream(handler, auth=PASSWORD)
    assert (await upstream.write(WRITE, make_scope())).status == 401
    assert (await upstream.write(WRITE, make_scope())).status == 200
    assert calls(wire) == ["/Token -", "/invoices Bearer t1", "/Token -", "/invoices Bearer t2"]


TOKEN_FAILURES: dict[str, tuple[Handler, type[UpstreamError], str]] = {
    "refused": (answering(status=400), UpstreamAuthFailed, "Token: signing in was refused"),
    "redirected": (answering(status=302), UpstreamAuthFailed, "Token: signing in was refused"),
    "too many": (answering(status=429, retry_after="20"), UpstreamRateLimited, "Token: it answered 429"),
    "down": (answering(status=503), UpstreamUnavailable, "Token: it answered 503"),
    "no token": (answering(body="<html>"), MalformedAnswer, "Token: the token cannot be read"),
    "lost": (raising(WireFailed("the connection was lost")), UpstreamUnavailable, "Token: the connection was lost"),
    "slow": (raising(WireTimeout("no answer in time")), UpstreamTimeout, "Token: no answer in time"),
    "huge": (raising(AnswerUnreadable("too large")), MalformedAnswer, "Token: too large"),
}


@pytest.mark.parametrize(("handler", "kind", "message"), TOKEN_FAILURES.values(), ids=list(TOKEN_FAILURES))
@pytest.mark.parametrize("is_write", [True, False])
async def test_without_a_token_nothing_is_sent_and_the_error_names_the_call_for_it(
    handler: Handler, kind: type[UpstreamError], message: str, *, is_write: bool
) -> None:
    upstream, wire = make_upstream(handler, auth=PASSWORD, retries=0)
    error = await error_of(upstream.write(WRITE, make_scope()) if is_write else upstream.read(READ, make_scope()))
    assert (type(error), error.message, error.operation) == (kind, message, "Token")
    assert [request.url for request in wire.requests] == [TOKEN_URL]
    if is_write:
        assert error.nothing_sent is True


async def test_a_401_is_repeated_in_the_same_attempt() -> None:
    handler = SignedUpstream()
    handler.refused = {"t1"}
    upstream, _ = make_upstream(handler, auth=PASSWORD, retries=0)
    assert (await upstream.read(READ, make_scope())).status == 200


async def test_a_read_asks_a_token_endpoint_that_is_down_again_and_then_tells_when_it_may_be_asked() -> None:
    upstream, wire = make_upstream(answering(status=503), FakeClock(), random=lambda: 0, auth=PASSWORD, retries=2)
    error = await error_of(upstream.read(READ, make_scope()))
    assert (type(error), error.message, error.retry_after) == (UpstreamUnavailable, "Token: it answered 503", 5)
    assert calls(wire) == ["/Token -"] * 2


async def test_a_read_waits_as_long_as_a_token_endpoint_asks_for() -> None:
    clock = FakeClock()
    pauses = Pauses(clock)
    signed = SignedUpstream()
    handler = one_after_another(answering(status=503, retry_after="2"), signed, signed)
    upstream, wire = make_upstream(handler, clock, sleep=pauses, auth=PASSWORD)
    assert (await upstream.read(READ, make_scope())).status == 200
    assert pauses.seconds == [2]
    assert calls(wire) == ["/Token -", "/Token -", "/orders/17?expand=rows Bearer t1"]


@pytest.mark.parametrize("is_write", [True, False])
async def test_signing_in_that_is_refused_again_and_again_tells_when_it_is_tried_next(*, is_write: bool) -> None:
    upstream, wire = make_upstream(answering(status=400), auth=PASSWORD)
    errors = [await error_of(upstream.write(WRITE, make_scope()) if is_write else upstream.read(READ, make_scope())) for _ in range(3)]
    assert [(type(error), error.retry_after) for error in errors] == [
        (UpstreamAuthFailed, None),
        (UpstreamAuthFailed, None),
        (UpstreamAuthFailed, 5),
    ]
    assert [error.nothing_sent for error in errors] == [True] * 3
    assert calls(wire) == ["/Token -"] * 2


@pytest.mark.parametrize("is_write", [True, False])
async def test_the_fourth_token_of_a_minute_is_not_asked_for_and_the_error_tells_when_it_will_be(*, is_write: bool) -> None:
    clock = FakeClock()
    handler = SignedUpstream()
    handler.life_seconds = 1
    upstream, wire = make_upstream(handler, clock, auth=PASSWORD)
    for _ in range(3):
        await upstream.read(READ, make_scope())
        clock.advance(2)
    error = await error_of(upstream.write(WRITE, make_scope()) if is_write else upstream.read(READ, make_scope()))
    assert (type(error), error.operation, error.retry_after, error.nothing_sent) == (UpstreamRateLimited, "Token", 54, True)
    assert (handler.tokens, len(wire.requests)) == (3, 6)


async def test_the_wait_of_a_token_endpoint_that_is_asked_too_often_is_passed_on() -> None:
    upstream, _ = make_upstream(answering(status=429, retry_after="20"), auth=PASSWORD)
    assert (await error_of(upstream.read(READ, make_scope()))).retry_after == 20


async def test_a_deadline_ends_the_wait_for_a_token_and_the_token_serves_the_next() -> None:
    gate = asyncio.Event()
    handler = SignedUpstream()

    async def slow(request: WireRequest) -> Response:
        if request.url == TOKEN_URL:
            await gate.wait()
        return handler(request)

    upstream, wire = make_upstream(slow, auth=PASSWORD)
    error = await error_of(upstream.write(WRITE, make_scope(SOON_SECONDS)))
    assert type(error) is UpstreamTimeout
    assert (error.message, error.nothing_sent) == ("CreateInvoice: no time was left to sign in", True)
    gate.set()
    await upstream.write(WRITE, make_scope())
    assert calls(wire) == ["/Token -", "/invoices Bearer t1"]


# Health


async def health_after(*handlers: Handler, scope: Scope | None = None) -> Health:
    upstream, _ = make_upstream(one_after_another(*handlers), retries=0)
    for _ in handlers:
        try:
            await upstream.read(READ, scope or make_scope())
        except UpstreamError:
            continue
    return upstream.health


async def test_an_upstream_that_was_not_called_is_not_checked() -> None:
    assert await health_after() == Health.NOT_CHECKED


@pytest.mark.parametrize("status", [200, 302, 401, 404, 429])
async def test_an_answer_below_500_is_an_answer(status: int) -> None:
    assert await health_after(answering(status=status)) == Health.UP


async def test_an_answer_that_cannot_be_read_is_an_answer_for_health() -> None:
    assert await health_after(raising(AnswerUnreadable("too large"))) == Health.UP


@pytest.mark.parametrize("handler", [answering(status=500), raising(WireFailed("lost")), raising(WireTimeout("slow"))])
async def test_a_5xx_and_a_call_without_answer_make_an_upstream_degraded_and_then_down(handler: Handler) -> None:
    assert await health_after(answering(), answering(), handler) == Health.DEGRADED
    assert await health_after(answering(), handler) == Health.DOWN


async def test_a_call_that_was_never_made_says_nothing_of_health() -> None:
    assert await health_after(answering(), scope=make_scope(0)) == Health.NOT_CHECKED


async def test_a_token_endpoint_that_is_down_makes_its_source_down() -> None:
    upstream, _ = make_upstream(answering(status=503), auth=PASSWORD, retries=0)
    await error_of(upstream.read(READ, make_scope()))
    assert upstream.health == Health.DOWN


# Secrets


FAILURES: dict[str, Handler] = {
    "401": answering(status=401, body="hush-answer", location="hush-answer"),
    "302": answering(status=302, body="hush-answer", location="https://hush-answer.example"),
    "400": answering(status=400, body="hush-answer"),
    "500": answering(status=500, body="hush-answer", retry_after="hush-answer"),
    "lost": raising(WireFailed("the connection was lost")),
}


@pytest.mark.parametrize("handler", FAILURES.values(), ids=list(FAILURES))
@pytest.mark.parametrize(
    "auth",
    [
        {"kind": "basic", "username": "u", "password": "hush-password"},
        {"kind": "header", "name": "x-key", "value": "hush-value"},
        {"kind": "bearer", "token": "hush-token"},
        PASSWORD,
        {"kind": "client_credentials", "token_url": "https://id.example/t", "client_id": "i", "client_secret": "hush-secret"},
    ],
    ids=lambda auth: str(auth["kind"]),
)
async def test_no_secret_and_no_word_of_the_upstream_gets_into_an_error(handler: Handler, auth: dict[str, object]) -> None:
    upstream, _ = make_upstream(handler, auth=auth, headers={"x-tenant": "hush-tenant"}, retries=0)
    request = Request(operation="GetOrder", method="GET", path="/orders/hush-path", query=(("q", "hush-query"),))
    error = await error_of(upstream.read(request, make_scope()))
    said = f"{error!s} {error!r} {error.args} {error.extensions} {vars(error)} {upstream!r}"
    assert "hush" not in said
    assert (error.__cause__, error.__suppress_context__ or error.__context__ is None) == (None, True)
