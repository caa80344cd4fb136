from __future__ import annotations

import asyncio
import gc
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gateway.errors import UpstreamError, UpstreamRateLimited, UpstreamUnavailable
from gateway.settings import ClientCredentialsAuth, SourceSettings
from gateway.transport import Response
from gateway.transport.auth import TokenCall, TokenCredentials, TokenRefused, TokenTooSoon, make_credentials
from gateway.transport.pace import Pace, Paces
from tests.fakes import FakeClock, answer

pytestmark = pytest.mark.anyio

FORM = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}


class TokenEndpoint:
    """Answers token calls with `t1`, `t2`, ... unless told otherwise; with `gate` closed it keeps them waiting."""

    def __init__(self, extra: str = ', "expires_in": 3600', *, is_open: bool = True) -> None:
        self.calls: list[tuple[str, Mapping[str, str], bytes]] = []
        self.gate = asyncio.Event()
        self.asked = asyncio.Event()
        self.failure: Exception | None = None
        self.answer: Response | None = None
        self._extra = extra
        if is_open:
            self.gate.set()

    async def __call__(self, url: str, headers: Mapping[str, str], content: bytes) -> Response:
        self.calls.append((url, headers, content))
        number = len(self.calls)
        self.asked.set()
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return self.answer or answer(f'{{"access_token": "t{number}"{self._extra}}}')


def make_token(call: TokenCall, clock: FakeClock | None = None) -> TokenCredentials:
    used = clock or FakeClock()
    return TokenCredentials(url="https://id.example/token", form={"a": "b"}, prefix="Bearer", call=call, clock=used, pace=Pace(used))


def unavailable(retry_after: float | None = None) -> UpstreamUnavailable:
    return UpstreamUnavailable("Token: no connection", source="src", operation="Token", retry_after=retry_after)


def too_many(retry_after: float | None = None) -> UpstreamRateLimited:
    return UpstreamRateLimited("Token: it answered 429", source="src", operation="Token", retry_after=retry_after)


async def token_of(credentials: TokenCredentials) -> str:
    """Ask for the token, and let a renewal end that this began."""
    before = asyncio.all_tasks()
    headers = await credentials.headers()
    begun = asyncio.all_tasks() - before
    if begun:
        await asyncio.wait(begun)
    return headers["authorization"].removeprefix("Bearer ")


async def failure_of(credentials: TokenCredentials) -> tuple[type[Exception], float | None]:
    """Give what an asker gets for an answer: the error, and when to ask again."""
    with pytest.raises((UpstreamError, TokenRefused)) as caught:
        await credentials.headers()
    assert isinstance(caught.value, (UpstreamError, TokenRefused))
    return type(caught.value), caught.value.retry_after


async def from_settings(auth: Mapping[str, object], endpoint: TokenEndpoint | None = None) -> Mapping[str, str]:
    """Give the headers that an `auth` table leads to."""
    data: dict[str, Any] = {"system": "system", "base_url": "https://upstream.example/base/", "auth": auth}
    settings = SourceSettings.model_validate(data)
    credentials = make_credentials(settings.auth, base_url=settings.base_url, call=endpoint or TokenEndpoint(), clock=FakeClock())
    return await credentials.headers()


# Fixed credentials


