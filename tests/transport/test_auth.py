from __future__ import annotations

import asyncio
import gc
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import pytest

from gateway.errors import UpstreamUnavailable
from gateway.settings import SourceSettings
from gateway.transport import Response
from gateway.transport.auth import TokenCredentials, TokenRefused, make_credentials
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


def make_token(endpoint: TokenEndpoint, clock: FakeClock | None = None) -> TokenCredentials:
    return TokenCredentials(url="https://id.example/token", form={"a": "b"}, prefix="Bearer", call=endpoint, clock=clock or FakeClock())


def unavailable() -> UpstreamUnavailable:
    return UpstreamUnavailable("Token: no connection", source="src", operation="Token")


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


@pytest.mark.parametrize(
    ("extra", "used_for"),
    [
        (', "expires_in": 3600', 3540),
        (', "expires_in": 1209599', 1209539),
        (', "expires_in": 120', 60),
        (', "expires_in": 100', 50),
        (', "expires_in": 90.5', 45.25),
        ("", 240),
        (', "expires_in": null', 240),
    ],
)
async def test_a_token_is_renewed_a_minute_before_it_expires_or_at_half_of_a_short_life(extra: str, used_for: float) -> None:
    clock = FakeClock()
    credentials = make_token(TokenEndpoint(extra), clock)
    await credentials.headers()
    clock.advance(used_for - 0.125)
    assert await credentials.headers() == {"authorization": "Bearer t1"}
    clock.advance(0.125)
    assert await credentials.headers() == {"authorization": "Bearer t2"}


@pytest.mark.parametrize("extra", [', "expires_in": 0', ', "expires_in": -5'])
async def test_a_token_that_has_expired_already_is_used_once(extra: str) -> None:
    credentials = make_token(TokenEndpoint(extra))
    assert [await credentials.headers() for _ in range(2)] == [{"authorization": "Bearer t1"}, {"authorization": "Bearer t2"}]


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
