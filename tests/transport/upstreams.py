"""Upstreams over a fake wire, and the answers they get."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from gateway.errors import UpstreamError
from gateway.settings import SourceSettings
from gateway.transport import Request, Response, Scope
from gateway.transport.gate import Sleep
from gateway.transport.http_upstream import HttpUpstream
from gateway.transport.wire import WireError, WireRequest
from tests.fakes import BASE_URL, FakeClock, FakeWire, answer, make_scope
from tests.transport.stepping import FakeSleep

READ = Request(operation="GetOrder", method="GET", path="/orders/17", query=(("expand", "rows"),))
WRITE = Request(operation="CreateInvoice", method="POST", path="/invoices", json={"number": "17"})
PASSWORD = {"kind": "password", "username": "u", "password": "hush-password"}
TOKEN_URL = f"{BASE_URL}/Token"
SOON_SECONDS = 0.01
"""Of real time: the one clock that a deadline which ends while a call is under way cannot be told."""
ENOUGH_TURNS = 30
"""Of the loop: more than any call takes to get to the wire."""
Handler = Callable[[WireRequest], Response | Awaitable[Response]]


class Pauses:
    """Sleeps in no time, on the clock, and keeps for how long."""

    def __init__(self, clock: FakeClock) -> None:
        self.seconds: list[float] = []
        self._clock = clock

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self._clock.advance(seconds)


class Time(FakeClock):
    """A clock on which others sleep until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.sleep = FakeSleep()

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        self.sleep.advance(seconds)


def make_upstream(
    handler: Handler,
    clock: FakeClock | None = None,
    *,
    sleep: Sleep | None = None,
    random: Callable[[], float] = lambda: 0.5,
    **settings: object,
) -> tuple[HttpUpstream, FakeWire]:
    wire = FakeWire(handler)
    clock = clock or Time()
    if sleep is None:
        sleep = clock.sleep if isinstance(clock, Time) else Pauses(clock)
    data: dict[str, Any] = {"system": "system", "base_url": f"{BASE_URL}/", **settings}
    return HttpUpstream("src", SourceSettings.model_validate(data), wire, clock, sleep=sleep, random=random), wire


def get(number: int) -> Request:
    return Request(operation="GetOrder", method="GET", path=f"/orders/{number}")


def scope_of(request_id: object, seconds: float = 10.0, *, is_fresh: bool = False) -> Scope:
    return Scope(str(request_id), deadline=make_scope(seconds).deadline, is_fresh=is_fresh)


async def settle() -> None:
    """Let all go as far as they can without time passing."""
    for _ in range(ENOUGH_TURNS):
        await asyncio.sleep(0)


def answering(*, status: int = 200, body: str = "{}", **headers: str) -> Handler:
    return lambda _request: answer(body, status, **{name.replace("_", "-"): value for name, value in headers.items()})


def raising(error: WireError) -> Handler:
    def handle(_request: WireRequest) -> Response:
        raise error

    return handle


def one_after_another(*handlers: Handler) -> Handler:
    waiting = iter(handlers)

    def handle(request: WireRequest) -> Response | Awaitable[Response]:
        return next(waiting)(request)

    return handle


class SignedUpstream:
    """Gives tokens `t1`, `t2`, ... and answers other calls with `status`, or 401 for tokens that are `refused`."""

    def __init__(self, *, status: int = 200) -> None:
        self.status = status
        self.tokens = 0
        self.life_seconds = 3600
        self.refused: set[str] = set()

    def __call__(self, request: WireRequest) -> Response:
        if request.url == TOKEN_URL:
            self.tokens += 1
            return answer(f'{{"access_token": "t{self.tokens}", "expires_in": {self.life_seconds}}}')
        return answer("{}", 401 if request.headers["authorization"].removeprefix("Bearer ") in self.refused else self.status)


def calls(wire: FakeWire) -> list[str]:
    """Give what was sent: the path below the base, and the token it was signed with."""
    return [f"{request.url.removeprefix(BASE_URL)} {request.headers.get('authorization', '-')}" for request in wire.requests]


async def error_of(call: Awaitable[Response]) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        await call
    return caught.value


class Held:
    """Keeps calls until `end`, and counts how many are there at once, and how many were cancelled there."""

    def __init__(self) -> None:
        self.inside = self.most = self.cancelled = 0
        self._ended = asyncio.Event()
        self._answer = answer("{}")

    async def __call__(self, _request: WireRequest) -> Response:
        self.inside += 1
        self.most = max(self.most, self.inside)
        try:
            await self._ended.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.inside -= 1
        return self._answer

    def end(self, status: int = 200, **headers: str) -> None:
        """Answer those who are there, and whoever comes, with this."""
        self._answer = answer("{}", status, **{name.replace("_", "-"): value for name, value in headers.items()})
        self._ended.set()
