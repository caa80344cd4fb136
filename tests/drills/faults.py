"""The fault drill: each upstream operation that the gateway calls, in each trouble that there is, one fresh gateway a cell.

A cell asks one question that needs the operation, together with what the other sources have, and looks what came back, in what time,
and what was left behind. Gateway and sandbox share a process and speak HTTP over real ports.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from gateway.app import create_app, settings_from
from gateway.sandbox.server import RunningSandbox
from gateway.transport import Response
from gateway.transport.http1_wire import Http1Wire
from gateway.transport.tls import usual_tls_context
from gateway.transport.wire import WireRequest
from tests.drills.gateways import free_port
from tests.drills.operations import ASKED, SOURCES, Operation
from tests.drills.troubles import RATE_LIMITED, TIMEOUT_SECONDS, Trouble

TOLERANCE_SECONDS: Final = 0.5
"""What an answer may be late by: the machine has other work, too."""
_TLS: Final = usual_tls_context()
_SETTLE_SECONDS: Final = 3.0
_POLL_SECONDS: Final = 0.005
_TICK_SECONDS: Final = 0.01


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the gateway of a cell waits, in seconds."""

    timeout_seconds: float
    deadline_seconds: float
    mutation_deadline_seconds: float
    others_timeout_seconds: float
    """Of the calls to the sources that nothing is done to."""
    retries: int = 2


HURRIED: Final = Patience(TIMEOUT_SECONDS, 1.5, 3.0, TIMEOUT_SECONDS)
CALM: Final = Patience(3.0, 12.0, 12.0, 3.0)


@dataclass(slots=True)
class Seen:
    """What came of one cell."""

    code: str = ""
    """`ok`, or the codes of the errors; of a write its outcome, then the codes."""
    message: str = ""
    seconds: float = 0.0
    deadline_seconds: float = 0.0
    others: bool = False
    """Whether the other sources' data is all there."""
    calls: int = 0
    tasks: int = 0
    """Left over when the answer was there, as are those below."""
    busy: int = 0
    in_flight: int = 0
    connections: int = 0
    """In the pool at the end."""
    most_at_once: int = 0
    """Calls that were under way at the same time."""
    pause_seconds: float = 0.0
    """The longest time for which the machine let the process stand still: it may have looked like a timeout."""
    complaints: list[str] = field(default_factory=list)
    """What was logged as an error, or raised where nobody saw it."""

    @property
    def is_clean(self) -> bool:
        """Say whether nothing was left over, whatever the machine did."""
        return not (self.tasks or self.busy or self.in_flight or self.complaints)

    def is_late(self, tolerance_seconds: float) -> bool:
        """Say whether the deadline was missed by more than so many seconds."""
        return self.seconds > self.deadline_seconds + tolerance_seconds


@dataclass(frozen=True, slots=True)
class Healthy:
    """What an operation's questions are answered when nothing is wrong."""

    asked: object
    others: object


class WatchedWire(Http1Wire):
    """The real wire, and how much goes over it at the same time."""

    def __init__(self) -> None:
        super().__init__(tls=_TLS)
        self._under_way = self.most_at_once = 0

    async def send(self, request: WireRequest) -> Response:
        """Send as the real wire does, and count what is under way at the same time."""
        self._under_way += 1
        self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            return await super().send(request)
        finally:
            self._under_way -= 1

    @property
    def busy(self) -> int:
        """Count the connections that a request holds."""
        return self.open_connections - self.kept_connections


@dataclass(frozen=True, slots=True)
class Cell:
    """A gateway over a sandbox at its seed, ready for one operation."""

    client: httpx.AsyncClient
    wire: WatchedWire
    running: RunningSandbox


@asynccontextmanager
async def open_cell(running: RunningSandbox, operation: Operation, patience: Patience, *, listens: bool = True) -> AsyncIterator[Cell]:
    """Open a fresh gateway; `listens` False: at the address of the operation's source nobody does."""
    running.sandbox.reset()
    running.sandbox.change_switches(operation.system, operation.switches)
    wire = WatchedWire()
    app = create_app(settings_from(_settings(running, operation, patience, listens=listens)), wire)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.example", timeout=None) as client,  # noqa: S113
    ):
        yield Cell(client, wire, running)


