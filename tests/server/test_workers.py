"""Several processes at one address: who dies is replaced, who is told to end ends in order, and nobody outlives the others."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from gateway.__main__ import main
from gateway.sandbox.faults import Fault
from gateway.sandbox.server import RunningSandbox
from gateway.server.workers import pause_after
from tests.drills.gateways import GatewayProcess, ask_to_write, make_client, write_config
from tests.drills.intents import NORCE
from tests.drills.stage import intents_of, requests_of
from tests.drills.stories import Answer
from tests.server.sockets import HeldAnswers, until

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parent.parent.parent
CALLER = {"query": "{ caller { name } }"}
LIST = {"query": '{ orders(filter: { sources: ["shop"] }, first: 2) { sourceResults { status } } }'}


@dataclass(frozen=True, slots=True)
class Running:
    """A gateway of two workers; `around` is the process around them."""

    around: GatewayProcess
    client: httpx.AsyncClient
    log: Path

    @property
    def pid(self) -> int:
        assert self.around.pid is not None
        return self.around.pid

    def workers(self) -> list[int]:
        """Give the ids of the workers there are."""
        try:
            children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text(encoding="ascii")
        except OSError:
            return []
        return sorted(map(int, children.split()))

    def said(self) -> str:
        """Give what was said, without where it is to be asked."""
        first, _, more = self.log.read_text(encoding="utf-8").partition("\n")
        assert first.startswith("GraphQL at http://")
        return more


@asynccontextmanager
async def serving(running: RunningSandbox, tmp_path: Path) -> AsyncIterator[Running]:
    """Run `serve --workers 2`, and wait until both answer."""
    tables = running.sandbox.source_tables(running.base_url)
    config, log = tmp_path / "gateway.toml", tmp_path / "gateway.log"
    patient = {key: {**table, "timeout_seconds": 10, "retries": 0} for key, table in tables.items()}
    write_config(config, patient, f"sqlite:///{tmp_path / 'journal.db'}")
    around = GatewayProcess(config, log, workers=2)
    try:
        await around.start()
        await until(lambda: log.exists() and "GraphQL at" in log.read_text(encoding="utf-8"))
        async with make_client(around.url) as client:
            yield Running(around, client, log)
    finally:
        await around.kill()


async def closed(client: httpx.AsyncClient) -> None:
    """Wait until nobody is accepted any more."""
    async with asyncio.timeout(30):
        while True:
            try:
                await client.get("/health/live")
            except httpx.TransportError:
                return


# ------------------------------------------------------------------ one beside another


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere all accept at one socket")
async def test_connections_are_shared_out_among_them(sandbox: RunningSandbox, tmp_path: Path) -> None:
    async with serving(sandbox, tmp_path) as gateway, AsyncExitStack() as connections:
        before = [sockets_of(worker) for worker in gateway.workers()]
        for _ in range(64):
            _, writer = await asyncio.open_connection("127.0.0.1", gateway.around.port)
            connections.callback(writer.close)
        await until(lambda: sum(map(sockets_of, gateway.workers())) == sum(before) + 64)
        taken = [sockets_of(worker) - had for worker, had in zip(gateway.workers(), before, strict=True)]

    assert min(taken) > 8  # less of 64 is not to be seen in the life of a machine


def sockets_of(pid: int) -> int:
    return sum(str(entry.readlink()).startswith("socket:") for entry in Path(f"/proc/{pid}/fd").iterdir())


async def test_who_is_accepted_while_they_begin_is_answered(sandbox: RunningSandbox, tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    write_config(config, sandbox.sandbox.source_tables(sandbox.base_url), f"sqlite:///{tmp_path / 'journal.db'}")
    gateway = GatewayProcess(config, tmp_path / "gateway.log", workers=2)
    try:
        await gateway.start()
        await gateway.wait_until_up()  # the first moment at which somebody is accepted
        async with make_client(gateway.url) as client:
            answers = [await client.post("/graphql", json=CALLER) for _ in range(10)]
    finally:
        await gateway.kill()

    assert [answer.status_code for answer in answers] == [200] * 10


async def test_an_address_that_others_serve_at_is_refused(sandbox: RunningSandbox, tmp_path: Path) -> None:
    async with serving(sandbox, tmp_path) as gateway:
        second = GatewayProcess(tmp_path / "gateway.toml", tmp_path / "second.log", workers=2, port=gateway.around.port)
        await second.start()
        code = await second.ended()

    said = (tmp_path / "second.log").read_text(encoding="utf-8")
    assert (code, said) == (2, f"127.0.0.1:{gateway.around.port}: Address already in use (another --port may be free)\n")


# ------------------------------------------------------------------ one for another


async def test_who_dies_is_replaced_while_the_others_answer(sandbox: RunningSandbox, tmp_path: Path) -> None:
    async with serving(sandbox, tmp_path) as gateway:
        before = gateway.workers()
        os.kill(before[0], signal.SIGKILL)
        await until(lambda: before[0] not in gateway.workers())
        answers = [await gateway.client.post("/graphql", json=CALLER) for _ in range(20)]
        await until(lambda: len(gateway.workers()) == 2)
        after = gateway.workers()
        os.kill(gateway.pid, signal.SIGTERM)
        await gateway.around.ended()

    assert [answer.status_code for answer in answers] == [200] * 20
    assert (len(before), len(after), before[1] in after) == (2, 2, True)
    assert gateway.said() == f"warning: worker {before[0]} ended by SIGKILL; another takes its place\n"


async def test_a_worker_that_is_told_to_end_ends_in_order_and_is_replaced(
    sandbox: RunningSandbox, held: HeldAnswers, tmp_path: Path
) -> None:
    sandbox.sandbox.faults.add(Fault(system="shopctrl", kind="latency", seconds=1, times=1))
    async with serving(sandbox, tmp_path) as gateway:
        before = gateway.workers()
        asking = asyncio.ensure_future(gateway.client.post("/graphql", json=LIST))
        await held.begun.wait()
        for worker in before:
            os.kill(worker, signal.SIGTERM)
        await until(lambda: len(set(gateway.workers()) - set(before)) == 1)
        held.release()
        answer = await asking
        await until(lambda: len(set(gateway.workers()) - set(before)) == 2)

    assert answer.json() == {"data": {"orders": {"sourceResults": [{"status": "OK"}]}}}


@pytest.mark.parametrize(("ended_soon", "seconds"), [(0, 0), (1, 0), (2, 1), (3, 5), (4, 30), (99, 30)])
def test_a_place_stays_empty_for_longer_the_more_of_its_workers_end_at_once(ended_soon: int, seconds: float) -> None:
    assert pause_after(ended_soon) == seconds


# ------------------------------------------------------------------ the end of all


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
async def test_all_end_in_order_when_told_to(sandbox: RunningSandbox, held: HeldAnswers, tmp_path: Path, sig: signal.Signals) -> None:
    (intent,) = intents_of(NORCE, 1)
    sandbox.sandbox.faults.add(Fault(system=intent.way.system, operation=intent.way.operation, kind="latency", seconds=1))
    async with serving(sandbox, tmp_path) as gateway:
        asking = asyncio.ensure_future(ask_to_write(gateway.client, intent))
        await held.begun.wait()
        for pid in (gateway.pid, *gateway.workers()):  # as a terminal does, and a supervisor of services may
            os.kill(pid, sig)
        await closed(gateway.client)
        held.release()
        answer = await asking
        code = await gateway.around.ended()

    assert answer == Answer("APPLIED", confirmation="READ_BACK")
    assert requests_of(sandbox, intent) == 1
    assert (code, gateway.said(), gateway.workers()) == (0, "", [])


async def test_a_second_signal_waits_for_nobody(sandbox: RunningSandbox, tmp_path: Path) -> None:
    sandbox.sandbox.faults.add(Fault(system="shopctrl", kind="stall"))
    async with serving(sandbox, tmp_path) as gateway:
        asking = asyncio.ensure_future(gateway.client.post("/graphql", json=LIST))
        await until(lambda: sandbox.sandbox.calls.in_flight["shopctrl"] > 0)
        os.kill(gateway.pid, signal.SIGTERM)
        await closed(gateway.client)
        os.kill(gateway.pid, signal.SIGTERM)
        await asyncio.wait_for(gateway.around.ended(), 10)
        with pytest.raises(httpx.TransportError):
            await asking


async def test_nobody_outlives_the_process_around_the_workers(sandbox: RunningSandbox, tmp_path: Path) -> None:
    async with serving(sandbox, tmp_path) as gateway:
        await gateway.around.kill()
        await closed(gateway.client)


# ------------------------------------------------------------------ refused


def test_a_journal_in_memory_is_refused_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "gateway.toml"
    shop = {"system": "shopctrl", "base_url": "https://shop.example", "shop_ids": [1], "shop_owner_id": 1}
    write_config(config, {"shop": shop}, "sqlite://")

    code = main(["serve", "--config", str(config), "--workers", "2"])

    assert code == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        "gateway.toml: server.state: in memory, which 2 workers cannot share; name a file or a database"
    )


async def test_workers_that_cannot_begin_end_all() -> None:
    script = (
        "import socket, sys\n"
        "from gateway.server.workers import Workers\n"
        "def work(line, listener): sys.exit(3)\n"
        "listener = socket.create_server(('127.0.0.1', 0))\n"
        "sys.exit(0 if Workers(2, work, listener, lambda: None, lambda: False).run() else 1)\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdout=PIPE, stderr=PIPE, cwd=ROOT)

    said = await asyncio.wait_for(process.communicate(), 30)

    assert (process.returncode, said) == (1, (b"", b""))


async def test_what_a_worker_fails_with_is_told_by_type_and_place_and_not_by_its_text() -> None:
    script = (
        "import socket, sys\n"
        "from gateway.server.workers import Workers\n"
        "from gateway.telemetry import write_logs\n"
        "def work(line, listener): raise ValueError('hush')\n"
        "write_logs('text', 'warning')\n"
        "listener = socket.create_server(('127.0.0.1', 0))\n"
        "sys.exit(0 if Workers(1, work, listener, lambda: None, lambda: False).run() else 1)\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stderr=PIPE, cwd=ROOT)
    assert process.stderr is not None
    said = await asyncio.wait_for(process.stderr.readuntil(b"takes its place"), 30)
    process.kill()
    await process.wait()

    assert b" failed\nValueError\n" in said
    assert b"in work" in said
    assert b"hush" not in said


async def test_a_worker_whose_journal_is_gone_says_so_in_a_line(sandbox: RunningSandbox, tmp_path: Path) -> None:
    async with serving(sandbox, tmp_path) as gateway:
        (tmp_path / "journal.db").write_bytes(b"no database at all, but some text that is long enough to be read as a header of one")
        os.kill(gateway.workers()[0], signal.SIGKILL)
        await until(lambda: "ended by exit code 3" in gateway.said())

    assert "server.state: " in gateway.said()
    assert "Traceback" not in gateway.said()


async def test_a_worker_makes_no_new_journal_where_the_others_have_lost_theirs(sandbox: RunningSandbox, tmp_path: Path) -> None:
    async with serving(sandbox, tmp_path) as gateway:
        (tmp_path / "journal.db").rename(tmp_path / "elsewhere.db")
        os.kill(gateway.workers()[0], signal.SIGKILL)
        await until(lambda: "ended by exit code 3" in gateway.said())

    assert "journal.db: its file was removed or replaced" in gateway.said()
    assert not (tmp_path / "journal.db").exists()
