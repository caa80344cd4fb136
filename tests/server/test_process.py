"""How a process ends: unready, then closed, drained, cut off; and what was sent is settled before it is gone."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.sandbox.faults import Fault
from gateway.sandbox.server import RunningSandbox
from gateway.server.load import Load
from gateway.server.process import Server, run
from gateway.settings import ServerSettings
from gateway.transport import SystemClock
from tests.drills.gateways import ask_for_attempt, ask_to_write, free_port, make_client, write_config
from tests.drills.intents import NORCE, Intent
from tests.drills.stage import intents_of, requests_of
from tests.drills.stories import Answer
from tests.fakes import FakeClock
from tests.server.sockets import HeldAnswers, make_app, until

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parent.parent.parent
CUT_OFF = (httpx.NetworkError, httpx.RemoteProtocolError)
CALLER = {"query": "{ caller { name } }"}
LIST = {"query": '{ orders(filter: { sources: ["shop"] }, first: 2) { sourceResults { status } } }'}


class WatchedClock(FakeClock):
    """Counts how often it is looked at: by the server alone, once it is told to stop and then at each tick."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    def monotonic(self) -> float:
        self.looks += 1
        return super().monotonic()


@dataclass(frozen=True, slots=True)
class Running:
    """A server in this process. `is_closing` is set when its application is told to end, `ending` done once all has."""

    server: Server
    client: httpx.AsyncClient
    clock: WatchedClock
    is_closing: asyncio.Event
    ending: asyncio.Future[None]


async def listens(client: httpx.AsyncClient) -> bool:
    """Say whether who connects is accepted."""
    try:
        await client.get("/health/live")
    except httpx.TransportError:
        return False
    return True


async def closed(client: httpx.AsyncClient) -> None:
    """Wait until nobody is accepted any more."""
    while await listens(client):
        pass


@asynccontextmanager
async def serving(running: RunningSandbox, *, state: str = "sqlite://", **settings: float) -> AsyncIterator[Running]:
    """Serve until the server ends, which the block has to bring about; `settings` are of the end of the process."""
    clock, started, is_closing = WatchedClock(), asyncio.Event(), asyncio.Event()
    app = make_app(running, state=state)
    watched = _watched(app, is_closing)
    server = Server(watched, app.state.load, ServerSettings.model_validate(settings), clock, started.set)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ending = asyncio.ensure_future(server.serve(sockets=[listener]))
        await started.wait()
        async with make_client(f"http://127.0.0.1:{listener.getsockname()[1]}") as client:
            yield Running(server, client, clock, is_closing, ending)
            await asyncio.wait_for(ending, 30)


def _watched(app: ASGIApp, is_closing: asyncio.Event) -> ASGIApp:
    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        async def told() -> Message:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                is_closing.set()
            return message

        await app(scope, told, send)

    return watched


@pytest.fixture
def nothing_said(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.WARNING):
        yield
    assert caplog.records == []


@pytest.fixture
def state(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'journal.db'}"


def hold(running: RunningSandbox, intent: Intent) -> None:
    """Let the answer to a write wait until it is released."""
    running.sandbox.faults.add(Fault(system=intent.way.system, operation=intent.way.operation, kind="latency", seconds=1))


# ------------------------------------------------------------------ unready, then closed


@pytest.mark.usefixtures("nothing_said")
async def test_it_is_unready_and_answers_everything_before_it_closes(sandbox: RunningSandbox) -> None:
    async with serving(sandbox, unready_seconds=5) as gateway:
        before = await gateway.client.get("/health/ready")
        gateway.server.handle_exit(signal.SIGTERM, None)
        ready, alive = await gateway.client.get("/health/ready"), await gateway.client.get("/health/live")
        gateway.clock.advance(4.9)
        looks = gateway.clock.looks
        await until(lambda: gateway.clock.looks > looks)
        answer = await gateway.client.post("/graphql", json=CALLER)
        was_open = await listens(gateway.client)
        gateway.clock.advance(0.1)
        await closed(gateway.client)

    assert before.status_code == 200
    assert (ready.status_code, ready.text) == (503, "stopping\n")
    assert (alive.status_code, answer.status_code, was_open) == (200, 200, True)


@pytest.mark.usefixtures("nothing_said")
async def test_ctrl_c_is_not_kept_waiting(sandbox: RunningSandbox) -> None:
    async with serving(sandbox, unready_seconds=5) as gateway:
        gateway.server.handle_exit(signal.SIGINT, None)


@pytest.mark.usefixtures("nothing_said")
async def test_a_connection_that_asks_nothing_keeps_nobody_waiting(sandbox: RunningSandbox) -> None:
    async with serving(sandbox) as gateway:
        port = gateway.client.base_url.port
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        await until(lambda: len(gateway.server.server_state.connections) == 1)
        gateway.server.handle_exit(signal.SIGTERM, None)
        await gateway.ending
        writer.close()


# ------------------------------------------------------------------ drained, then cut off


@pytest.mark.usefixtures("nothing_said")
async def test_what_is_in_hand_is_answered_after_it_closed(sandbox: RunningSandbox, held: HeldAnswers) -> None:
    sandbox.sandbox.faults.add(Fault(system="shopctrl", kind="latency", seconds=1, times=1))
    async with serving(sandbox) as gateway:
        asking = asyncio.ensure_future(gateway.client.post("/graphql", json=LIST))
        await held.begun.wait()
        gateway.server.handle_exit(signal.SIGTERM, None)
        await closed(gateway.client)
        held.release()
        answer = await asking

    assert answer.json() == {"data": {"orders": {"sourceResults": [{"status": "OK"}]}}}