@pytest.mark.parametrize(
    ("auth", "headers"),
    [
        ({"kind": "none"}, {}),
        ({"kind": "basic", "username": "Aladdin", "password": "open sesame"}, {"authorization": "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}),
        ({"kind": "basic", "username": "å", "password": "ß:"}, {"authorization": "Basic w6U6w586"}),
        ({"kind": "header", "name": "X-Api-Key", "value": "k1"}, {"x-api-key": "k1"}),
        ({"kind": "bearer", "token": "b1"}, {"authorization": "Bearer b1"}),
    ],
)
async def test_fixed_credentials_sign_with_their_header(auth: dict[str, object], headers: dict[str, str]) -> None:
    assert await from_settings(auth) == headers


def test_there_are_no_others_when_fixed_credentials_are_refused() -> None:
    settings = SourceSettings.model_validate({"system": "system", "base_url": "https://upstream.example"})
    credentials = make_credentials(settings.auth, base_url=settings.base_url, call=TokenEndpoint(), clock=FakeClock())
    assert credentials.reject({}) is False


# The call for a token


async def test_a_password_is_exchanged_for_a_token_below_the_base_url() -> None:
    endpoint = TokenEndpoint()
    auth = {"kind": "password", "username": "u ser", "password": "p&=ö"}
    assert await from_settings(auth, endpoint) == {"authorization": "Bearer t1"}
    [(url, headers, content)] = endpoint.calls
    assert (url, headers) == ("https://upstream.example/base/Token", FORM)
    assert content == b"grant_type=password&userName=u+ser&password=p%26%3D%C3%B6"


async def test_the_names_of_a_password_form_can_be_configured() -> None:
    endpoint = TokenEndpoint()
    auth = {
        "kind": "password",
        "token_path": "/oauth/token?x=1",
        "username": "u",
        "password": "p",
        "username_field": "user",
        "password_field": "secret",
        "grant_type": "pw",
        "header_prefix": "Token",
    }
    assert await from_settings(auth, endpoint) == {"authorization": "Token t1"}
    assert (endpoint.calls[0][0], endpoint.calls[0][2]) == (
        "https://upstream.example/base/oauth/token?x=1",
        b"grant_type=pw&user=u&secret=p",
    )


@pytest.mark.parametrize(("scope", "more"), [({}, []), ({"scope": "prod"}, [("scope", "prod")])])
async def test_client_credentials_go_in_the_form(scope: dict[str, str], more: list[tuple[str, str]]) -> None:
    endpoint = TokenEndpoint()
    auth = {"kind": "client_credentials", "token_url": "https://id.example/token", "client_id": "id", "client_secret": "s+1", **scope}
    assert await from_settings(auth, endpoint) == {"authorization": "Bearer t1"}
    assert endpoint.calls[0][:2] == ("https://id.example/token", FORM)
    form = parse_qsl(endpoint.calls[0][2].decode())
    assert form == [("grant_type", "client_credentials"), ("client_id", "id"), ("client_secret", "s+1"), *more]


# One for all


async def test_all_who_wait_share_one_token_call() -> None:
    endpoint = TokenEndpoint(is_open=False)
    credentials = make_token(endpoint)
    waiters = [asyncio.create_task(credentials.headers()) for _ in range(20)]
    await endpoint.asked.wait()
    endpoint.gate.set()
    assert await asyncio.gather(*waiters) == [{"authorization": "Bearer t1"}] * 20
    assert len(endpoint.calls) == 1


async def test_all_who_wait_share_its_failure_and_the_next_asks_anew() -> None:
    endpoint = TokenEndpoint(is_open=False)
    endpoint.failure = unavailable()
    credentials = make_token(endpoint)
    waiters = [asyncio.create_task(credentials.headers()) for _ in range(20)]
    await endpoint.asked.wait()
    endpoint.gate.set()
    assert await asyncio.gather(*waiters, return_exceptions=True) == [endpoint.failure] * 20
    assert len(endpoint.calls) == 1
    endpoint.failure = None
    assert await credentials.headers() == {"authorization": "Bearer t2"}


async def test_a_waiter_who_leaves_does_not_take_the_token_from_the_others() -> None:
    endpoint = TokenEndpoint(is_open=False)
    credentials = make_token(endpoint)
    first, second = (asyncio.create_task(credentials.headers()) for _ in range(2))
    await endpoint.asked.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    endpoint.gate.set()
    assert await second == {"authorization": "Bearer t1"}
    assert len(endpoint.calls) == 1


async def test_a_token_that_nobody_waits_for_any_more_serves_the_next() -> None:
    endpoint = TokenEndpoint(is_open=False)
    credentials = make_token(endpoint)
    waiter = asyncio.create_task(credentials.headers())
    await endpoint.asked.wait()
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    endpoint.gate.set()
    assert await credentials.headers() == {"authorization": "Bearer t1"}
    assert len(endpoint.calls) == 1


async def test_a_failure_that_nobody_waits_for_is_not_reported_as_forgotten() -> None:
    forgotten: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    handler = loop.get_exception_handler()
    loop.set_exception_handler(lambda _loop, context: forgotten.append(context))
    endpoint = TokenEndpoint(is_open=False)
    endpoint.failure = unavailable()
    before = asyncio.all_tasks()
    waiter = asyncio.create_task(make_token(endpoint).headers())
    await endpoint.asked.wait()
    waiter.cancel()
    endpoint.gate.set()
    await asyncio.wait(asyncio.all_tasks() - before)
    del waiter
    gc.collect()
    loop.set_exception_handler(handler)
    assert forgotten == []


# How long a token is used


LIVES = [
    (', "expires_in": 3600', 3300, 3600),
    (', "expires_in": "3600"', 3300, 3600),
    (', "expires_in": 1209599', 1209299, 1209599),
    (', "expires_in": 600', 300, 600),
    (', "expires_in": 120', 60, 120),
    (', "expires_in": 90.5', 45.25, 90.5),
    (', "expires_in": 0.25', 0.125, 0.25),
    # What is no life is as if it were not said.
    ("", 150, 300),
    (', "expires_in": null', 150, 300),
    (', "expires_in": 0', 150, 300),
    (', "expires_in": -5', 150, 300),
    (', "expires_in": -1e300', 150, 300),
]


@pytest.mark.parametrize(("extra", "due", "_life"), LIVES)
async def test_a_token_is_renewed_five_minutes_before_it_expires_or_at_half_of_a_short_life(extra: str, due: float, _life: float) -> None:
    clock = FakeClock()
    credentials = make_token(TokenEndpoint(extra), clock)
    assert await token_of(credentials) == "t1"
    clock.advance(due - 0.0625)
    assert [await token_of(credentials) for _ in range(2)] == ["t1", "t1"]
    clock.advance(0.0625)
    assert [await token_of(credentials) for _ in range(2)] == ["t1", "t2"]


@pytest.mark.parametrize(("extra", "_due", "life"), LIVES)
async def test_a_token_that_has_expired_is_not_used(extra: str, _due: float, life: float) -> None:
    clock = FakeClock()
    credentials = make_token(TokenEndpoint(extra), clock)
    await credentials.headers()
    clock.advance(life)
    assert await credentials.headers() == {"authorization": "Bearer t2"}


async def test_a_token_may_live_for_ever() -> None:
    clock = FakeClock()
    credentials = make_token(TokenEndpoint(', "expires_in": 1e300'), clock)
    await token_of(credentials)
    clock.advance(3_000_000_000)
    assert [await token_of(credentials) for _ in range(2)] == ["t1", "t1"]


async def test_the_life_of_a_token_is_counted_from_its_request() -> None:
    clock, endpoint = FakeClock(), TokenEndpoint(', "expires_in": 100', is_open=False)
    credentials = make_token(endpoint, clock)
    waiter = asyncio.create_task(credentials.headers())
    await endpoint.asked.wait()
    clock.advance(10)
    endpoint.gate.set()
    await waiter
    clock.advance(90)
    assert await credentials.headers() == {"authorization": "Bearer t2"}


# Renewed while the old one serves


async def test_nobody_waits_while_a_token_that_serves_is_renewed() -> None:
    clock, endpoint = FakeClock(), TokenEndpoint()
    credentials = make_token(endpoint, clock)
    await credentials.headers()
    clock.advance(3300)
    endpoint.gate.clear()
    endpoint.asked.clear()
    assert [await credentials.headers() for _ in range(20)] == [{"authorization": "Bearer t1"}] * 20
    await endpoint.asked.wait()
    assert await credentials.headers() == {"authorization": "Bearer t1"}
    assert len(endpoint.calls) == 2


async def test_who_comes_after_the_old_one_expired_waits_for_the_renewal_under_way() -> None:
    clock, endpoint = FakeClock(), TokenEndpoint()
    credentials = make_token(endpoint, clock)
    await credentials.headers()
    clock.advance(3300)
    endpoint.gate.clear()
    await credentials.headers()
    clock.advance(300)
    waiters = [asyncio.create_task(credentials.headers()) for _ in range(20)]
    endpoint.asked.clear()
    await endpoint.asked.wait()
    endpoint.gate.set()
    assert await asyncio.gather(*waiters) == [{"authorization": "Bearer t2"}] * 20
    assert len(endpoint.calls) == 2


@pytest.mark.parametrize("failure", [unavailable(), too_many(), TokenRefused(malformed=False)], ids=lambda failure: type(failure).__name__)
async def test_a_renewal_that_fails_leaves_the_old_token_until_it_expires_and_is_tried_again(failure: Exception) -> None:
    clock, endpoint = FakeClock(), TokenEndpoint()
    credentials = make_token(endpoint, clock)
    await credentials.headers()
    clock.advance(3300)
    endpoint.failure = failure
    assert await token_of(credentials) == "t1"
    assert len(endpoint.calls) == 2
    clock.advance(60)
    assert await token_of(credentials) == "t1"
    assert len(endpoint.calls) == 3
    endpoint.failure = None
    clock.advance(60)
    assert [await token_of(credentials) for _ in range(2)] == ["t1", "t4"]


async def test_who_has_no_token_any_more_gets_the_failure_of_its_renewal() -> None:
    clock, endpoint = FakeClock(), TokenEndpoint()
    credentials = make_token(endpoint, clock)
    await credentials.headers()
    endpoint.failure = unavailable()
    clock.advance(3600)
    assert await failure_of(credentials) == (UpstreamUnavailable, None)


async def test_a_renewal_that_nobody_waits_for_leaves_a_request_to_those_who_will() -> None:
    clock, endpoint = FakeClock(), TokenEndpoint(', "expires_in": 8')
    credentials = make_token(endpoint, clock)
    assert await token_of(credentials) == "t1"
    clock.advance(4)
    assert [await token_of(credentials) for _ in range(2)] == ["t1", "t2"]
    clock.advance(4)
    assert [await token_of(credentials) for _ in range(2)] == ["t2", "t2"]
    clock.advance(4)
    assert await token_of(credentials) == "t3"
    assert len(endpoint.calls) == 3


# Refused tokens


async def test_a_refused_token_is_replaced() -> None:
    credentials = make_token(TokenEndpoint())
    refused = await credentials.headers()
    assert credentials.reject(refused) is True
    assert await credentials.headers() == {"authorization": "Bearer t2"}


async def test_a_late_refusal_of_an_old_token_does_not_drop_the_new_one() -> None:
    endpoint = TokenEndpoint()
    credentials = make_token(endpoint)
    old = await credentials.headers()
    credentials.reject(old)
    new = await credentials.headers()
    assert credentials.reject(old) is True
    assert await credentials.headers() == new
    assert len(endpoint.calls) == 2


async def test_all_whose_token_was_refused_share_one_renewal() -> None:
    endpoint = TokenEndpoint()
    credentials = make_token(endpoint)
    refused = await credentials.headers()

    async def repeat() -> Mapping[str, str]:
        assert credentials.reject(refused) is True
        return await credentials.headers()

    assert await asyncio.gather(*(repeat() for _ in range(20))) == [{"authorization": "Bearer t2"}] * 20
    assert len(endpoint.calls) == 2


async def test_a_new_token_that_is_refused_too_is_kept_and_not_replaced_at_once() -> None:
    clock, endpoint = FakeClock(), TokenEndpoint()
    credentials = make_token(endpoint, clock)
    credentials.reject(await credentials.headers())
    new = await credentials.headers()
    clock.advance(29.75)
    assert [credentials.reject(new) for _ in range(20)] == [False] * 20
    assert await credentials.headers() == new
    assert len(endpoint.calls) == 2


async def test_a_token_that_is_refused_half_a_minute_later_is_replaced_again() -> None:
    clock, endpoint = FakeClock(), TokenEndpoint()
    credentials = make_token(endpoint, clock)
    credentials.reject(await credentials.headers())
    new = await credentials.headers()
    clock.advance(30)
    assert credentials.reject(new) is True
    assert await credentials.headers() == {"authorization": "Bearer t3"}


async def test_a_new_token_that_is_the_refused_one_again_is_not_asked_for_again() -> None:
    endpoint = TokenEndpoint()
    endpoint.answer = answer('{"access_token": "same"}')
    credentials = make_token(endpoint)
    credentials.reject(await credentials.headers())
    assert credentials.reject(await credentials.headers()) is False
    assert len(endpoint.calls) == 2


async def test_a_token_that_was_renewed_in_time_is_replaced_when_it_is_refused() -> None:
    clock = FakeClock()
    credentials = make_token(TokenEndpoint(), clock)
    credentials.reject(await credentials.headers())
    await credentials.headers()
    clock.advance(3600)
    assert credentials.reject(await credentials.headers()) is True
    assert await credentials.headers() == {"authorization": "Bearer t4"}


async def test_a_token_that_is_refused_is_kept_for_other_calls_while_no_other_may_be_asked_for() -> None:
    clock, endpoint = FakeClock(), TokenEndpoint()
    credentials = make_token(endpoint, clock)
    held = await credentials.headers()
    clock.advance(3300)
    endpoint.failure = too_many(30)
    await token_of(credentials)
    endpoint.failure = None
    assert (credentials.reject(held), await credentials.headers()) == (False, held)
    assert len(endpoint.calls) == 2
    clock.advance(30)
    assert credentials.reject(held) is True
    assert await credentials.headers() == {"authorization": "Bearer t3"}


async def test_a_late_refusal_after_the_renewal_failed_tells_that_failure() -> None:
    endpoint = TokenEndpoint()
    credentials = make_token(endpoint)
    refused = await credentials.headers()
    credentials.reject(refused)
    endpoint.failure = too_many(30)
    assert await failure_of(credentials) == (UpstreamRateLimited, 30)
    assert credentials.reject(refused) is True
    assert await failure_of(credentials) == (UpstreamRateLimited, 30)
    assert len(endpoint.calls) == 2


async def test_a_token_that_is_refused_while_it_is_renewed_waits_for_that_renewal() -> None:
    clock, endpoint = FakeClock(), TokenEndpoint()
    credentials = make_token(endpoint, clock)
    old = await credentials.headers()
    clock.advance(3300)
    endpoint.gate.clear()
    await credentials.headers()
    credentials.reject(old)
    waiter = asyncio.create_task(credentials.headers())
    endpoint.asked.clear()
    await endpoint.asked.wait()
    endpoint.gate.set()
    new = await waiter
    assert (new, credentials.reject(new)) == ({"authorization": "Bearer t2"}, False)
    assert len(endpoint.calls) == 2


# The pace of the endpoint


async def test_the_fourth_token_within_a_minute_is_not_asked_for_and_the_error_says_when() -> None:
    clock, endpoint = FakeClock(), TokenEndpoint(', "expires_in": 1')
    credentials = make_token(endpoint, clock)
    for number in (1, 2, 3):
        assert await credentials.headers() == {"authorization": f"Bearer t{number}"}
        clock.advance(1)
    assert await failure_of(credentials) == (TokenTooSoon, 57)
    assert len(endpoint.calls) == 3
    clock.advance(57)
    assert await credentials.headers() == {"authorization": "Bearer t4"}


async def test_an_upstream_that_refuses_every_token_costs_two_token_requests_a_minute() -> None:
    clock, endpoint = FakeClock(), TokenEndpoint()
    credentials = make_token(endpoint, clock)
    asked: list[int] = []
    for second in range(121):
        if credentials.reject(await credentials.headers()):
            await credentials.headers()
        asked += [second] * (len(endpoint.calls) - len(asked))
        clock.advance(1)
    assert asked == [0, 0, 30, 60, 90, 120]


async def test_a_failed_request_is_followed_by_one_at_once_and_then_by_longer_and_longer_pauses() -> None:
    clock, endpoint = FakeClock(), TokenEndpoint()
    endpoint.failure = unavailable()
    credentials = make_token(endpoint, clock)
    asked: list[int] = []
    for second in range(181):
        while (await failure_of(credentials))[1] is None:
            asked.append(second)
        clock.advance(1)
    assert asked == [0, 0, 5, 60, 90, 120, 150, 180]
    assert len(endpoint.calls) == len(asked)


async def test_until_then_askers_get_the_last_failure_at_once_and_when_to_ask_again() -> None:
    clock, endpoint = FakeClock(), TokenEndpoint()
    endpoint.failure = unavailable()
    credentials = make_token(endpoint, clock)
    assert [await failure_of(credentials) for _ in range(2)] == [(UpstreamUnavailable, None)] * 2
    clock.advance(2)
    with pytest.raises(UpstreamUnavailable) as caught:
        await credentials.headers()
    said = caught.value
    assert said is not endpoint.failure
    assert (said.message, said.source, said.operation) == ("Token: no connection", "src", "Token")
    assert (said.retry_after, said.nothing_sent) == (3, True)
    assert len(endpoint.calls) == 2


@pytest.mark.parametrize(("status", "body", "malformed"), [(401, b"", False), (200, b"<html>", True)])
async def test_a_refusal_is_said_again_as_what_it_was(status: int, body: bytes, *, malformed: bool) -> None:
    endpoint = TokenEndpoint()
    endpoint.answer = answer(body, status)
    credentials = make_token(endpoint)
    said = []
    for _ in range(3):
        with pytest.raises(TokenRefused) as caught:
            await credentials.headers()
        said.append((type(caught.value), caught.value.malformed, caught.value.retry_after))
    assert said == [(TokenRefused, malformed, None), (TokenRefused, malformed, None), (TokenRefused, malformed, 5)]
    assert len(endpoint.calls) == 2


async def test_a_token_that_came_ends_the_pauses() -> None:
    clock, endpoint = FakeClock(), TokenEndpoint(', "expires_in": 30')
    endpoint.failure = unavailable()
    credentials = make_token(endpoint, clock)
    await failure_of(credentials)
    await failure_of(credentials)
    clock.advance(5)
    endpoint.failure = None
    assert await credentials.headers() == {"authorization": "Bearer t3"}
    clock.advance(60)
    endpoint.failure = unavailable()
    assert [await failure_of(credentials) for _ in range(3)] == [
        (UpstreamUnavailable, None),
        (UpstreamUnavailable, None),
        (UpstreamUnavailable, 5),
    ]


@pytest.mark.parametrize(
    ("failure", "seconds"),
    [(too_many(7), 7), (too_many(90), 90), (too_many(), 20), (too_many(0), None), (unavailable(9), 9), (too_many(999_999_999), 3600)],
)
async def test_an_endpoint_that_asks_not_to_be_asked_is_not_asked_until_then(failure: UpstreamError, seconds: float | None) -> None:
    clock, endpoint = FakeClock(), TokenEndpoint()
    endpoint.failure = failure
    credentials = make_token(endpoint, clock)
    await failure_of(credentials)
    endpoint.failure = None
    if seconds is not None:
        assert await failure_of(credentials) == (type(failure), seconds)
        clock.advance(seconds - 0.25)
        assert await failure_of(credentials) == (type(failure), 0.25)
        clock.advance(0.25)
    assert len(endpoint.calls) == 1
    assert await credentials.headers() == {"authorization": "Bearer t2"}


async def test_who_got_a_429_without_a_wait_is_told_ours() -> None:
    endpoint = TokenEndpoint()
    endpoint.failure = too_many()
    assert await failure_of(make_token(endpoint)) == (UpstreamRateLimited, 20)


async def test_a_form_that_has_changed_when_it_was_refused_waits_for_the_pace_too() -> None:
    clock, endpoint, forms = FakeClock(), TokenEndpoint(), iter([{"a": "2"}])
    endpoint.answer = answer("{}", 400)
    credentials = TokenCredentials(
        url="https://id.example/token",
        form={"a": "1"},
        prefix="Bearer",
        call=endpoint,
        clock=clock,
        pace=(pace := Pace(clock)),
        form_again=lambda: next(forms, {"a": "2"}),
    )
    pace.take()
    pace.take()

    assert await failure_of(credentials) == (TokenRefused, 60)
    endpoint.answer = None
    clock.advance(60)
    token = await token_of(credentials)

    assert ([content for *_, content in endpoint.calls], token) == ([b"a=1", b"a=2"], "t2")


async def test_sources_that_sign_in_at_one_endpoint_share_its_pace() -> None:
    clock, endpoint = FakeClock(), TokenEndpoint()
    paces = Paces(clock)

    def sign_in(token_url: str) -> TokenCredentials:
        auth = ClientCredentialsAuth.model_validate(
            {"kind": "client_credentials", "token_url": token_url, "client_id": "i", "client_secret": "s"}
        )
        made = make_credentials(auth, base_url="https://upstream.example", call=endpoint, clock=clock, paces=paces)
        assert isinstance(made, TokenCredentials)
        return made

    for _ in range(3):
        await sign_in("https://id.example/token").headers()
    with pytest.raises(TokenTooSoon) as caught:
        await sign_in("https://id.example/token").headers()
    assert caught.value.retry_after == 60
    assert await sign_in("https://other.example/token").headers() == {"authorization": "Bearer t4"}


# Answers that are no token


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"<html>",
        b'{"access_token": "t1"',
        b'{"token": "t1"}',
        b'{"access_token": null}',
        b'{"access_token": 1}',
        b'{"access_token": ""}',
        b'{"access_token": "a b"}',
        b'{"access_token": "a\\r\\nx-admin: 1"}',
        b'{"access_token": "\\u00e5"}',
        b'{"access_token": "\xff"}',
        b'{"access_token": "t1", "expires_in": "soon"}',
        b'{"access_token": "t1", "expires_in": NaN}',
        b'{"access_token": "t1", "expires_in": 1e999}',
        b'{"access_token": "t1", "expires_in": "NaN"}',
        b'{"access_token": "t1", "expires_in": "inf"}',
        b'{"access_token": "t1", "expires_in": "-Infinity"}',
        b'{"access_token": "t1", "expires_in": true}',
        b'{"access_token": "t1", "expires_in": [3600]}',
        b'{"access_token": "t1", "more": ' + b"[" * 100_000,
    ],
)
async def test_an_answer_that_is_no_token_is_malformed_and_is_not_kept(body: bytes) -> None:
    endpoint = TokenEndpoint()
    endpoint.answer = answer(body)
    credentials = make_token(endpoint)
    with pytest.raises(TokenRefused) as caught:
        await credentials.headers()
    assert caught.value.malformed is True
    endpoint.answer = None
    assert await credentials.headers() == {"authorization": "Bearer t2"}


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404])
async def test_any_other_status_is_a_refusal(status: int) -> None:
    endpoint = TokenEndpoint()
    endpoint.answer = answer('{"access_token": "t1"}', status)
    with pytest.raises(TokenRefused) as caught:
        await make_token(endpoint).headers()
    assert caught.value.malformed is False


