"""Several processes at one address: who dies is replaced, who is told to end ends in order, and nobody outlives the others."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
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
from tests.drills.gateways import ask_to_write, free_port, make_client, write_config
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
    """A gateway of two workers, and the process around them."""

    around: Process
    client: httpx.AsyncClient

    def workers(self) -> list[int]:
        """Give the ids of the workers there are."""
        try:
            children = Path(f"/proc/{self.around.pid}/task/{self.around.pid}/children").read_text(encoding="ascii")
        except OSError:
            return []
        return sorted(map(int, children.split()))


@asynccontextmanager
async def serving(running: RunningSandbox, tmp_path: Path) -> AsyncIterator[Running]:
    """Run `serve --workers 2` as a shell would, in a process group of its own, and wait until both answer."""
    tables = running.sandbox.source_tables(running.base_url)
    config, port = tmp_path / "gateway.toml", free_port()
    patient = {key: {**table, "timeout_seconds": 10, "retries": 0} for key, table in tables.items()}
    write_config(config, patient, f"sqlite:///{tmp_path / 'journal.db'}")
    command = [sys.executable, "-m", "gateway", "serve", "--config", str(config), "--port", str(port), "--workers", "2"]
    around = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, cwd=ROOT, start_new_session=True)
    assert around.stdout is not None
    try:
        assert (await around.stdout.readline()).startswith(b"GraphQL at http://")
        async with make_client(f"http://127.0.0.1:{port}") as client:
            yield Running(around, client)
    finally:
        if around.returncode is None:
            around.kill()
            await around.wait()


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
        port = gateway.client.base_url.port
        before = [sockets_of(worker) for worker in gateway.workers()]
        for _ in range(64):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            connections.callback(writer.close)
        await until(lambda: sum(map(sockets_of, gateway.workers())) == sum(before) + 64)
        taken = [sockets_of(worker) - had for worker, had in zip(gateway.workers(), before, strict=True)]

    assert min(taken) > 8  # less of 64 is not to be seen in the life of a machine


def sockets_of(pid: int) -> int:
    return sum(str(entry.readlink()).startswith("socket:") for entry in Path(f"/proc/{pid}/fd").iterdir())


async def test_an_address_that_others_serve_at_is_refused(sandbox: RunningSandbox, tmp_path: Path) -> None:
    async with serving(sandbox, tmp_path) as gateway:
        port = str(gateway.client.base_url.port)
        command = [sys.executable, "-m", "gateway", "serve", "--config", str(tmp_path / "gateway.toml"), "--port", port, "--workers", "2"]
        second = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, cwd=ROOT)
        said = await second.communicate()

    assert (second.returncode, said) == (2, (b"", f"127.0.0.1:{port}: Address already in use (another --port may be free)\n".encode()))


# ------------------------------------------------------------------ one for another


async def test_who_dies_is_replaced_while_the_others_answer(sandbox: RunningSandbox, tmp_path: Path) -> None:
    async with serving(sandbox, tmp_path) as gateway:
        before = gateway.workers()
        os.kill(before[0], signal.SIGKILL)
        await until(lambda: before[0] not in gateway.workers())
        answers = [await gateway.client.post("/graphql", json=CALLER) for _ in range(20)]
        await until(lambda: len(gateway.workers()) == 2)
        after = gateway.workers()
        gateway.around.terminate()
        _, said = await gateway.around.communicate()

    assert [answer.status_code for answer in answers] == [200] * 20
    assert (len(before), len(after), before[1] in after) == (2, 2, True)
    assert said.decode() == f"warning: worker {before[0]} ended by SIGKILL; another takes its place\n"


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
        for pid in (gateway.around.pid, *gateway.workers()):  # as a terminal does, and a supervisor of services may
            os.kill(pid, sig)
        await closed(gateway.client)
        held.release()
        answer = await asking
        said = await gateway.around.communicate()

    assert answer == Answer("APPLIED", confirmation="READ_BACK")
    assert requests_of(sandbox, intent) == 1
    assert (gateway.around.returncode, said, gateway.workers()) == (0, (b"", b""), [])


async def test_a_second_signal_waits_for_nobody(sandbox: RunningSandbox, tmp_path: Path) -> None:
    sandbox.sandbox.faults.add(Fault(system="shopctrl", kind="stall"))
    async with serving(sandbox, tmp_path) as gateway:
        asking = asyncio.ensure_future(gateway.client.post("/graphql", json=LIST))
        await until(lambda: sandbox.sandbox.calls.in_flight["shopctrl"] > 0)
        gateway.around.terminate()
        await closed(gateway.client)
        gateway.around.terminate()
        await asyncio.wait_for(gateway.around.wait(), 10)
        with pytest.raises(httpx.TransportError):
            await asking


async def test_nobody_outlives_the_process_around_the_workers(sandbox: RunningSandbox, tmp_path: Path) -> None:
    async with serving(sandbox, tmp_path) as gateway:
        gateway.around.kill()
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


async def test_a_worker_whose_journal_is_gone_says_so_in_a_line(sandbox: RunningSandbox, tmp_path: Path) -> None:
    async with serving(sandbox, tmp_path) as gateway:
        (tmp_path / "journal.db").write_bytes(b"no database at all, but some text that is long enough to be read as a header of one")
        os.kill(gateway.workers()[0], signal.SIGKILL)
        assert gateway.around.stderr is not None
        said = [""]
        while "ended by exit code 3" not in said[-1]:
            said.append((await asyncio.wait_for(gateway.around.stderr.readline(), 30)).decode())

    assert "server.state: " in "".join(said)
    assert "Traceback" not in "".join(said)