@pytest.mark.usefixtures("nothing_said")
async def test_what_is_in_hand_too_long_is_cut_off(sandbox: RunningSandbox) -> None:
    sandbox.sandbox.faults.add(Fault(system="shopctrl", kind="stall"))
    before = asyncio.all_tasks()
    async with serving(sandbox, drain_seconds=0.05) as gateway:
        asking = asyncio.ensure_future(gateway.client.post("/graphql", json=LIST))
        await until(lambda: sandbox.sandbox.calls.in_flight["shopctrl"] > 0)
        gateway.server.handle_exit(signal.SIGTERM, None)
        with pytest.raises(CUT_OFF):
            await asking

    await until(lambda: sandbox.sandbox.calls.in_flight["shopctrl"] == 0 and asyncio.all_tasks() <= before)


@pytest.mark.usefixtures("nothing_said")
async def test_a_write_that_was_cut_off_is_settled_before_it_ends(sandbox: RunningSandbox, held: HeldAnswers, state: str) -> None:
    (intent,) = intents_of(NORCE, 1)
    hold(sandbox, intent)
    async with serving(sandbox, state=state, drain_seconds=0.05) as gateway:
        asking = asyncio.ensure_future(ask_to_write(gateway.client, intent))
        await held.begun.wait()
        gateway.server.handle_exit(signal.SIGTERM, None)
        with pytest.raises(CUT_OFF):
            await asking
        await gateway.is_closing.wait()
        held.release()
    async with serving(sandbox, state=state) as later:
        sandbox.sandbox.reset_calls()
        attempt = await ask_for_attempt(later.client, intent)
        looks = sandbox.sandbox.calls.total
        later.server.handle_exit(signal.SIGINT, None)

    assert (attempt, looks) == (Answer("APPLIED", replayed=True), 0)


# ------------------------------------------------------------------ signals


async def test_the_second_signal_is_nobody_s_to_catch(sandbox: RunningSandbox) -> None:
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(each) for each in signals]
    async with serving(sandbox) as gateway:
        first = [signal.getsignal(each) for each in signals]
        gateway.server.handle_exit(signal.SIGTERM, None)
        second = [signal.getsignal(each) for each in signals]

    assert first == [gateway.server.handle_exit] * 2
    assert second == [signal.SIG_DFL] * 2
    assert [signal.getsignal(each) for each in signals] == before


@asynccontextmanager
async def process(running: RunningSandbox, tmp_path: Path, state: str) -> AsyncIterator[tuple[Process, httpx.AsyncClient]]:
    """Run `serve` as a shell would, and wait until it listens."""
    tables = running.sandbox.source_tables(running.base_url)
    config, port = tmp_path / "gateway.toml", free_port()
    write_config(config, {key: {**table, "timeout_seconds": 10, "retries": 0} for key, table in tables.items()}, state)
    command = [sys.executable, "-m", "gateway", "serve", "--config", str(config), "--port", str(port)]
    serve = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, cwd=ROOT)
    assert serve.stdout is not None
    try:
        assert b"GraphQL at http://" in await serve.stdout.readline()
        async with make_client(f"http://127.0.0.1:{port}") as client:
            yield serve, client
    finally:
        if serve.returncode is None:
            serve.kill()
            await serve.wait()


async def test_a_process_told_to_end_while_it_writes_answers_and_then_ends(
    sandbox: RunningSandbox, held: HeldAnswers, tmp_path: Path, state: str
) -> None:
    (intent,) = intents_of(NORCE, 1)
    hold(sandbox, intent)
    async with process(sandbox, tmp_path, state) as (serve, client):
        asking = asyncio.ensure_future(ask_to_write(client, intent))
        await held.begun.wait()
        serve.terminate()
        await closed(client)
        held.release()
        answer = await asking
        said = await serve.communicate()

    assert answer == Answer("APPLIED", confirmation="READ_BACK")
    assert requests_of(sandbox, intent) == 1
    assert (serve.returncode, said) == (0, (b"", b""))


def test_an_idle_connection_is_kept_longer_than_load_balancers_keep_theirs() -> None:
    server = Server(Starlette(), Load(SystemClock(), 1), ServerSettings(), SystemClock(), lambda: None)
    assert server.config.timeout_keep_alive > 60


async def test_an_interrupted_start_leaves_a_line_and_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    journal_is_open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    journal_is_open.cancel()

    @asynccontextmanager
    async def interrupted(_app: Starlette) -> AsyncIterator[None]:
        await journal_is_open
        yield

    server = Server(Starlette(lifespan=interrupted), Load(SystemClock(), 1), ServerSettings(), SystemClock(), lambda: None)
    with socket.create_server(("127.0.0.1", 0)) as listener, suppress(SystemExit):
        await server.serve(sockets=[listener])
    assert "it was interrupted" in caplog.messages
    assert not any("Traceback" in message for message in caplog.messages)


def test_a_process_that_serves_runs_on_uvloop() -> None:
    loops: list[str] = []

    async def note() -> None:
        loops.append(type(asyncio.get_running_loop()).__module__)

    run(note())
    assert loops == ["uvloop"]