async def test_a_token_answer_may_say_more_than_is_read() -> None:
    endpoint = TokenEndpoint(', "token_type": "bearer", "expires_in": 3600, "scope": ["a"], ".issued": "x"')
    assert await make_token(endpoint).headers() == {"authorization": "Bearer t1"}


# Secrets


@pytest.mark.parametrize(
    "body", [b'{"access_token": "hush', b'{"access_token": "hush", "expires_in": "x"}', b'{"access_token": "hush\xff"}']
)
async def test_no_token_is_in_what_errors_and_credentials_say_of_themselves(body: bytes) -> None:
    endpoint = TokenEndpoint()
    credentials = make_token(endpoint)
    endpoint.answer = answer(body)
    with pytest.raises(TokenRefused) as caught:
        await credentials.headers()
    endpoint.answer = answer('{"access_token": "hush"}')
    assert await credentials.headers() == {"authorization": "Bearer hush"}
    said = f"{caught.value!r} {caught.value} {vars(caught.value)} {caught.value.__cause__!r} {caught.value.__context__!r} {credentials!r}"
    assert "hush" not in said


# The laws, whatever happens


class RenewalOfAToken(RuleBasedStateMachine):
    """An endpoint of any mood, asked in any order; what was asked of it is kept with its time."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = FakeClock()
        self.credentials = make_token(self._answer, self.clock)
        self.asked: list[float] = []
        self.lives: list[float] = []
        self.failure: UpstreamError | None = None
        self.life = 3600.0
        self.rejected: set[str] = set()
        self.last = ""

    async def _answer(self, _url: str, _headers: Mapping[str, str], _content: bytes) -> Response:
        self.asked.append(self.clock.monotonic())
        self.lives.append(self.life)
        if self.failure is not None:
            raise self.failure
        return answer(f'{{"access_token": "{len(self.asked)}", "expires_in": {self.life}}}')

    @rule(eighths=st.integers(0, 80) | st.integers(0, 40_000))
    def time_passes(self, eighths: int) -> None:
        self.clock.advance(eighths / 8)

    @rule(failure=st.none() | st.builds(too_many, st.none() | st.integers(0, 100)) | st.just(unavailable()))
    def the_endpoint_changes_its_mood(self, failure: UpstreamError | None) -> None:
        self.failure = failure

    @rule(life=st.sampled_from([1.0, 10.0, 100.0, 3600.0]))
    def tokens_live(self, life: float) -> None:
        self.life = life

    @rule(callers=st.integers(1, 3))
    def callers_ask(self, callers: int) -> None:
        made = len(self.asked)
        answers = self.runner.run(self._ask(callers))
        assert len(self.asked) - made <= 1
        for token in answers:
            if isinstance(token, BaseException):
                assert isinstance(token, (UpstreamError, TokenTooSoon))
            else:
                self._check(token, made)

    async def _ask(self, callers: int) -> list[str | BaseException]:
        return await asyncio.gather(*(token_of(self.credentials) for _ in range(callers)), return_exceptions=True)

    def _check(self, token: str, made: int) -> None:
        number = int(token)
        is_new = number > made
        assert is_new or self.clock.monotonic() < self.asked[number - 1] + self.lives[number - 1]
        assert token not in self.rejected
        self.last = token

    @rule()
    def the_upstream_refuses_the_last(self) -> None:
        if self.last and self.credentials.reject({"authorization": f"Bearer {self.last}"}):
            self.rejected.add(self.last)

    @invariant()
    def no_minute_has_more_than_three_requests(self) -> None:
        assert all(later - earlier >= 60 for earlier, later in zip(self.asked, self.asked[3:], strict=False))

    def teardown(self) -> None:
        self.runner.close()


TestRenewalOfAToken = RenewalOfAToken.TestCase