def _settings(running: RunningSandbox, operation: Operation, patience: Patience, *, listens: bool) -> dict[str, Any]:
    sandbox, own = running.sandbox, SOURCES[operation.system]
    tables = sandbox.source_tables(running.base_url)
    if not listens:
        tables[own] = sandbox.source_tables(f"http://127.0.0.1:{free_port()}")[own]
    timeouts = dict.fromkeys(tables, patience.others_timeout_seconds) | {own: patience.timeout_seconds}
    return {
        "server": {
            "state": "sqlite://",
            "deadline_seconds": patience.deadline_seconds,
            "mutation_deadline_seconds": patience.mutation_deadline_seconds,
        },
        "sources": {
            key: {
                "timeout_seconds": timeouts[key],
                "connect_timeout_seconds": timeouts[key],
                "retries": patience.retries,
                **table,
                **(operation.options if key == own else {}),
            }
            for key, table in tables.items()
        },
    }


async def healthy(running: RunningSandbox, operation: Operation) -> Healthy:
    """Ask an operation's questions when nothing is wrong. Raises `RuntimeError` when they do not need the operation, or fail."""
    async with open_cell(running, operation, CALM) as cell:
        _spoil(running, operation)
        asked, others = await _ask(cell, operation)
        if asked.codes or others.codes or not running.sandbox.calls.by_operation[operation.title]:
            raise RuntimeError(f"{operation.title} cannot be drilled: {asked.codes or others.codes or 'it is not called'}")
        return Healthy(asked.data, others.data)


async def try_cell(
    running: RunningSandbox, operation: Operation, trouble: Trouble, known: Healthy, patience: Patience | None = None
) -> Seen:
    """Ask for an operation that is in trouble, and look what came of it. `patience` None: as the trouble needs it."""
    patience = patience or (CALM if trouble.is_large else HURRIED)
    seen = Seen(deadline_seconds=patience.deadline_seconds if operation.write is None else patience.mutation_deadline_seconds)
    with _complaints() as seen.complaints:
        async with open_cell(running, operation, patience, listens=trouble.fault is not None) as cell:
            fault = trouble.fault_of(operation.system, operation.name)
            if fault is not None:
                running.sandbox.faults.add(fault)
            _spoil(running, operation)
            watching = asyncio.create_task(_watch_pauses(seen))
            before = asyncio.all_tasks()
            asked, others = await _ask(cell, operation)
            watching.cancel()
            await _look_behind(cell, before, seen)
            seen.calls = running.sandbox.calls.by_operation[operation.title]
    seen.code, seen.message, seen.seconds = _code_of(asked, known), asked.message, max(asked.seconds, others.seconds)
    if trouble.pause_seconds is not None and asked.waits - {trouble.pause_seconds}:
        seen.complaints.append(f"retryAfter {asked.waits} after a Retry-After of {trouble.pause_seconds}")
    seen.others = others.data == known.others and not others.codes
    return seen


def _spoil(running: RunningSandbox, operation: Operation) -> None:
    for fault in operation.spoilt:
        running.sandbox.faults.add(fault)


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """Collect what is logged as an error, and what the event loop has to say of failures that nobody awaits."""
    told: list[str] = []
    handler = _Listening(told)
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: told.append(f"{context['message']}: {context.get('exception')!r}"))
    logging.getLogger().addHandler(handler)
    try:
        yield told
    finally:
        logging.getLogger().removeHandler(handler)
        loop.set_exception_handler(None)


