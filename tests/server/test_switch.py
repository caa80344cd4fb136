"""One application whose answers come from something new from one request to the next, and when connections are closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from gateway.server.switch import Serving, SwitchingApp

pytestmark = pytest.mark.anyio


class Line:
    """Can be closed once."""

    def __init__(self) -> None:
        self.closings = 0

    async def aclose(self) -> None:
        self.closings += 1


class Named:
    """Answers with its name, when it may."""

    def __init__(self, name: str, *, waits: bool = False) -> None:
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self._name = name
        if not waits:
            self.may_end.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.begun.set()
        await self.may_end.wait()
        await PlainTextResponse(self._name)(scope, receive, send)


class Process:
    """What is around: notes the lifespan, and may have something that goes on."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.settled = asyncio.Event()
        self.settled.set()

    @asynccontextmanager
    async def lifespan(self, app: SwitchingApp) -> AsyncIterator[None]:
        self.told.append("start")
        yield
        self.told.append("end")
        await app.aclose()

    async def until_settled(self) -> None:
        await self.settled.wait()


@asynccontextmanager
async def opened(process: Process, serving: Serving) -> AsyncIterator[tuple[SwitchingApp, httpx.AsyncClient]]:
    app = SwitchingApp(serving, process.lifespan, process.until_settled)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://g.example") as client,
    ):
        yield app, client


async def a_moment() -> None:
    """Let all go on that can."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_request_is_answered_by_what_serves_when_it_comes() -> None:
    async with opened(Process(), Serving(Named("old"), ())) as (app, client):
        first = await client.get("/")
        app.switch_to(Serving(Named("new"), ()))
        second = await client.get("/")

    assert (first.text, second.text) == ("old", "new")


async def test_a_request_in_hand_ends_with_what_it_began_with() -> None:
    old = Named("old", waits=True)
    async with opened(Process(), Serving(old, ())) as (app, client):
        asking = asyncio.ensure_future(client.get("/"))
        await old.begun.wait()
        app.switch_to(Serving(Named("new"), ()))
        meanwhile = await client.get("/")
        old.may_end.set()
        answer = await asking

    assert (meanwhile.text, answer.text) == ("new", "old")


async def test_connections_that_nobody_uses_any_more_are_closed_and_others_are_not() -> None:
    kept, gone = Line(), Line()
    async with opened(Process(), Serving(Named("old"), [kept, gone])) as (app, _):
        app.switch_to(Serving(Named("new"), [kept]))
        await a_moment()
        closed = (kept.closings, gone.closings)

    assert closed == (0, 1)
    assert (kept.closings, gone.closings) == (1, 1)


async def test_connections_are_closed_only_when_the_last_request_is_done() -> None:
    line, old = Line(), Named("old", waits=True)
    async with opened(Process(), Serving(old, [line])) as (app, client):
        asking = [asyncio.ensure_future(client.get("/")) for _ in range(2)]
        await old.begun.wait()
        app.switch_to(Serving(Named("new"), ()))
        asking[0].cancel()
        await a_moment()
        before = line.closings
        old.may_end.set()
        await asking[1]
        await a_moment()
        after = line.closings

    assert (before, after) == (0, 1)


async def test_connections_are_not_closed_while_something_that_was_begun_goes_on() -> None:
    line, process = Line(), Process()
    process.settled.clear()
    async with opened(process, Serving(Named("old"), [line])) as (app, _):
        app.switch_to(Serving(Named("new"), ()))
        await a_moment()
        before = line.closings
        process.settled.set()
        await a_moment()
        after = line.closings

    assert (before, after) == (0, 1)


async def test_connections_of_one_that_still_ends_are_not_closed_by_one_that_came_later() -> None:
    line, first = Line(), Named("first", waits=True)
    async with opened(Process(), Serving(first, [line])) as (app, client):
        asking = asyncio.ensure_future(client.get("/"))
        await first.begun.wait()
        app.switch_to(Serving(Named("second"), [line]))
        app.switch_to(Serving(Named("third"), ()))
        await a_moment()
        before = line.closings
        first.may_end.set()
        await asking
        await a_moment()
        after = line.closings

    assert (before, after) == (0, 1)


async def test_the_process_starts_and_ends_once_and_closes_what_is_still_used() -> None:
    process, line, old = Process(), Line(), Named("old", waits=True)
    async with opened(process, Serving(old, [line])) as (app, client):
        asking = asyncio.ensure_future(client.get("/"))
        await old.begun.wait()
        app.switch_to(Serving(Named("new"), ()))
        asking.cancel()

    assert (process.told, line.closings) == (["start", "end"], 1)
