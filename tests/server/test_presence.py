"""Clients that leave: what is read for them stops, what is written for them is settled, and nobody says a word about it."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Iterator

import pytest

from gateway.model import Kind, Ref
from gateway.sandbox.faults import Fault
from gateway.sandbox.server import RunningSandbox
from tests.drills.gateways import ask_for_attempt, make_client
from tests.drills.intents import SHOPCTRL
from tests.drills.stage import intents_of, requests_of
from tests.drills.stories import Answer
from tests.server.sockets import HeldAnswers, get, listening, make_app, post, until

pytestmark = pytest.mark.anyio

ORDER = '{ order(by: { native: { source: "shop", id: "55012" } }) { number } }'
DOCUMENT = f"/documents/{Ref('shop', Kind.INVOICE, '88010').global_id}"
LIST = '{ orders(filter: { sources: ["shop"] }, first: 2) { nodes { number } sourceResults { status } } }'


@pytest.fixture
def nothing_said(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing is logged, nor complained of by the loop, which logs, too."""
    with caplog.at_level(logging.WARNING):
        yield
    gc.collect()
    assert caplog.records == []


def at_work(running: RunningSandbox) -> int:
    return running.sandbox.calls.in_flight["shopctrl"]


@pytest.mark.usefixtures("nothing_said")
@pytest.mark.parametrize("leave", ["close", "abort"])
@pytest.mark.parametrize("request_", [post(LIST), post(ORDER), get(DOCUMENT)], ids=["list", "order", "document"])
async def test_what_is_read_for_a_client_stops_when_it_leaves(sandbox: RunningSandbox, request_: bytes, leave: str) -> None:
    sandbox.sandbox.faults.add(Fault(system="shopctrl", kind="stall"))
    async with listening(make_app(sandbox)) as gateway:
        before = asyncio.all_tasks()
        client = await gateway.send(request_)
        await until(lambda: at_work(sandbox) > 0)
        getattr(client, leave)()
        await until(lambda: at_work(sandbox) == 0)
        await until(lambda: asyncio.all_tasks() <= before)


@pytest.mark.usefixtures("nothing_said")
async def test_what_another_waits_for_is_read_on(sandbox: RunningSandbox, held: HeldAnswers) -> None:
    sandbox.sandbox.faults.add(Fault(system="shopctrl", kind="latency", seconds=1, times=1))
    async with listening(make_app(sandbox)) as gateway:
        leaving = await gateway.send(post(LIST))
        await held.begun.wait()
        staying = asyncio.ensure_future(gateway.exchange(post(LIST)))
        await until(lambda: len(gateway.state.tasks) == 2)
        leaving.abort()
        await until(lambda: len(gateway.state.tasks) == 1)
        held.release()
        answer = await staying

    assert b'"sourceResults":[{"status":"OK"}]' in answer


@pytest.mark.usefixtures("nothing_said")
async def test_what_is_written_for_a_client_that_leaves_is_settled(sandbox: RunningSandbox, held: HeldAnswers) -> None:
    (intent,) = intents_of(SHOPCTRL, 1)
    sandbox.sandbox.faults.add(Fault(system=intent.way.system, operation=intent.way.operation, kind="latency", seconds=1))
    async with listening(make_app(sandbox)) as gateway, make_client(f"http://127.0.0.1:{gateway.port}") as client:
        leaving = await gateway.send(post(intent.query, intent.variables))
        await held.begun.wait()
        leaving.abort()
        await until(lambda: not gateway.state.tasks)
        under_way = await ask_for_attempt(client, intent)
        held.release()
        while (attempt := await ask_for_attempt(client, intent)) == under_way:
            pass

    assert under_way == Answer(None, replayed=True)
    assert attempt == Answer("APPLIED", replayed=True)
    assert requests_of(sandbox, intent) == 1


async def test_who_leaves_while_it_is_refused_or_answered_harms_nobody(sandbox: RunningSandbox) -> None:
    async with listening(make_app(sandbox)) as gateway:
        for request in (post(LIST)[:-10], post("{"), get("/documents/x")):
            (await gateway.send(request)).abort()
        answer = await gateway.exchange(post("{ caller { name } }"))

    assert answer.startswith(b"HTTP/1.1 200 ")