class _Listening(logging.Handler):
    def __init__(self, told: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._told = told

    def emit(self, record: logging.LogRecord) -> None:
        self._told.append(record.getMessage())


async def _watch_pauses(seen: Seen) -> None:
    while True:
        started = time.monotonic()
        await asyncio.sleep(_TICK_SECONDS)
        seen.pause_seconds = max(seen.pause_seconds, time.monotonic() - started - _TICK_SECONDS)


async def _look_behind(cell: Cell, before: set[asyncio.Task[Any]], seen: Seen) -> None:
    """Wait until nothing is left of a question, a while at the most, and count what is."""
    calls = cell.running.sandbox.calls
    end = time.monotonic() + _SETTLE_SECONDS
    while True:
        seen.tasks, seen.busy, seen.in_flight = len(asyncio.all_tasks() - before), cell.wire.busy, sum(calls.in_flight.values())
        if not (seen.tasks or seen.busy or seen.in_flight) or time.monotonic() > end:
            break
        await asyncio.sleep(_POLL_SECONDS)
    seen.connections, seen.most_at_once = cell.wire.kept_connections, cell.wire.most_at_once


# Asking


@dataclass(frozen=True, slots=True)
class _Answer:
    data: object
    codes: tuple[str, ...]
    message: str
    seconds: float
    waits: set[int | None] = field(default_factory=set)
    """What errors say of a pause that the source asked for."""


async def _ask(cell: Cell, operation: Operation) -> tuple[_Answer, _Answer]:
    """Ask for the operation and for what the others have: in one query, where it can be, else at the same time."""
    if operation.selection is not None:
        whole, seconds = await _timed(lambda: _post(cell, operation.query, {}))
        return _part(whole, seconds, is_asked=True), _part(whole, seconds, is_asked=False)
    asked = _write(cell, operation) if operation.write is not None else _document(cell, operation.path or "")
    answer, (others, seconds) = await asyncio.gather(asked, _timed(lambda: _post(cell, operation.query, {})))
    return answer, _part(others, seconds, is_asked=False)


async def _timed(ask: Callable[[], Awaitable[Any]]) -> tuple[Any, float]:
    started = time.monotonic()
    return await ask(), time.monotonic() - started


async def _post(cell: Cell, query: str, variables: Mapping[str, object]) -> dict[str, Any]:
    answer: dict[str, Any] = (await cell.client.post("/graphql", json={"query": query, "variables": variables})).json()
    return answer


def _part(whole: Mapping[str, Any], seconds: float, *, is_asked: bool) -> _Answer:
    """Take one of both out of an answer: what was asked of the operation's source, or all else."""
    data = whole.get("data") or {}
    errors = [error for error in whole.get("errors", ()) if (error.get("path", [None])[0] == ASKED) is is_asked]
    mine = data.get(ASKED) if is_asked else {name: value for name, value in data.items() if name != ASKED}
    told = [(error["extensions"]["code"], error["message"]) for error in errors] + (_results_of(mine) if is_asked else [])
    waits = {error["extensions"].get("retryAfter") for error in errors if error["extensions"]["code"] == RATE_LIMITED}
    return _Answer(mine, tuple(sorted({code for code, _ in told})), "; ".join(text for _, text in told), seconds, waits)


def _results_of(tree: object) -> list[tuple[str, str]]:
    """Find what lists say of a source that failed."""
    if isinstance(tree, dict):
        found = [(result["code"], result["message"] or "") for result in tree.get("sourceResults", ()) if result["code"]]
        return found + [told for name, value in tree.items() if name != "sourceResults" for told in _results_of(value)]
    return [told for item in tree for told in _results_of(item)] if isinstance(tree, list) else []


async def _document(cell: Cell, path: str) -> _Answer:
    response, seconds = await _timed(lambda: cell.client.get(path))
    if response.status_code == httpx.codes.OK:
        return _Answer(response.content, (), "", seconds)
    (error,) = json.loads(response.content)["errors"]
    return _Answer(None, (error["extensions"]["code"],), error["message"], seconds)


async def _write(cell: Cell, operation: Operation) -> _Answer:
    assert operation.write is not None
    query, variables = operation.write.query, operation.write.variables
    whole, seconds = await _timed(lambda: _post(cell, query, variables))
    if "errors" in whole:
        return _Answer(None, tuple(error["extensions"]["code"] for error in whole["errors"]), str(whole["errors"]), seconds)
    made = whole["data"]["made"]
    told = [made["outcome"], *([made["confirmation"]] if made["confirmation"] else []), *(error["code"] for error in made["userErrors"])]
    return _Answer(" ".join(told), (), "; ".join(error["message"] for error in made["userErrors"]), seconds)


def _code_of(asked: _Answer, known: Healthy) -> str:
    if asked.codes:
        return " ".join(asked.codes)
    if isinstance(asked.data, str):
        return asked.data  # of a write: what became of it
    if asked.data == known.asked:
        return "ok"
    return "null" if asked.data is None else "less"
