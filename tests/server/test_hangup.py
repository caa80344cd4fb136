"""SIGHUP to `serve`, as an operator sends it: what is said, and that it serves on."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from gateway.__main__ import main
from gateway.sandbox.server import RunningSandbox
from tests.drills.gateways import free_port, make_client

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGHUP")]

ROOT = Path(__file__).parent.parent.parent
NAME = {"query": "{ caller { name } }"}


@dataclass(frozen=True, slots=True)
class Served:
    """A process that serves, and the file it was started with."""

    process: Process
    config: Path
    port: int
    shop: str

    def write(self, key: str, **server: object) -> None:
        """Write the file: one caller, with this key."""
        write(self.config, self.shop, key, **server)

    async def hang_up(self, lines: int) -> list[str]:
        """Have it read the file again, and give what it says."""
        self.process.send_signal(signal.SIGHUP)
        return [await self.line() for _ in range(lines)]

    async def line(self) -> str:
        assert self.process.stderr is not None
        async with asyncio.timeout(30):
            return (await self.process.stderr.readline()).decode().rstrip("\n")

    async def status(self, key: str) -> int:
        """Ask over a connection of its own."""
        async with make_client(f"http://127.0.0.1:{self.port}") as client:
            return (await client.post("/graphql", json=NAME, headers={"authorization": f"Bearer {key}"})).status_code


def write(config: Path, shop: str, key: str, **server: object) -> None:
    rows = [f"{name} = {value!r}" for name, value in {"state": f"sqlite:///{config.with_suffix('.db')}", **server}.items()]
    digest = hashlib.sha256(key.encode()).hexdigest()
    caller = f'[[callers]]\nname = "script"\nkey_sha256 = "{digest}"\npermissions = ["read"]\nsources = ["*"]'
    config.write_text("\n".join(["[server]", *rows, caller, shop]))


@asynccontextmanager
async def served(sandbox: RunningSandbox, folder: Path, **server: object) -> AsyncIterator[Served]:
    shop = f'[sources.shop]\nsystem = "shopctrl"\nbase_url = "{sandbox.base_url}"\nshop_ids = [1]\nshop_owner_id = 1\n'
    config, port = folder / "gateway.toml", free_port()
    write(config, shop, "one", **server)
    command = [sys.executable, "-m", "gateway", "serve", "--config", str(config), "--port", str(port)]
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, cwd=ROOT)
    assert process.stdout is not None
    try:
        assert b"GraphQL at http://" in await process.stdout.readline()
        yield Served(process, config, port, shop)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_process_takes_what_its_file_says_now_and_serves_on_whatever_that_is(sandbox: RunningSandbox, tmp_path: Path) -> None:
    async with served(sandbox, tmp_path) as gateway:
        before = [await gateway.status(key) for key in ("one", "two")]
        gateway.write("two", drain_seconds=1)
        said = await gateway.hang_up(3)
        after = [await gateway.status(key) for key in ("one", "two")]
        gateway.config.write_text('[server]\nhost = 7\n[sources.shop]\nsystem = "nobody"\n')
        refused = await gateway.hang_up(3)
        still = [await gateway.status(key) for key in ("one", "two")]
        gateway.process.terminate()
        rest = await gateway.process.communicate()

    assert (before, after, still) == ([200, 401], [401, 200], [401, 200])
    assert said == [
        "gateway.toml: read again, and in use from now on",
        "gateway.toml: callers: changed script",
        "gateway.toml: server.drain_seconds: stays as it is until the gateway is started again",
    ]
    assert refused == [
        "gateway.toml: sources.shop.system: must be one of compilator, nimpos, norce, shopctrl",
        "gateway.toml: server.host: Input should be a valid string",
        "gateway.toml: nothing was changed, the gateway goes on with what it has",
    ]
    assert (gateway.process.returncode, rest) == (0, (b"", b""))


def test_a_hangup_before_it_serves_does_not_end_it(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGHUP)
    try:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        main(["serve", "--config", str(tmp_path / "none.toml")])
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


async def test_logs_are_written_as_the_file_says_now(sandbox: RunningSandbox, tmp_path: Path) -> None:
    async with served(sandbox, tmp_path) as gateway:
        await gateway.status("one")
        gateway.write("one", log_format="json", log_level="info")
        said = await gateway.hang_up(1)
        await gateway.status("one")
        line = json.loads(await gateway.line())

    assert said == ["gateway.toml: read again, and in use from now on"]
    assert (line["level"], line["status"]) == ("info", 200)


async def test_several_workers_take_it_and_so_does_one_that_comes_later(sandbox: RunningSandbox, tmp_path: Path) -> None:
    async with served(sandbox, tmp_path, workers=2) as gateway:
        gateway.write("two", workers=2)
        said = await gateway.hang_up(2)
        async with asyncio.timeout(30):
            while [await gateway.status("two") for _ in range(20)] != [200] * 20:
                pass
        for worker in workers_of(gateway.process.pid):
            os.kill(worker, signal.SIGKILL)
        replaced = [await gateway.line() for _ in range(2)]
        after = {await answered(gateway, "one"), await answered(gateway, "two")}
        for _ in range(10):  # some of them while another is heeded
            gateway.process.send_signal(signal.SIGHUP)
            await answered(gateway, "two")
        gateway.process.terminate()
        await gateway.process.communicate()

    assert said == ["gateway.toml: read again, and in use from now on", "gateway.toml: callers: changed script"]
    assert [line.rpartition("ended by ")[2] for line in replaced] == ["SIGKILL; another takes its place"] * 2
    assert (after, gateway.process.returncode) == ({401, 200}, 0)


def workers_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


async def answered(gateway: Served, key: str) -> int:
    """Ask until somebody is there to answer."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await gateway.status(key)
            except httpx.TransportError:
                continue
