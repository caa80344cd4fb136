"""Overload: how many requests are taken at once, what the next is told, and when the process says that it is unready."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

import httpx
import pytest

from gateway.errors import Overloaded
from gateway.model import Kind, Ref
from gateway.server import Load
from gateway.transport import Response
from gateway.transport.wire import WireRequest
from tests.fakes import FakeClock, answer
from tests.server.conftest import SOURCE, Opener

pytestmark = pytest.mark.anyio

DOCUMENT = f"/documents/{Ref('shop', Kind.INVOICE, '1').global_id}"
ORIGIN = "https://app.example"
REFUSAL = "the gateway has its hands full and has begun nothing of this request; ask again"


class Upstream:
    """Answers nobody until `answering` is set; `asked` says how many wait."""

    def __init__(self) -> None:
        self.answering = asyncio.Event()
        self.asked = asyncio.Semaphore(0)

    async def __call__(self, _: WireRequest) -> Response:
        self.asked.release()
        await self.answering.wait()
        return answer("null")


def ask(client: httpx.AsyncClient, key: int = 1, **headers: str) -> Awaitable[httpx.Response]:
    query = f'{{ invoice(by: {{native: {{source: "shop", id: "{key}"}}}}) {{ number }} }}'
    return client.post("/graphql", json={"query": query}, headers=headers)


@asynccontextmanager
async def in_hand(client: httpx.AsyncClient, upstream: Upstream) -> AsyncIterator[asyncio.Future[httpx.Response]]:
    """Have one request in hand for as long as the block runs, or until the upstream answers."""
    asking = asyncio.ensure_future(ask(client))
    await upstream.asked.acquire()
    yield asking
    upstream.answering.set()
    await asking


def code(response: httpx.Response) -> str:
    found: str = response.json()["errors"][0]["extensions"]["code"]
    return found


# ------------------------------------------------------------------ how many at once


async def test_as_many_as_allowed_are_taken_and_the_next_is_refused_at_once(opened: Opener) -> None:
    upstream = Upstream()
    async with opened(upstream, limits={"max_requests_in_flight": 1}) as client, in_hand(client, upstream):
        response = await ask(client)

    (error,) = response.json()["errors"]
    assert (response.status_code, error["extensions"]["code"], error["message"]) == (503, "OVERLOADED", REFUSAL)
    assert response.headers["retry-after"] == "1"
    assert len(error["extensions"]["requestId"]) == 16


@pytest.mark.parametrize("holds", ["/graphql", DOCUMENT])
async def test_a_document_counts_as_a_query_does(opened: Opener, holds: str) -> None:
    upstream = Upstream()
    async with opened(upstream, limits={"max_requests_in_flight": 1}) as client:
        holding = asyncio.ensure_future(ask(client) if holds == "/graphql" else client.get(holds))
        await upstream.asked.acquire()
        refused = [code(await ask(client)), code(await client.get(DOCUMENT))]
        upstream.answering.set()
        await holding

    assert refused == ["OVERLOADED", "OVERLOADED"]


async def test_there_is_room_again_once_a_request_has_ended(opened: Opener) -> None:
    upstream = Upstream()
    async with opened(upstream, limits={"max_requests_in_flight": 1}) as client:
        async with in_hand(client, upstream):
            pass
        responses = [await ask(client), await client.post("/graphql", content=b"no JSON"), await ask(client)]

    assert [response.status_code for response in responses] == [200, 415, 200]


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
async def test_the_health_of_the_process_is_told_at_any_load(opened: Opener, path: str) -> None:
    upstream = Upstream()
    async with opened(upstream, limits={"max_requests_in_flight": 1}) as client, in_hand(client, upstream):
        response = await client.get(path)

    assert (response.status_code, response.text) == (200, "ok\n")


async def test_a_page_of_another_origin_can_read_when_to_come_again(opened: Opener) -> None:
    upstream, server = Upstream(), {"cors_origins": [ORIGIN]}
    async with opened(upstream, server, limits={"max_requests_in_flight": 1}) as client, in_hand(client, upstream):
        response = await ask(client, origin=ORIGIN)

    assert (response.status_code, response.headers["access-control-allow-origin"]) == (503, ORIGIN)
    assert response.headers["access-control-expose-headers"] == "retry-after"


# ------------------------------------------------------------------ readiness


def turn_away(load: Load, times: int) -> None:
    for _ in range(times):
        with pytest.raises(Overloaded), load.taken():
            pass


def test_a_hundred_rejections_in_five_seconds_make_unready_until_they_are_fewer() -> None:
    clock = FakeClock()
    load = Load(clock, 1)
    told = []
    with load.taken():
        for rejections, seconds in ((60, 2), (39, 0), (1, 2.9), (0, 0.1), (0, 0), (59, 0), (1, 0)):
            turn_away(load, rejections)
            told.append(load.why_unready)
            clock.advance(seconds)

    assert told == [None, None, "overloaded", "overloaded", None, None, "overloaded"]


def test_rejections_further_apart_make_nobody_unready() -> None:
    clock = FakeClock()
    load = Load(clock, 1)
    with load.taken():
        for _ in range(1000):
            clock.advance(0.0506)
            turn_away(load, 1)

    assert load.why_unready is None


def test_who_stops_is_unready_and_still_takes_requests() -> None:
    load = Load(FakeClock(), 1)
    load.stop()

    with load.taken():
        assert load.why_unready == "stopping"


async def test_readiness_is_told_with_its_reason(opened: Opener) -> None:
    upstream, clock = Upstream(), FakeClock()
    async with opened(upstream, clock=clock, limits={"max_requests_in_flight": 1}) as client, in_hand(client, upstream):
        for _ in range(100):
            await ask(client)
        unready, alive = await client.get("/health/ready"), await client.get("/health/live")
        clock.advance(5)
        ready = await client.get("/health/ready")

    assert (unready.status_code, unready.text) == (503, "overloaded\n")
    assert (alive.status_code, ready.status_code) == (200, 200)


async def test_the_full_queue_of_a_source_makes_nobody_unready(opened: Opener) -> None:
    upstream, shop = Upstream(), {**SOURCE, "max_in_flight": 1, "max_queue": 1}
    async with opened(upstream, sources={"shop": shop}) as client, in_hand(client, upstream):
        waiting = asyncio.ensure_future(ask(client, 2))
        await asyncio.sleep(0)
        refused = await asyncio.gather(*(ask(client, key) for key in range(3, 104)))
        ready = await client.get("/health/ready")
        upstream.answering.set()
        await waiting

    assert [code(response) for response in refused].count("UPSTREAM_OVERLOADED") >= 100
    assert ready.status_code == 200


# ------------------------------------------------------------------ bodies that take their time


async def test_a_body_that_does_not_arrive_in_time_gives_its_place_back(opened: Opener) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b'{"query":'
        await asyncio.Event().wait()

    headers = {"content-type": "application/json"}
    async with opened(
        server={"deadline_seconds": 0.05},
        limits={"max_requests_in_flight": 1},
        sources={"shop": {**SOURCE, "timeout_seconds": 0.01, "connect_timeout_seconds": 0.01, "retries": 0}},
    ) as client:
        late = await client.post("/graphql", content=slow(), headers=headers)
        next_one = await client.post("/graphql", json={"query": "{ caller { name } }"})

    assert (late.status_code, late.json()["errors"][0]["message"]) == (408, "the body did not arrive within 0.05 s")
    assert (code(late), late.headers["connection"]) == ("BAD_USER_INPUT", "close")
    assert next_one.status_code == 200
