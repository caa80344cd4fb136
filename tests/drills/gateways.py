"""Gateways as processes of their own, to be killed; and what asks them.

Each is forked from a process that has imported the code and done nothing else (multiprocessing's fork server): it runs the command
`serve` as a shell would have it, without the second that the imports take, so that most of the time there is something to kill.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Final

import httpx

from gateway.__main__ import main
from tests.drills.intents import Intent
from tests.drills.stories import Answer

_PROCESSES: Final = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(
    [
        "gateway.app",
        "gateway.server.workers",
        "uvicorn.protocols.http.httptools_impl",
        "httpcore",
        "anyio._backends._asyncio",
        "sqlalchemy.dialects.postgresql.asyncpg",
        "aiosqlite",
        __name__,
    ]
)
_POLL_SECONDS: Final = 0.02
_PATIENCE_SECONDS: Final = 30.0
_ANSWER_SECONDS: Final = 40.0
_LAST_WORDS: Final = 5
_ATTEMPT: Final = "query ($key: String!) { attempt(idempotencyKey: $key) { outcome userErrors { code message } } }"


class NeverUp(Exception):
    """A gateway ended by itself or does not listen; the message says what it said last."""


class RequestRefused(Exception):
    """The gateway refused a request as a whole; the message is the code."""


def write_config(path: Path, sources: Mapping[str, Mapping[str, object]], state: str, *, settle_after_seconds: float = 3) -> None:
    """Write the configuration of a gateway over these sources that keeps its journal at `state`."""
    tables: dict[str, Mapping[str, object]] = {
        "server": {"state": state},
        "journal": {"settle_after_seconds": settle_after_seconds},
        **{f"sources.{key}": table for key, table in sources.items()},
    }
    path.write_text("\n".join(_table(name, table) for name, table in tables.items()), encoding="utf-8")


def _table(name: str, table: Mapping[str, object]) -> str:
    return f"[{name}]\n" + "".join(f"{key} = {_value(value)}\n" for key, value in table.items())


def _value(value: object) -> str:
    """Write one value; texts, numbers, booleans and lists of them are in TOML as in JSON."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(inner)}" for key, inner in value.items()) + " }"
    return json.dumps(value)


def free_port() -> int:
    """Give a port of this machine that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class ServedProcess:
    """A command that listens, always at the same port. `url` is where it is asked."""

    def __init__(self, command: Sequence[str], log: Path, port: int | None = None) -> None:
        """None: a port that nobody listens at."""
        self._log = log
        self.port = port or free_port()
        self._command = [*command, "--port", str(self.port)]
        self._process: ForkServerProcess | None = None
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """Its process id; None before it was started."""
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Start it, without waiting until it listens."""
        self._process = _PROCESSES.Process(target=_run, args=(self._command, self._log), daemon=True)
        await asyncio.to_thread(self._process.start)

    async def wait_until_up(self) -> None:
        """Wait until it listens. Raises `NeverUp`."""
        for _ in range(int(_PATIENCE_SECONDS / _POLL_SECONDS)):
            if await self._listens():
                return
            if self._process is None or self._process.exitcode is not None:
                break
            await asyncio.sleep(_POLL_SECONDS)
        said = self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_WORDS:]
        raise NeverUp(f"the {self._command[0]} at {self.url} is not up; it said: {' / '.join(said)}")

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True

    async def ended(self) -> int | None:
        """Wait until it has ended, and give its exit code; None: it was never started."""
        if self._process is None:
            return None
        await asyncio.to_thread(self._process.join)
        return self._process.exitcode

    async def kill(self) -> None:
        """Kill it with SIGKILL, and wait until it is gone. Nothing happens to one that has ended."""
        if self._process is not None:
            self._process.kill()
            await asyncio.to_thread(self._process.join)


class GatewayProcess(ServedProcess):
    """One gateway over the systems of a configuration."""

    def __init__(self, config: Path, log: Path, *, workers: int = 1, port: int | None = None) -> None:
        super().__init__(["serve", "--config", str(config), "--workers", str(workers)], log, port)


class SandboxProcess(ServedProcess):
    """The emulated systems."""

    def __init__(self, seed: int, log: Path) -> None:
        super().__init__(["sandbox", "--seed", str(seed)], log)


def _run(command: list[str], log: Path) -> None:
    """Run a command of the gateway in a process of its own; what it says goes to `log`."""
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.exit(main(command))


def make_client(url: str) -> httpx.AsyncClient:
    """Make what asks the gateway at `url`."""
    limits = httpx.Limits(max_keepalive_connections=0)  # a connection of a gateway that was killed is of no use
    return httpx.AsyncClient(base_url=url, timeout=_ANSWER_SECONDS, limits=limits, trust_env=False)


async def ask_to_write(client: httpx.AsyncClient, intent: Intent) -> Answer:
    """Send the mutation of an intent under its key. Raises `RequestRefused`, and `httpx.TransportError` without an answer."""
    made = (await _ask(client, intent.query, intent.variables))["made"]
    return Answer(made["outcome"], made["replayed"], made["confirmation"], _errors(made))


async def ask_for_attempt(client: httpx.AsyncClient, intent: Intent) -> Answer | None:
    """Ask what became of an intent; None: the gateway knows nothing of the key. Raises as `ask_to_write` does."""
    attempt = (await _ask(client, _ATTEMPT, {"key": intent.key}))["attempt"]
    # An attempt is always told from the journal, as a replay is.
    return None if attempt is None else Answer(attempt["outcome"], replayed=True, errors=_errors(attempt))


async def _ask(client: httpx.AsyncClient, query: str, variables: Mapping[str, object]) -> dict[str, Any]:
    answer = (await client.post("/graphql", json={"query": query, "variables": variables})).json()
    if answer.get("errors"):
        raise RequestRefused(answer["errors"][0]["extensions"]["code"])
    data: dict[str, Any] = answer["data"]
    return data


def _errors(told: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((error["code"], error["message"]) for error in told["userErrors"])
