"""The processes of a run: the upstream, and the stacks that are measured over it, each started as its users start it."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gateway.journal import Journal
from gateway.transport import SystemClock
from tests.bench import dataset
from tests.bench.questions import SHOP_SOURCE, WEB_SOURCE, Question
from tests.bench.upstream import COUNTS
from tests.drills.gateways import free_port

ROOT: Final = Path(__file__).parents[2]
GATEWAY: Final = "gateway"
_POLL_SECONDS: Final = 0.005
_PATIENCE_SECONDS: Final = 120.0
_LAST_WORDS: Final = 6


class NotStarted(Exception):
    """A process ended by itself or does not answer; the message says what it said last."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """The running upstream."""

    port: int

    @property
    def url(self) -> str:
        """Where it is asked."""
        return f"http://127.0.0.1:{self.port}"

    def counts(self) -> dict[str, int]:
        """Give the calls so far, by operation. Raises `NotStarted` when it was asked for something that it does not have."""
        plain = _get_json(self.port, COUNTS)
        if plain["unknown"]:
            raise NotStarted(f"the upstream was asked for what it does not have: {plain['unknown']}")
        counts: dict[str, int] = plain["counts"]
        return counts


@dataclass(frozen=True, slots=True)
class Stack:
    """A running process that answers GraphQL at a port."""

    name: str
    port: int
    pid: int
    path: str = "/graphql"
    own_documents: Mapping[str, str] | None = None
    """By name of a question, the document that asks it of this stack; None: those of the gateway."""

    def document_of(self, question: Question) -> str | None:
        """Give the document that asks a question; None: it has no way to ask that."""
        return question.document if self.own_documents is None else self.own_documents.get(question.name)


def _get_json(port: int, path: str) -> Any:  # noqa: ANN401  (any JSON)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


@contextmanager
def running_upstream() -> Iterator[Upstream]:
    """Start the upstream."""
    command = [sys.executable, "-m", "tests.bench.upstream"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            port = process.stdout.readline().strip()
            if not port:
                raise NotStarted("the upstream ended at its start")
            yield Upstream(int(port))
        finally:
            process.terminate()


@contextmanager
def running(name: str, command: Sequence[str], port: int, log: Path, environ: Mapping[str, str] | None = None) -> Iterator[int]:
    """Run a command until the block ends, and give its process id once it listens. Raises `NotStarted`."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=log.parent, stdout=output, stderr=output, env={**os.environ, **(environ or {})})
        try:
            _wait_until_up(name, process, port, log)
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_up(name: str, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end and process.poll() is None:
        if listens(port):
            return
        time.sleep(_POLL_SECONDS)
    said = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_WORDS:]
    raise NotStarted(f"{name} is not up; it said: {' / '.join(said)}")


def listens(port: int) -> bool:
    """Say whether somebody listens at a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What the gateway is started for: the most of each that one run asks of it."""

    objects: int = dataset.BLOCK
    connections: int = 32
    workers: int = 1
    in_flight: int = 32
    """Calls at once to each source."""


_DEFAULTS: Final = {"max_cost": 5_000, "max_upstream_calls": 2_500, "max_nodes": 200, "max_queue": 64, "max_in_flight": 32}


def raised_limits(plan: Plan) -> dict[str, dict[str, float]]:
    """Give the keys that differ from their defaults for the bench's sake, by table."""
    wanted: dict[str, dict[str, float]] = {
        "limits": {"max_cost": 8 * plan.objects, "max_upstream_calls": 5 * plan.objects, "max_nodes": plan.objects},
        "server": {"deadline_seconds": 100},
        "sources": {"timeout_seconds": 30, "max_queue": 2 * plan.connections, "max_in_flight": plan.in_flight},
    }
    return {table: {key: value for key, value in keys.items() if value > _DEFAULTS.get(key, 0)} for table, keys in wanted.items()}


def gateway_tables(url: str, state: str, plan: Plan) -> dict[str, dict[str, Any]]:
    """Give the tables of the gateway's configuration over the upstream at `url`."""
    raised = raised_limits(plan)
    shop = {
        "system": "shopctrl",
        "base_url": url,
        "shop_ids": [dataset.SHOP],
        "shop_owner_id": 1,
        "time_zone": "Europe/Amsterdam",
        "auth": {"kind": "basic", "username": "bench", "password": "bench"},
    }
    web = {
        "system": "norce",
        "base_url": url,
        "application_id": dataset.APPLICATION,
        "auth": {"kind": "bearer", "token": "bench"},
    }
    return {
        "server": {"state": state, **raised["server"]},
        "limits": raised["limits"],
        f"sources.{SHOP_SOURCE}": {**shop, **raised["sources"]},
        f"sources.{SHOP_SOURCE}.order_status": {str(dataset.MAIN_STATUS): "OPEN"},
        f"sources.{WEB_SOURCE}": {**web, **raised["sources"]},
    }


def to_toml(tables: Mapping[str, Mapping[str, object]]) -> str:
    """Write tables of texts, numbers, lists of them, and inline tables."""
    return "\n".join(f"[{name}]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in table.items()) for name, table in tables.items())


def _toml(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + " }"
    return json.dumps(value)  # texts, numbers and lists are in TOML as in JSON


def gateway_command(folder: Path, upstream: Upstream, plan: Plan, port: int) -> list[str]:
    """Write the gateway's configuration, and give the command that serves it."""
    config = folder / "gateway.toml"
    config.write_text(to_toml(gateway_tables(upstream.url, _state(folder), plan)), encoding="utf-8")
    workers = [] if plan.workers == 1 else ["--workers", str(plan.workers)]
    return [sys.executable, "-m", "gateway", "serve", "--config", str(config), "--port", str(port), *workers]


async def _make_tables(folder: Path) -> None:
    """Make the journal's, so that the gateway starts as it does each time but the first."""
    journal = Journal(_state(folder), now=SystemClock().now)
    await journal.open()
    await journal.aclose()


def _state(folder: Path) -> str:
    return f"sqlite:///{folder / 'journal.db'}"


@contextmanager
def running_gateway(folder: Path, upstream: Upstream, plan: Plan) -> Iterator[Stack]:
    """Start the gateway over the upstream, with its files in `folder`. Raises `NotStarted`."""
    port = free_port()
    command = gateway_command(folder, upstream, plan, port)
    asyncio.run(_make_tables(folder))
    with running(GATEWAY, command, port, folder / "gateway.log") as pid:
        yield Stack(GATEWAY, port, pid)
